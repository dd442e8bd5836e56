namespace Pipeline.Learning.Laws

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Images and a window that moves over them. A sample is a column: one channel after the other, each row by row.
type WindowShape = {
    /// The channels of an image.
    Channels: int
    /// The rows and columns of an image.
    Image: Extent
    /// The window.
    Window: Window
} with

    /// The numbers of an image.
    member shape.Features = shape.Channels * shape.Image.Rows * shape.Image.Columns

    /// The places of the window: as long as it ends within the padding.
    member shape.Places: Extent =
        let along length size stride padding dilation =
            Seq.initInfinite (fun place -> place * stride + (size - 1) * dilation)
            |> Seq.takeWhile (fun last -> last < length + 2 * padding)
            |> Seq.length

        let {
                Size = size
                Stride = stride
                Padding = padding
                Dilation = dilation
            } =
            shape.Window

        {
            Rows = along shape.Image.Rows size.Rows stride.Rows padding.Rows dilation.Rows
            Columns =
                along
                    shape.Image.Columns
                    size.Columns
                    stride.Columns
                    padding.Columns
                    dilation.Columns
        }

/// A convolution over images.
type ConvolutionShape = {
    /// The images and the window.
    Input: WindowShape
    /// The output channels of all groups.
    Outputs: int
    /// The groups, which divide the channels and the output channels.
    Groups: int
} with

    /// The weights of an output channel: one for each channel of its group, each row and each column of the window.
    member shape.Taps =
        let size = shape.Input.Window.Size
        shape.Input.Channels / shape.Groups * size.Rows * size.Columns

/// The gradients of a convolution.
type ConvolutionGradient = {
    /// (output channels, taps).
    Weights: Matrix<float>
    /// One an output channel.
    Biases: Vector<float>
    /// (features, batch).
    Inputs: Matrix<float>
}

/// A number of a window at one of its places.
[<Struct>]
type internal SeenNumber = {
    /// The place in its channel, row by row.
    Place: int
    /// The row and the column in the window.
    Row: int
    Column: int
    /// Where the number stands in the image's channel; nothing for padding.
    Inside: int voption
}

/// Convolution and pooling written a second time, by loops over one number at a time: what laws compare other
/// implementations with. It shares no line with the core.
[<RequireQualifiedAccess>]
module ImageReference =
    /// What the window sees, place after place, row by row.
    let internal seen (shape: WindowShape) : SeenNumber[] = [|
        let { Window = window; Image = image } = shape

        for placeRow in 0 .. shape.Places.Rows - 1 do
            for placeColumn in 0 .. shape.Places.Columns - 1 do
                for row in 0 .. window.Size.Rows - 1 do
                    for column in 0 .. window.Size.Columns - 1 do
                        let y =
                            placeRow * window.Stride.Rows + row * window.Dilation.Rows
                            - window.Padding.Rows

                        let x =
                            placeColumn * window.Stride.Columns + column * window.Dilation.Columns
                            - window.Padding.Columns

                        {
                            Place = placeRow * shape.Places.Columns + placeColumn
                            Row = row
                            Column = column
                            Inside =
                                if y >= 0 && y < image.Rows && x >= 0 && x < image.Columns then
                                    ValueSome(y * image.Columns + x)
                                else
                                    ValueNone
                        }
    |]

    let private size (extent: Extent) = extent.Rows * extent.Columns

    /// Calls `visit` with the output channel, the tap, the output and the input of every product that is not one with
    /// padding.
    let private products (shape: ConvolutionShape) (visit: int -> int -> int -> int -> unit) =
        let input = shape.Input
        let window = input.Window.Size
        let channels = input.Channels / shape.Groups
        let seen = seen input

        for output in 0 .. shape.Outputs - 1 do
            let group = output / (shape.Outputs / shape.Groups)

            for number in seen do
                for channel in 0 .. channels - 1 do
                    match number.Inside with
                    | ValueNone -> ()
                    | ValueSome inside ->
                        visit
                            output
                            ((channel * window.Rows + number.Row) * window.Columns + number.Column)
                            (output * size input.Places + number.Place)
                            ((group * channels + channel) * size input.Image + inside)

    /// <summary>The outputs of a convolution: y(o, p) = b(o) + Σₖ W(o, k)·x(p, k), the sum over what the window sees at its
    /// place p in the channels of the group of o.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="weights">W: (output channels, taps), a tap being a channel of the group, a row and a column of the window.</param>
    /// <param name="biases">b: one an output channel.</param>
    /// <param name="inputs">(features, batch).</param>
    /// <returns>(output channels · places, batch).</returns>
    [<CompiledName("Convolve")>]
    let convolve
        (shape: ConvolutionShape)
        (weights: Matrix<float>)
        (biases: Vector<float>)
        (inputs: Matrix<float>)
        : Matrix<float> =
        let places = size shape.Input.Places

        let result =
            Matrix<float>
                .Build
                .Dense(shape.Outputs * places, inputs.ColumnCount, fun i _ -> biases[i / places])

        products shape (fun channel tap output input ->
            for s in 0 .. inputs.ColumnCount - 1 do
                result[output, s] <- result[output, s] + weights[channel, tap] * inputs[input, s])

        result

    /// <summary>The gradients of a convolution: each product of <c>convolve</c> gives its share.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="weights">(output channels, taps).</param>
    /// <param name="inputs">(features, batch).</param>
    /// <param name="upstream">The gradient in the outputs: (output channels · places, batch).</param>
    [<CompiledName("ConvolutionGradients")>]
    let convolutionGradients
        (shape: ConvolutionShape)
        (weights: Matrix<float>)
        (inputs: Matrix<float>)
        (upstream: Matrix<float>)
        : ConvolutionGradient =
        let inWeights = Matrix<float>.Build.Dense(weights.RowCount, weights.ColumnCount)
        let inInputs = Matrix<float>.Build.Dense(inputs.RowCount, inputs.ColumnCount)

        products shape (fun channel tap output input ->
            for s in 0 .. inputs.ColumnCount - 1 do
                let delta = upstream[output, s]
                inWeights[channel, tap] <- inWeights[channel, tap] + delta * inputs[input, s]
                inInputs[input, s] <- inInputs[input, s] + delta * weights[channel, tap])

        let places = size shape.Input.Places
        let ofChannels = upstream.RowSums()

        {
            Weights = inWeights
            Biases =
                Vector<float>
                    .Build.Dense(
                        shape.Outputs,
                        fun o -> Seq.sum [ for p in 0 .. places - 1 -> ofChannels[o * places + p] ]
                    )
            Inputs = inInputs
        }

    /// For each channel and place, the place of its output and those of the numbers in the window, padding left out.
    let private windows (shape: WindowShape) : (int * int[]) list = [
        let seen = seen shape |> Array.groupBy _.Place

        for channel in 0 .. shape.Channels - 1 do
            for place, numbers in seen do
                channel * size shape.Places + place,
                numbers
                |> Array.choose (fun number -> ValueOption.toOption number.Inside)
                |> Array.map ((+) (channel * size shape.Image))
    ]

    let private pool
        (ofWindow: float[] -> float)
        (shape: WindowShape)
        (inputs: Matrix<float>)
        : Matrix<float> =
        let windows = Map.ofList (windows shape)

        Matrix<float>
            .Build.Dense(
                shape.Channels * size shape.Places,
                inputs.ColumnCount,
                fun output s -> windows[output] |> Array.map (fun i -> inputs[i, s]) |> ofWindow
            )

    /// The gradient in the inputs, `shares` giving the parts of a window's numbers.
    let private poolingGradient
        (shares: float[] -> float[])
        (shape: WindowShape)
        (inputs: Matrix<float>)
        (upstream: Matrix<float>)
        : Matrix<float> =
        let result = Matrix<float>.Build.Dense(inputs.RowCount, inputs.ColumnCount)

        for output, numbers in windows shape do
            for s in 0 .. inputs.ColumnCount - 1 do
                let shares = numbers |> Array.map (fun i -> inputs[i, s]) |> shares

                for i, share in Array.zip numbers shares do
                    result[i, s] <- result[i, s] + share * upstream[output, s]

        result

    /// <summary>The greatest number of each place of a window, channel by channel; padding is left out.</summary>
    /// <param name="shape">The images and the window.</param>
    /// <param name="inputs">(features, batch).</param>
    /// <returns>(channels · places, batch).</returns>
    [<CompiledName("MaxPool")>]
    let maxPool (shape: WindowShape) (inputs: Matrix<float>) : Matrix<float> =
        pool (Array.fold max Double.NegativeInfinity) shape inputs

    /// <summary>The gradient of <c>maxPool</c> in the inputs: the first of the greatest numbers of a window gets it.</summary>
    /// <param name="shape">The images and the window.</param>
    /// <param name="inputs">(features, batch).</param>
    /// <param name="upstream">The gradient in the outputs: (channels · places, batch).</param>
    [<CompiledName("MaxPoolGradient")>]
    let maxPoolGradient
        (shape: WindowShape)
        (inputs: Matrix<float>)
        (upstream: Matrix<float>)
        : Matrix<float> =
        poolingGradient
            (fun numbers ->
                let first = Array.IndexOf(numbers, Array.max numbers)
                numbers |> Array.mapi (fun i _ -> if i = first then 1.0 else 0.0))
            shape
            inputs
            upstream

    let private windowSize (shape: WindowShape) = float (size shape.Window.Size)

    /// <summary>The mean of each place of a window, channel by channel; padding counts as zeros.</summary>
    /// <param name="shape">The images and the window.</param>
    /// <param name="inputs">(features, batch).</param>
    /// <returns>(channels · places, batch).</returns>
    [<CompiledName("AveragePool")>]
    let averagePool (shape: WindowShape) (inputs: Matrix<float>) : Matrix<float> =
        pool (fun numbers -> Array.sum numbers / windowSize shape) shape inputs

    /// <summary>The gradient of <c>averagePool</c> in the inputs.</summary>
    /// <param name="shape">The images and the window.</param>
    /// <param name="inputs">(features, batch).</param>
    /// <param name="upstream">The gradient in the outputs: (channels · places, batch).</param>
    [<CompiledName("AveragePoolGradient")>]
    let averagePoolGradient
        (shape: WindowShape)
        (inputs: Matrix<float>)
        (upstream: Matrix<float>)
        : Matrix<float> =
        poolingGradient (Array.map (fun _ -> 1.0 / windowSize shape)) shape inputs upstream
