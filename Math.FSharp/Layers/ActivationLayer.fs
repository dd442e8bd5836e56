namespace Pipeline.Learning

open System
open System.Numerics

/// A layer that applies an activation to each number.
[<Sealed>]
type internal ActivationLayer(activation: Activation) =
    inherit Layer((string activation).ToLowerInvariant())
    let definition = Activation.definition activation

    member _.Activation = activation

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let z = pass.Inputs.Numbers

        let output =
            if activation = Activation.Identity then
                z
            elif pass.MayOverwrite && not definition.NeedsInput then
                Activation.applyInto (Kernels.values z) activation (Kernels.values z)
                z
            else
                Activation.apply activation z

        let kept = Kernels.values (if definition.NeedsInput then z else output)

        {
            LayerOutput.create output (fun upstream ->
                if activation <> Activation.Identity then
                    let gradient = Kernels.values upstream
                    Activation.backwardInto gradient activation kept gradient

                LayerGradient.ofInputs upstream) with
                MayOverwrite =
                    definition.NeedsInput || (activation = Activation.Identity && pass.MayOverwrite)
        }

    interface IElementwise with
        member _.Use<'T, 'R when 'T :> INumber<'T>>(user: IMapUser<'T, 'R>) : 'R =
            activation
            |> Activation.visit
                {
                    new IActivationUser<'T, 'R> with
                        member _.Use(forward, _) = user.Use forward
                }

    interface ISaturates with
        member _.Saturation = definition.Saturation

    interface IOnnxLayer with
        member _.ToOnnx(draft, _, input) = definition.Onnx draft input
