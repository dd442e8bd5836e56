namespace Pipeline.Learning

open System
open System.Numerics

/// What the backward pass of a layer gives to the network: gradients in the form in which the layer has them.
type internal PassGradient<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The gradient in the inputs; nothing where it is not needed.
    Inputs: Inputs<'T> voption
    /// The gradients in the parameters.
    Parameters: LayerGradient<'T>
}

/// What the forward pass of a layer gives to the network: a <c>LayerOutput</c> whose numbers may stand side by side.
type internal PassOutput<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    Output: Inputs<'T>
    MayOverwrite: bool
    Kept: 'T[] list
    Running: LayerParameters<'T>
    /// From the gradient in the output, in the output's form.
    Backward: Inputs<'T> -> PassGradient<'T>
} with

    /// (features, batch).
    member output.Numbers = output.Output.Numbers

/// A layer that computes with samples side by side.
type internal ILaneLayer =
    /// Whether it takes samples of a shape so, or only where they stand side by side already.
    abstract PrefersLanes: Shape -> bool

    /// The forward pass of samples side by side, its output and its gradients side by side too.
    abstract ForwardLanes<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> :
        pass: LayerPass<'T> * x: LaneBlocks<'T> -> PassOutput<'T>

[<RequireQualifiedAccess>]
module internal PassOutput =
    /// The output of a layer side by side, which keeps no running statistics.
    let ofLanes
        (output: LaneBlocks<'T>)
        (backward: LaneBlocks<'T> -> struct (LaneBlocks<'T> voption * LayerGradient<'T>))
        : PassOutput<'T> = {
        Output = Inputs.Lanes output
        MayOverwrite = false
        Kept = []
        Running = LayerParameters.none
        Backward =
            fun upstream ->
                let struct (inputs, parameters) = backward upstream.SideBySide

                {
                    Inputs = inputs |> ValueOption.map Inputs.Lanes
                    Parameters = parameters
                }
    }

    /// The output of any layer.
    let ofOutput (output: LayerOutput<'T>) : PassOutput<'T> = {
        Output = Inputs.Columns output.Output
        MayOverwrite = output.MayOverwrite
        Kept = output.Kept
        Running = output.Running
        Backward =
            fun upstream ->
                let gradient = output.Backward upstream.Numbers

                {
                    Inputs = gradient.Inputs |> ValueOption.map Inputs.Columns
                    Parameters = gradient
                }
    }

    /// As other layers have it.
    let toOutput (output: PassOutput<'T>) : LayerOutput<'T> = {
        Output = output.Output.Numbers
        MayOverwrite = output.MayOverwrite
        Kept = output.Kept
        Running = output.Running
        Backward =
            fun upstream ->
                let struct (features, samples) = output.Output.Size

                if upstream.RowCount <> features || upstream.ColumnCount <> samples then
                    invalidArg
                        (nameof upstream)
                        (invariant
                            $"expected a gradient in outputs ({features}, {samples}), found {Kernels.shape upstream}")

                let gradient = output.Backward(Inputs.Columns upstream)

                {
                    gradient.Parameters with
                        Inputs = gradient.Inputs |> ValueOption.map _.Numbers
                }
    }

[<AutoOpen>]
module internal LaneLayerPattern =
    [<return: Struct>]
    let (|LaneLayer|_|) (layer: Layer) : ILaneLayer voption =
        match box layer with
        | :? ILaneLayer as layer -> ValueSome layer
        | _ -> ValueNone

[<RequireQualifiedAccess>]
module internal LaneLayer =
    /// The forward pass by samples side by side, whatever the form of the inputs.
    let forward
        (layer: ILaneLayer)
        (pass: LayerPass<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : PassOutput<'T> =
        match pass.Inputs with
        | Inputs.Lanes x -> layer.ForwardLanes(pass, x)
        | inputs ->
            let x = inputs.SideBySide

            let output =
                layer.ForwardLanes(
                    {
                        pass with
                            // The copy is the layer's own.
                            MayOverwrite = true
                    },
                    x
                )

            {
                output with
                    Kept = x.Values :: output.Kept
            }
