namespace Pipeline.Learning

open System
open System.Numerics

/// A layer that applies an activation to each number.
[<Sealed>]
type internal ActivationLayer(activation: Activation) =
    inherit Layer((string activation).ToLowerInvariant())
    let definition = Activation.definition activation

    /// The values of the function, and the backward pass that writes over the gradient in them.
    let forward
        (mayOverwrite: bool)
        (z: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        : struct ('T[] * ('T[] -> unit)) =
        if activation = Activation.Identity then
            struct (z, ignore)
        else
            let output =
                if mayOverwrite && not definition.NeedsInput then
                    z
                else
                    ArrayReuse<'T>.Rent z.Length

            Activation.applyInto output activation z
            let kept = if definition.NeedsInput then z else output

            struct (output,
                    fun gradient -> Activation.backwardInto gradient activation kept gradient)

    /// Whether the layer above may write over the output.
    let mayOverwrite (below: bool) =
        definition.NeedsInput || (activation = Activation.Identity && below)

    member _.Activation = activation

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let z = pass.Inputs.Numbers
        let values = Kernels.values z
        let struct (output, backward) = forward pass.MayOverwrite values

        {
            LayerOutput.create
                (if obj.ReferenceEquals(output, values) then
                     z
                 else
                     Kernels.matrix z.RowCount z.ColumnCount output)
                (fun upstream ->
                    backward (Kernels.values upstream)
                    LayerGradient.ofInputs upstream) with
                MayOverwrite = mayOverwrite pass.MayOverwrite
        }

    interface ILaneLayer with
        member _.PrefersLanes(_) = false

        member _.ForwardLanes<'T
            when 'T: struct
            and 'T :> ValueType
            and 'T: (new: unit -> 'T)
            and 'T :> IBinaryFloatingPointIeee754<'T>>
            (pass: LayerPass<'T>, x: LaneBlocks<'T>)
            : PassOutput<'T> =
            let struct (output, backward) = forward pass.MayOverwrite x.Values

            {
                PassOutput.ofLanes { x with Values = output } (fun upstream ->
                    backward upstream.Values
                    struct (ValueSome upstream, LayerGradient.none)) with
                    MayOverwrite = mayOverwrite pass.MayOverwrite
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
        member _.ToOnnx(draft, _, _, input) = definition.Onnx draft input
