namespace Pipeline.Learning

open System

/// A dense hidden layer with an activation, in short.
type HiddenLayer = {
    /// The number of units, 1 to 65,536.
    Width: int
    /// Whether batch normalisation comes before the activation.
    Normalised: bool
    /// The units' activation function.
    Activation: Activation
    /// The fraction of units that a step of training leaves out, 0 or more, less than 1.
    Dropout: float
}

/// Layers under a head. The chapter's network has 784 inputs, a dense layer of 50 units with sigmoid, a dense layer
/// of 10 outputs, and softmax as its head.
type Architecture = private {
    shape: Shape
    layers: Layer list
    /// <exclude/>
    places: PlacedLayer list
    parameterShapes: ParameterShapes list
    runningShapes: ParameterShapes list
    head: Head
} with

    /// The shape of a sample.
    member architecture.Shape = architecture.shape
    /// The number of numbers in a sample.
    member architecture.Inputs = architecture.shape.Size
    /// The layers, from the input's side.
    member architecture.Layers = architecture.layers
    member internal architecture.Places = architecture.places

    /// The number of classes, or of numbers to predict.
    member architecture.Outputs = (List.last architecture.places).Output.Size

    /// What the outputs mean.
    member architecture.Head = architecture.head

    /// The number of inputs, and of the outputs of each layer with a matrix: [784; 50; 10].
    member architecture.Sizes = [
        architecture.Inputs
        for place in architecture.places do
            if not place.Parameters.MatrixShapes.IsEmpty then
                place.Output.Size
    ]

    /// The most numbers that a layer has for a sample.
    member internal architecture.Widest =
        (architecture.Inputs, architecture.places)
        ||> List.fold (fun widest place -> max widest place.Output.Size)

    /// The parameters of each layer that has parameters.
    member internal architecture.ParameterShapes = architecture.parameterShapes

    /// The running statistics of each layer that keeps some.
    member internal architecture.RunningShapes = architecture.runningShapes

    /// Whether a layer keeps running statistics: batch normalisation does, which takes two samples or more.
    member architecture.HasRunningStatistics = not architecture.RunningShapes.IsEmpty

    /// The number of parameters.
    member architecture.ParameterCount =
        architecture.places |> List.sumBy _.Parameters.Count

    /// Whether a step of training sees another function than evaluation does.
    member internal architecture.DiffersInTraining =
        architecture.layers |> List.exists _.DiffersInTraining

    /// The sizes: 784-50-10.
    override architecture.ToString() =
        architecture.Sizes |> List.map string |> String.concat "-"

/// Making architectures.
[<RequireQualifiedAccess>]
module Architecture =
    /// The most outputs of a layer.
    [<Literal>]
    let internal MaximumWidth = DenseLimits.MaximumOutputs

    let private fewestOutputs (head: Head) = if head = Head.Softmax then 2 else 1

    /// <summary>The architecture of these layers, or what is wrong with them.</summary>
    /// <param name="head">What the outputs mean.</param>
    /// <param name="shape">The shape of a sample, 1 number or more.</param>
    /// <param name="layers">The layers from the input's side. The last one gives the outputs: 1 or more; under
    /// softmax 2 or more, one for each class.</param>
    /// <returns>The architecture; or a fault of the first layer that does not fit those below, with its position
    /// from 0.</returns>
    /// <remarks>A dense layer directly below batch normalisation has no biases.</remarks>
    [<CompiledName("Create")>]
    let create (head: Head) (shape: Shape) (layers: Layer list) : Result<Architecture, Fault list> =
        let fewest = fewestOutputs head
        let some = List.filter (fun (shapes: ParameterShapes) -> not shapes.IsEmpty)

        Fault.check
            [
                shape.IsPossible,
                Fault.create
                    "Inputs"
                    (invariant $"1 to {Array.MaxLength} numbers, 1 or more along each dimension")
                    (string shape)
                not layers.IsEmpty, Fault.create "Layers" "one layer or more" "none"
            ]
            ignore
        |> Result.bind (fun () -> PlacedLayers.place shape layers)
        |> Result.bind (fun places ->
            let outputs = (List.last places).Output.Size

            Fault.check
                [
                    outputs >= fewest,
                    Fault.create
                        (invariant $"Layers:{layers.Length - 1}")
                        (invariant $"{fewest} outputs or more under {head}")
                        (string outputs)
                ]
                (fun () -> {
                    shape = shape
                    layers = layers
                    places = places
                    parameterShapes = places |> List.map _.Parameters |> some
                    runningShapes = places |> List.map _.Running |> some
                    head = head
                }))

    /// <summary>The architecture of a layer with others above it, or what is wrong with them.</summary>
    /// <param name="first">The first layer.</param>
    /// <param name="inputs">The number of numbers in a sample.</param>
    /// <param name="above">The architecture of the other layers, given the number of their inputs.</param>
    [<CompiledName("Above")>]
    let above
        (first: Layer)
        (inputs: int)
        (above: int -> Result<Architecture, Fault list>)
        : Result<Architecture, Fault list> =
        first.OutputShape(Shape.Vector inputs)
        |> Result.bind (fun shape -> above shape.Size)
        |> Result.bind (fun upper ->
            create upper.head (Shape.Vector inputs) (first :: upper.layers))

    /// <summary>The architecture of dense layers, or what is wrong with their sizes.</summary>
    /// <param name="head">What the outputs mean.</param>
    /// <param name="inputs">The number of numbers in a sample, 1 or more.</param>
    /// <param name="hidden">The hidden layers, each 1 to 65,536 wide; none makes softmax regression.</param>
    /// <param name="outputs">The number of outputs, 1 or more; under softmax 2 or more, one for each class.</param>
    [<CompiledName("OfHidden")>]
    let ofHidden
        (head: Head)
        (inputs: int)
        (hidden: HiddenLayer list)
        (outputs: int)
        : Result<Architecture, Fault list> =
        let fewest = fewestOutputs head
        let widths = hidden |> List.map _.Width
        let isWidth width = width >= 1 && width <= MaximumWidth

        Fault.check
            [
                inputs >= 1, Fault.create "Inputs" "1 or more" (string inputs)
                outputs >= fewest && outputs <= MaximumWidth,
                Fault.create "Classes" (invariant $"{fewest} to {MaximumWidth}") (string outputs)
                for width in widths do
                    isWidth width,
                    Fault.create
                        "Hidden"
                        (invariant $"widths of 1 to {MaximumWidth} units")
                        (string width)
                for layer in hidden do
                    NumberRange.check "Dropout" NumberRange.share layer.Dropout
                for below, above in List.pairwise [ inputs; yield! widths; outputs ] do
                    // A width out of range is reported above.
                    not (List.forall isWidth (outputs :: widths))
                    || int64 below * int64 above <= int64 Array.MaxLength,
                    Fault.create
                        "Hidden"
                        (invariant $"layers of at most {Array.MaxLength} weights")
                        (invariant $"one of {below} × {above}")
            ]
            (fun () -> [
                for layer in hidden do
                    Layers.dense layer.Width

                    if layer.Normalised then
                        Layers.batchNormalisation

                    Layers.activation layer.Activation

                    if layer.Dropout <> 0.0 then
                        Layers.dropout layer.Dropout
                Layers.dense outputs
            ])
        |> Result.bind (create head (Shape.Vector inputs))

    /// <summary>Dense layers under softmax, with one activation for all hidden layers.</summary>
    /// <param name="activation">The hidden layers' activation.</param>
    /// <param name="sizes">Inputs, hidden widths, classes: [784; 50; 10] is the chapter's.</param>
    /// <exception cref="T:System.ArgumentException">There are fewer than two sizes, or one is out of
    /// range.</exception>
    [<CompiledName("Dense")>]
    let dense (activation: Activation) (sizes: int list) : Architecture =
        match sizes with
        | inputs :: (_ :: _ as rest) ->
            let widths, classes = List.splitAt (rest.Length - 1) rest

            let hidden =
                widths
                |> List.map (fun width -> {
                    Width = width
                    Normalised = false
                    Activation = activation
                    Dropout = 0.0
                })

            ofHidden Head.Softmax inputs hidden classes[0]
            |> Fault.orInvalidArg (nameof sizes)
        | _ ->
            invalidArg
                (nameof sizes)
                (invariant $"expected two sizes or more, found {sizes.Length}")

    /// The architecture with some of its layers left out.
    let private withLayers (layers: Layer list) (architecture: Architecture) : Architecture =
        if layers = architecture.layers then
            architecture
        else
            (match layers with
             | [] -> [ Layers.activation Activation.Identity ]
             | _ -> layers)
            |> create architecture.head architecture.shape
            |> Fault.orInvalidArg (nameof architecture)

    /// <summary>The architecture without the layers that draw random numbers: without dropout.</summary>
    let internal withoutRandomLayers (architecture: Architecture) : Architecture =
        architecture |> withLayers (RandomLayers.without architecture.layers)

    /// The same function in evaluation with fewer layers: without those that matter in training only, and
    /// without those whose scale and shift the affine layer below takes over.
    let internal folded (architecture: Architecture) : Architecture =
        let layers =
            ([], architecture.layers)
            ||> List.fold (fun below layer ->
                match layer, below with
                | OnlyInTraining _, _
                | ScaleAndShift _, Affine _ :: _ -> below
                | _ -> layer :: below)
            |> List.rev

        withLayers layers architecture

    /// Whether a layer is normalised over the samples of a mini-batch alone, one number of each.
    let internal normalisesSamples (architecture: Architecture) : bool =
        architecture.places
        |> List.exists (fun place ->
            not place.Running.IsEmpty && place.Input.Size = place.Input.Channels)

    /// What follows the names of the running statistics of each layer that keeps some.
    let internal runningSuffixes (architecture: Architecture) : string list =
        architecture.places
        |> List.filter (fun place -> not place.Running.IsEmpty)
        |> List.map (fun place -> place.Number, place.Running.Names)
        |> TensorNames.suffixes
