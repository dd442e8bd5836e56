namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// An architecture with parameters.
type Network<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The layers and the head.
    Architecture: Architecture
    /// The layers' parameters.
    Parameters: Parameters<'T>
    /// The running statistics of the layers that keep some, from the input's side.
    Running: LayerParameters<'T> list
}

/// The layers of a network one after the other.
[<RequireQualifiedAccess>]
module internal ForwardPass =
    /// Each layer with its parameters and its running statistics. Throws an ArgumentException where they do not have the
    /// layer's shapes: loops over them check no index.
    let layers
        (network: Network<'T>)
        : struct (PlacedLayer * LayerParameters<'T> * LayerParameters<'T>) list =
        let expected = network.Architecture.ParameterShapes.Length

        if network.Parameters.Layers.Length <> expected then
            invalidArg
                (nameof network)
                (invariant
                    $"expected parameters of {expected} layers, found {network.Parameters.Layers.Length}")

        let rec place (places: PlacedLayer list) parameters running =
            match places with
            | [] -> []
            | each :: above ->
                let struct (own, parameters) =
                    LayerChain.take LayerParameters.none each.Parameters parameters

                let struct (ownRunning, running) =
                    LayerChain.take LayerParameters.none each.Running running

                LayerParameters.requireShapes (nameof network) each.Layer.Name each.Parameters own

                LayerParameters.requireShapes
                    (nameof network)
                    each.Layer.Name
                    each.Running
                    ownRunning

                struct (each, own, ownRunning) :: place above parameters running

        place network.Architecture.Places network.Parameters.Layers network.Running

    /// A network that gives the same in evaluation with fewer layers: normalised layers have become plain
    /// ones.
    let folded (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : Network<'T> =
        let architecture = Architecture.folded network.Architecture

        if obj.ReferenceEquals(architecture, network.Architecture) then
            network
        else
            // The layers so far, the last one first.
            let fold below (struct (place: PlacedLayer, parameters, running)) =
                match place.Layer, below with
                | OnlyInTraining _, _ -> below
                | ScaleAndShift upper, (struct (Affine lower, weights, _)) :: rest ->
                    let struct (scale, shift) = upper.ScaleAndShift(parameters, running)
                    let struct (layer, weights) = lower.Absorb(scale, shift, weights)
                    (struct (layer, weights, LayerParameters.none)) :: rest
                | layer, _ -> (struct (layer, parameters, running)) :: below

            let layers = layers network |> List.fold fold [] |> List.rev

            let some select =
                layers
                |> List.map select
                |> List.filter (fun (layer: LayerParameters<'T>) ->
                    not (layer.Matrices.IsEmpty && layer.Vectors.IsEmpty))

            {
                Architecture = architecture
                Parameters = {
                    Layers = some (fun (struct (_, parameters, _)) -> parameters)
                }
                Running = some (fun (struct (_, _, running)) -> running)
            }

    /// The forward pass of a network.
    let trace
        (step: TrainingStep voption)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (inputs: Inputs<'T>)
        : LayerTrace<'T> list =
        LayerChain.run step (layers network) inputs

    /// The network with its running statistics after a forward pass.
    let follow (traced: LayerTrace<'T> list) (network: Network<'T>) : Network<'T> =
        if network.Running.IsEmpty then
            network
        else
            {
                network with
                    Running =
                        traced
                        |> List.rev
                        |> List.filter (fun traced -> not traced.Place.Running.IsEmpty)
                        |> List.map _.Output.Running
            }

    /// The same from the mini-batch itself.
    let followed (step: TrainingStep) (network: Network<'T>) (batch: MiniBatch<'T>) : Network<'T> =
        if network.Running.IsEmpty then
            network
        else
            follow (trace (ValueSome step) network batch.FirstInputs) network
