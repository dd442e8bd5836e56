namespace Pipeline.Learning

/// Layers that draw random numbers in training.
[<RequireQualifiedAccess>]
module internal RandomLayers =
    /// Layers with the same parameters that draw no random numbers: in the place of each that does is the
    /// identity, so that what the layers around it have depends on the same neighbours.
    let without (layers: Layer list) : Layer list =
        layers
        |> List.map (fun layer ->
            match layer with
            | _ when not layer.DrawsRandomNumbers -> layer
            | Block block -> block.WithoutRandomLayers
            | _ -> ActivationLayer Activation.Identity)
