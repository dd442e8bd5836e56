namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Arithmetic

/// A layer's part in a forward pass.
type internal LayerTrace<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    Place: PlacedLayer
    Parameters: LayerParameters<'T>
    Output: PassOutput<'T>
}

/// Layers one after the other, forward and backward.
[<RequireQualifiedAccess>]
module internal LayerChain =
    /// The first of a list with something for each layer that has such numbers, and the others; `none` for a layer
    /// without.
    let take (none: 'A) (shapes: ParameterShapes) (some: 'A list) : struct ('A * 'A list) =
        match some with
        | own :: others when not shapes.IsEmpty -> struct (own, others)
        | _ -> struct (none, some)

    /// What a layer gives for its inputs; without a step of training, as evaluation sees it.
    let private forward
        (step: TrainingStep voption)
        (struct (place: PlacedLayer, parameters: LayerParameters<'T>, running: LayerParameters<'T>))
        (inputs: Inputs<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (mayOverwrite: bool)
        : PassOutput<'T> =
        let pass = {
            Inputs = inputs
            Shape = place.Input
            Parameters = parameters
            Running = running
            Step = step
            RandomStream = place.RandomStream
            MayOverwrite = mayOverwrite
            NeedsInputGradient = place.NeedsInputGradient
        }

        LayerPass.requireSize pass

        match place.Layer, inputs with
        | LaneLayer layer, Inputs.Lanes _ -> LaneLayer.forward layer pass
        | LaneLayer layer, _ when layer.PrefersLanes place.Input -> LaneLayer.forward layer pass
        | layer, Inputs.Lanes _ ->
            let x = inputs.Numbers

            let output =
                layer.Forward {
                    pass with
                        Inputs = Inputs.Columns x
                        // The copy is the layer's own.
                        MayOverwrite = true
                }

            PassOutput.ofOutput {
                output with
                    Kept = Kernels.values x :: output.Kept
            }
        | layer, _ -> layer.Forward pass |> PassOutput.ofOutput

    /// The forward pass through layers with their parameters: the last layer first.
    let run
        (step: TrainingStep voption)
        (layers: struct (PlacedLayer * LayerParameters<'T> * LayerParameters<'T>) list)
        (inputs: Inputs<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : LayerTrace<'T> list =
        let rec run layers inputs mayOverwrite below =
            match layers with
            | [] -> below
            | (struct (place, parameters, _) as layer) :: above ->
                let output = forward step layer inputs mayOverwrite

                let traced = {
                    Place = place
                    Parameters = parameters
                    Output = output
                }

                run above output.Output output.MayOverwrite (traced :: below)

        run layers inputs false []

    let private isOf (array: 'T[]) (values: Inputs<'T>) : bool =
        match values.Array with
        | ValueSome own -> obj.ReferenceEquals(own, array)
        | ValueNone -> false

    /// What the last layer gives in evaluation. The arrays of a layer are returned once the next one has its output.
    let evaluate
        (layers: struct (PlacedLayer * LayerParameters<'T> * LayerParameters<'T>) list)
        (samples: Inputs<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Inputs<'T> =
        let rec run layers (inputs: Inputs<'T>) mayOverwrite =
            match layers with
            | [] -> inputs
            | (struct (_, parameters, _) as layer) :: above ->
                let output = forward ValueNone layer inputs mayOverwrite

                let isUsed array =
                    isOf array samples
                    || isOf array output.Output
                    || LayerParameters.refersTo array parameters

                ArrayReuse.ReturnUnused(
                    isUsed,
                    fun () -> ValueOption.toList inputs.Array @ output.Kept
                )

                run above output.Output output.MayOverwrite

        run layers samples false

    /// Returns the arrays that a layer's passes made, apart from those still referred to.
    let private release
        (traced: LayerTrace<'T>)
        (below: Inputs<'T>)
        (upstream: Inputs<'T>)
        (gradient: PassGradient<'T>)
        : unit =
        let isUsed array =
            isOf array below
            || ValueOption.exists (isOf array) gradient.Inputs
            || LayerGradient.refersTo array gradient.Parameters
            || LayerParameters.refersTo array traced.Parameters

        ArrayReuse.ReturnUnused(
            isUsed,
            fun () -> [
                yield! ValueOption.toList upstream.Array
                yield! ValueOption.toList traced.Output.Output.Array
                yield! traced.Output.Kept
            ]
        )

    /// A gradient in the form of what it is the gradient in. The array of another form is returned.
    let private inFormOf (output: Inputs<'T>) (gradient: Inputs<'T>) : Inputs<'T> =
        let next = Inputs.inFormOf output gradient

        if not (obj.ReferenceEquals(next, gradient)) then
            gradient.Array |> ValueOption.iter ArrayReuse.Return

        next

    /// The result of `finish` for each layer's parameters and gradient, by the chain rule: from the last layer
    /// down, each layer turns the gradient in its output into the gradient in its input.
    let rec private backpropagate
        (finish: LayerParameters<'T> -> LayerGradient<'T> -> LayerParameters<'T>)
        (samples: Inputs<'T>)
        (layers: LayerTrace<'T> list)
        (upstream: Inputs<'T>)
        (finished: LayerParameters<'T> list)
        : struct (LayerParameters<'T> list * Inputs<'T> voption) =
        match layers with
        | layer :: below ->
            let upstream = inFormOf layer.Output.Output upstream
            let gradient = layer.Output.Backward upstream

            let finished =
                if not layer.Place.Parameters.IsEmpty then
                    finish layer.Parameters gradient.Parameters :: finished
                else
                    finished

            let input =
                match below with
                | lower :: _ -> lower.Output.Output
                | [] -> samples

            release layer input upstream gradient

            match gradient.Inputs with
            | ValueSome next -> backpropagate finish samples below next finished
            | ValueNone when layer.Place.NeedsInputGradient ->
                invalidOp (
                    invariant $"{layer.Place.Layer}: expected a gradient in the inputs, found none"
                )
            | ValueNone -> struct (finished, ValueNone)
        | [] -> struct (finished, ValueSome upstream)

    /// The result of `finish` for each layer's parameters and gradient, from the input's side, and the gradient in the samples
    /// where the first layer gives one.
    let backward
        (finish: LayerParameters<'T> -> LayerGradient<'T> -> LayerParameters<'T>)
        (samples: Inputs<'T>)
        (traced: LayerTrace<'T> list)
        (upstream: Inputs<'T>)
        : struct (LayerParameters<'T> list * Inputs<'T> voption) =
        backpropagate finish samples traced upstream []
