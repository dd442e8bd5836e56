namespace Pipeline.Properties

open System
open System.Numerics
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Layers over images by themselves, and the order in which they sum.
[<RequireQualifiedAccess>]
module internal OverImages =
    let imageOf (shape: WindowShape) =
        Shape.Image(shape.Channels, shape.Image.Rows, shape.Image.Columns)

    /// A layer's forward pass with some parameters in a step of training.
    let pass
        (layer: Layer)
        (shape: Shape)
        (parameters: LayerParameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (inputs: Matrix<'T>)
        : LayerOutput<'T> =
        layer.Forward {
            Inputs = Inputs.OfNumbers inputs
            Shape = shape
            Parameters = parameters
            Running = layer.InitialiseRunning shape
            Step = ValueSome { Seed = 1UL; Iteration = 0L }
            RandomStream = 0
            MayOverwrite = false
            NeedsInputGradient = true
        }

    /// Its output and the gradients in its inputs and its parameters.
    let both layer shape parameters inputs (upstream: Matrix<'T>) =
        let output = pass layer shape parameters inputs
        let result = output.Output.Clone()
        let gradient = output.Backward(upstream.Clone())
        struct (result, gradient.Inputs.Value, LayerGradient.values parameters gradient)

    /// Numbers of which some are 0 or −0 and some are equal.
    let numbers
        (seed: uint64)
        (which: int)
        (rows: int)
        (columns: int)
        : Matrix<'T> when 'T :> INumberBase<'T> =
        Array.init (rows * columns) (fun i ->
            let x = RandomNumbers.uniform seed RandomStream.GradientCheck (int64 which) i

            'T
                .CreateTruncating(
                    if x < 0.05 then 0.0
                    elif x < 0.1 then -0.0
                    elif x < 0.2 then Math.Round(20.0 * x) - 3.0
                    else 4.0 * x - 2.0
                ))
        |> fun values -> Kernels.matrix rows columns values

    let size (extent: Extent) = extent.Rows * extent.Columns

    /// For each place of the window the place in a channel of each of its numbers, row by row; −1 for padding.
    let seen (shape: WindowShape) : int[][] =
        let window, image, places = shape.Window, shape.Image, shape.Places

        [|
            for placeRow in 0 .. places.Rows - 1 do
                for placeColumn in 0 .. places.Columns - 1 do
                    [|
                        for row in 0 .. window.Size.Rows - 1 do
                            for column in 0 .. window.Size.Columns - 1 do
                                let y =
                                    placeRow * window.Stride.Rows - window.Padding.Rows
                                    + row * window.Dilation.Rows

                                let x =
                                    placeColumn * window.Stride.Columns - window.Padding.Columns
                                    + column * window.Dilation.Columns

                                if y < 0 || y >= image.Rows || x < 0 || x >= image.Columns then
                                    -1
                                else
                                    y * image.Columns + x
                    |]
        |]

    /// The sum of each lane's samples by themselves, then of the lanes, the first one first.
    let overLanes (samples: int) (next: 'T -> int -> 'T) : 'T :> IBinaryFloatingPointIeee754<'T> =
        Seq.init 16 (fun lane ->
            Seq.init samples id
            |> Seq.filter (fun s -> s % 16 = lane)
            |> Seq.fold next 'T.Zero)
        |> Seq.reduce (fun sum lane -> sum + lane)

    /// Mini-batches of one block, of several, and of a part of one.
    let samples: Arbitrary<int> = Arb.fromGen (Gen.choose (1, 40))
