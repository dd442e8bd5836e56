namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats
open Pipeline.Learning.Arithmetic

/// <summary>Global average pooling: the mean of each channel, which makes a vector of an image.</summary>
/// <remarks>Source: Lin, Chen and Yan, Network in network, 2014.</remarks>
[<Sealed>]
type internal GlobalAveragePooling() =
    inherit Layer("globalavgpool")

    override _.TakesImages = true

    override _.OutputShape(input) =
        WindowDimensions.imageOf WindowDimensions.Two "global average pooling" input
        |> Result.map (fun (struct (channels, _)) -> Shape.Vector channels)

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x = pass.Inputs.Numbers
        let channels = pass.Shape.Channels
        let size = x.RowCount / channels
        let count = channels * x.ColumnCount
        let values, means = Kernels.values x, Kernels.newArray channels x.ColumnCount
        let number = 'T.CreateTruncating size

        ThreadTeam.run (4L * int64 values.Length) count (fun channel ->
            let mutable sum = 'T.Zero

            for i in channel * size .. (channel + 1) * size - 1 do
                sum <- sum + values[i]

            means[channel] <- sum / number)

        let backward (upstream: Matrix<'T>) : LayerGradient<'T> =
            let gradient = Kernels.values upstream
            let result = Kernels.newArray x.RowCount x.ColumnCount

            for channel in 0 .. count - 1 do
                Array.Fill(result, gradient[channel] / number, channel * size, size)

            LayerGradient.ofInputs (Kernels.matrix x.RowCount x.ColumnCount result)

        {
            LayerOutput.create (Kernels.matrix channels x.ColumnCount means) backward with
                MayOverwrite = true
        }

    interface IOnnxLayer with
        member _.ToOnnx(draft, _, shape, input) =
            let channels = shape.Channels
            let size = shape.Size / channels

            draft.Add(
                "ReduceMean",
                [ OnnxImages.reshape draft [ channels; size ] input ],
                [ "axes", OnnxAttribute.Integers [ 2L ]; "keepdims", OnnxAttribute.Integer 0L ]
            )
