namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Arithmetic

/// A layer that applies a function of the user's to each number.
[<Sealed>]
type internal ElementwiseLayer(name: string, f: float -> float, slope: float -> float) =
    inherit Layer(name)

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let z = pass.Inputs.Numbers

        let of' (g: float -> float) (x: 'T) =
            'T.CreateTruncating(g (Double.CreateTruncating x))

        let kept = Kernels.values z
        let output = Array.map (of' f) kept |> Kernels.matrix z.RowCount z.ColumnCount

        {
            LayerOutput.create output (fun upstream ->
                let gradient = Kernels.values upstream

                for i in 0 .. gradient.Length - 1 do
                    gradient[i] <- gradient[i] * of' slope kept[i]

                LayerGradient.ofInputs upstream) with
                MayOverwrite = true
        }
