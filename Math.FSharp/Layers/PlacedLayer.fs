namespace Pipeline.Learning

/// A layer at its place in an architecture.
type internal PlacedLayer = {
    Layer: Layer
    /// The shape of its input.
    Input: Shape
    /// The shape of its output.
    Output: Shape
    Parameters: ParameterShapes
    Running: ParameterShapes
    /// How many layers below have a matrix.
    MatrixLayersBelow: int
    /// How many layers below draw random numbers.
    RandomStream: int
    /// Whether a layer below has parameters.
    NeedsInputGradient: bool
} with

    /// How many layers up to this one have a matrix: the number in the names of its tensors.
    member place.Number =
        if place.Parameters.MatrixShapes.IsEmpty then
            place.MatrixLayersBelow
        else
            place.MatrixLayersBelow + 1

/// Layers one above the other.
[<RequireQualifiedAccess>]
module internal PlacedLayers =
    /// A layer that shifts its output leaves nothing to do for biases below.
    let private withoutNeedlessBiases (layers: Layer list) : Layer list =
        List.zip layers (List.tail (List.map ValueSome layers) @ [ ValueNone ])
        |> List.map (fun (layer, above) ->
            match layer, above with
            | Affine affine, ValueSome(ScaleAndShift _) -> affine.WithoutBiases
            | _ -> layer)

    /// The layers from `place` on, each at its place.
    let rec private placeAll
        (place: PlacedLayer)
        (position: int)
        (layers: Layer list)
        : Result<PlacedLayer list, Fault list> =
        match layers with
        | [] -> Ok []
        | layer :: rest ->
            match layer.OutputShape place.Output with
            | Error faults ->
                faults |> List.map (Fault.within (invariant $"Layers:{position}")) |> Error
            | Ok output ->
                let placed = {
                    Layer = layer
                    Input = place.Output
                    Output = output
                    Parameters = layer.Parameters place.Output
                    Running = layer.Running place.Output
                    MatrixLayersBelow = place.Number
                    RandomStream =
                        place.RandomStream + if place.Layer.DrawsRandomNumbers then 1 else 0
                    NeedsInputGradient = place.NeedsInputGradient || not place.Parameters.IsEmpty
                }

                placeAll placed (position + 1) rest |> Result.map (fun rest -> placed :: rest)

    /// The place below the first layer.
    let private samples (shape: Shape) : PlacedLayer = {
        Layer = ActivationLayer Activation.Identity
        Input = shape
        Output = shape
        Parameters = ParameterShapes.None
        Running = ParameterShapes.None
        MatrixLayersBelow = 0
        RandomStream = 0
        NeedsInputGradient = false
    }

    /// The layers at their places over samples of a shape, or the faults of the first one that does not fit, with its
    /// position from 0.
    let place (shape: Shape) (layers: Layer list) : Result<PlacedLayer list, Fault list> =
        placeAll (samples shape) 0 (withoutNeedlessBiases layers)
