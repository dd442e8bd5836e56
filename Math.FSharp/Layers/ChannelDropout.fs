namespace Pipeline.Learning

open System
open System.Numerics

/// <summary>Dropout of whole channels: a step of training sets a fraction of each image's channels to 0 and multiplies
/// the others by 1 / (1 − fraction). Evaluation changes nothing.</summary>
/// <remarks>Source: Tompson et al., Efficient object localization using convolutional networks, 2015.</remarks>
[<Sealed>]
type internal ChannelDropout(fraction: float) =
    inherit Layer($"dropout2d {string fraction}")

    override _.TakesImages = true

    override _.OutputShape(input) =
        Fault.both
            (WindowDimensions.imageOf WindowDimensions.Two "dropout of channels" input)
            (Fault.check [ NumberRange.check "" NumberRange.share fraction ] ignore)
        |> Result.map (fun _ -> input)

    override _.DrawsRandomNumbers = true
    override _.DiffersInTraining = fraction > 0.0

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x = pass.Inputs.Numbers

        match pass.Step, pass.Shape with
        | ValueSome step, Shape.Image(channels, rows, columns) when fraction > 0.0 ->
            let size = rows * columns

            let mask =
                DropoutMask.create fraction step pass.RandomStream (channels * x.ColumnCount)

            let scale (values: 'T[]) (result: 'T[]) =
                for channel in 0 .. mask.Length - 1 do
                    let factor = mask[channel]

                    for i in channel * size .. (channel + 1) * size - 1 do
                        result[i] <- values[i] * factor

            let result =
                if pass.MayOverwrite then
                    Kernels.values x
                else
                    Kernels.newArray x.RowCount x.ColumnCount

            scale (Kernels.values x) result

            {
                LayerOutput.create (Kernels.matrix x.RowCount x.ColumnCount result) (fun upstream ->
                    let gradient = Kernels.values upstream
                    scale gradient gradient
                    LayerGradient.ofInputs upstream) with
                    MayOverwrite = true
                    Kept = [ mask ]
            }
        | _ -> {
            LayerOutput.create x LayerGradient.ofInputs with
                MayOverwrite = pass.MayOverwrite
          }

    interface IOnlyInTraining

    interface IOnnxLayer with
        member _.ToOnnx(_, _, _, input) = input
