namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open System.Text.Json
open Pipeline.Learning.Formats

/// A network with its preprocessing and the names of its outputs.
type Model<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The network.
    Network: Network<'T>
    /// How samples become inputs.
    Preprocessing: Preprocessing
    /// The classes' names; none where they have numbers for names, or the outputs are numbers.
    Classes: string list
    /// When a class is answered; nothing for the most probable class.
    Decision: Decision voption
    /// The margins of sets of classes or of intervals; nothing for none.
    Conformal: Conformal voption
    /// How the inputs and the answers were distributed in training; nothing if that is not known.
    Statistics: TrainingStatistics voption
    /// Whatever else a file says: where the model comes from.
    Notes: (string * string) list
}

/// <summary>Models as tensors W1, b1, W2, b2, … in the book's shapes, weights (inputs, outputs) and biases
/// (outputs), with metadata. Normalised layers become the plain ones that do the same.</summary>
/// <remarks>Read are PyTorch's names and shapes besides: <c>0.weight</c> (outputs, inputs) and
/// <c>0.bias</c>, the layers in the order of the numbers in their names.</remarks>
[<RequireQualifiedAccess>]
module Model =
    let private separator = ","

    /// The hidden layers' activations.
    let private activationsName = "activations"

    let private headName = "head"
    let private preprocessingName = "preprocessing"
    let private classesName = "classes"
    let private decisionName = "decision"
    let private conformalName = "conformal"
    let private statisticsName = "statistics"

    /// The names of all layers, and the shape of a sample, of a model that is not dense layers with
    /// activations between them.
    let private layersName = "layers"

    let private shapeName = "shape"

    /// The metadata's entries that a model itself makes.
    let private ownNames = [
        activationsName
        layersName
        shapeName
        headName
        preprocessingName
        classesName
        decisionName
        conformalName
        statisticsName
    ]

    let private jsonList (texts: string list) : string =
        Preprocessing.json (fun json ->
            json.WriteStartArray()

            for text in texts do
                json.WriteStringValue text

            json.WriteEndArray())

    /// <summary>A network alone as a model.</summary>
    [<CompiledName("OfNetwork")>]
    let ofNetwork (network: Network<'T>) : Model<'T> = {
        Network = network
        Preprocessing = Preprocessing.Numbers
        Classes = []
        Decision = ValueNone
        Conformal = ValueNone
        Statistics = ValueNone
        Notes = []
    }

    /// <summary>The name of an output: its class's name, or its number.</summary>
    /// <param name="model">The model.</param>
    /// <param name="output">The output, counted from 0.</param>
    [<CompiledName("ClassName")>]
    let className (model: Model<'T>) (output: int) : string =
        match List.tryItem output model.Classes with
        | Some name -> name
        | None -> string output

    let private decisionJson (model: Model<'T>) (decision: Decision) : string =
        Preprocessing.json (fun json ->
            json.WriteStartObject()
            json.WriteString("class", className model decision.Class)
            json.WriteNumber("threshold", decision.Threshold)
            json.WriteEndObject())

    let private conformalJson (conformal: Conformal) : string =
        Preprocessing.json (fun json ->
            json.WriteStartObject()
            json.WriteNumber("coverage", conformal.Coverage)
            json.WriteStartArray "margins"

            for margin in conformal.Margins do
                json.WriteNumberValue margin

            json.WriteEndArray()
            json.WriteEndObject())

    /// <summary>A model's tensors and metadata.</summary>
    /// <exception cref="T:System.ArgumentException">A note has the name of something that the model
    /// itself says.</exception>
    [<CompiledName("ToTensors")>]
    let toTensors (model: Model<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : TensorFile =
        for name, _ in model.Notes do
            if List.contains name ownNames then
                let own = String.concat ", " ownNames
                invalidArg (nameof model) $"expected notes of names other than {own}, found {name}"

        let network = ForwardPass.folded model.Network

        {
            Metadata = [
                match Layers.hiddenActivations network.Architecture.Layers with
                | ValueSome activations ->
                    activationsName, activations |> List.map string |> String.concat separator
                | ValueNone ->
                    layersName, jsonList (network.Architecture.Layers |> List.map _.Name)
                    shapeName, string network.Architecture.Shape
                headName, string network.Architecture.Head
                preprocessingName, Preprocessing.toJson model.Preprocessing
                classesName, jsonList model.Classes
                match model.Decision with
                | ValueSome decision -> decisionName, decisionJson model decision
                | ValueNone -> ()
                match model.Conformal with
                | ValueSome conformal -> conformalName, conformalJson conformal
                | ValueNone -> ()
                match model.Statistics with
                | ValueSome statistics -> statisticsName, TrainingStatistics.toJson statistics
                | ValueNone -> ()
                yield! model.Notes
            ]
            Tensors =
                ParameterTensors.ofParameters "" network.Parameters
                @ ParameterTensors.ofRunning "" network
        }

    /// An option that contradicts the file.
    let private contradiction (option: string) (own: string) (assumed: string) : Fault =
        Fault.create option $"{own}, as in the file, or no --{option}" assumed

    /// The head: the file's own, else what is assumed.
    let private head
        (assumed: ModelDefaults)
        (outputs: int)
        (file: TensorFile)
        : Result<Head, Fault list> =
        match ParameterTensors.metadata headName file, assumed.Head with
        | ValueSome name, assumed ->
            Head.parse name
            |> Result.bind (fun own ->
                match assumed with
                | ValueSome other when other <> own ->
                    Error [ contradiction "head" (string own) (string other) ]
                | _ -> Ok own)
        | ValueNone, ValueSome head -> Ok head
        | ValueNone, ValueNone when outputs = 1 ->
            Error [
                Fault.message
                    "head"
                    "must be given by --head (Sigmoid or Identity), because the network has one output"
            ]
        | ValueNone, ValueNone -> Ok Head.Softmax

    /// The activation of each hidden layer: the file's own, else what is assumed.
    let private activations
        (assumed: ModelDefaults)
        (hidden: int)
        (file: TensorFile)
        : Result<Activation list, Fault list> =
        let counted =
            Counted.text "activation in the metadata" "activations in the metadata" (int64 hidden)

        match ParameterTensors.metadata activationsName file, assumed.Activation with
        | ValueSome text, assumed ->
            let names = if text = "" then [||] else text.Split separator

            if names.Length <> hidden then
                Error [ Fault.create "" counted $"'{text}'" ]
            else
                names
                |> List.ofArray
                |> List.map Activation.parse
                |> Fault.all
                |> Result.bind (fun own ->
                    match assumed with
                    | ValueSome other when own |> List.exists ((<>) other) ->
                        Error [ contradiction "activation" text (string other) ]
                    | _ -> Ok own)
        | ValueNone, ValueSome activation -> Ok(List.replicate hidden activation)
        | ValueNone, ValueNone when hidden = 0 -> Ok []
        | ValueNone, ValueNone ->
            Error [ Fault.message "" $"needs {counted}, or the activation given by --activation" ]

    let private network
        (assumed: ModelDefaults)
        (file: TensorFile)
        (layers: TensorLayout.FoundLayer list)
        : Result<Network<'T>, Fault list> =
        if layers |> List.exists (fun layer -> layer.Weights.Shape.Length <> 2) then
            let shapes =
                layers
                |> List.map (fun layer -> Tensor.shapeText layer.Weights.Shape)
                |> String.concat ", "

            Error [
                Fault.create
                    ""
                    "weights of two dimensions, or the layers given by --architecture"
                    shapes
            ]
        else
            let sizes =
                layers
                |> List.map (fun layer ->
                    match layer.IsOutputsFirst, layer.Weights.Shape with
                    | true, [ outputs; inputs ]
                    | false, [ inputs; outputs ] -> inputs, outputs
                    | _ -> 0, 0)

            Fault.both
                (head assumed (snd (List.last sizes)) file)
                (activations assumed (layers.Length - 1) file)
            |> Result.bind (fun (head, activations) ->
                let hidden =
                    List.map2
                        (fun activation (_, width) -> {
                            Width = width
                            Normalised = false
                            Activation = activation
                            Dropout = 0.0
                        })
                        activations
                        (List.take activations.Length sizes)

                Architecture.ofHidden head (fst sizes.Head) hidden (snd (List.last sizes))
                |> Result.mapError (List.map (Fault.within "the shapes of the weights")))
            |> Result.bind (fun architecture ->
                let layer
                    (found: TensorLayout.FoundLayer)
                    (inputs, outputs)
                    : Result<LayerParameters<'T>, Fault list> =
                    let shape =
                        if found.IsOutputsFirst then
                            [ outputs; inputs ]
                        else
                            [ inputs; outputs ]

                    Fault.both
                        (ParameterTensors.finite file found.Weights.Name shape)
                        (ParameterTensors.finite file found.Biases [ outputs ])
                    |> Result.map (fun (weights, biases) ->
                        LayerParameters.dense
                            (if found.IsOutputsFirst then
                                 TensorLayout.ofOutputsFirst outputs inputs weights
                             else
                                 Kernels.matrix outputs inputs weights)
                            (Kernels.vector biases))

                List.map2 layer layers (List.pairwise architecture.Sizes)
                |> Fault.all
                |> Result.map (fun layers -> {
                    Architecture = architecture
                    Parameters = { Layers = layers }
                    Running = []
                }))

    let private parseTexts (json: JsonElement) : string list option =
        Some [
            for name in json.EnumerateArray() ->
                match name.GetString() with
                | null -> raise (FormatException())
                | name -> name
        ]

    let private listOf (name: string) (json: string) : Result<string list, Fault list> =
        match Preprocessing.ofJsonWith parseTexts json with
        | Some texts -> Ok texts
        | None -> Error [ Fault.create name "a JSON list of texts" "something else" ]

    let private parseDecision (json: JsonElement) : struct (string * float) option =
        match json.GetProperty("class").GetString() with
        | null -> None
        | name -> Some(struct (name, json.GetProperty("threshold").GetDouble()))

    /// The decision that the metadata give for classes of these names.
    let private decision
        (names: string list)
        (file: TensorFile)
        : Result<Decision voption, Fault list> =
        match ParameterTensors.metadata decisionName file with
        | ValueNone -> Ok ValueNone
        | ValueSome json ->
            match Preprocessing.ofJsonWith parseDecision json with
            | Some(struct (name, threshold)) when
                List.contains name names && threshold >= 0.0 && threshold <= 1.0
                ->
                Ok(
                    ValueSome {
                        Class = List.findIndex ((=) name) names
                        Threshold = threshold
                    }
                )
            | _ ->
                Error [
                    Fault.create
                        decisionName
                        "one of the classes and a threshold of 0 to 1"
                        $"'{json}'"
                ]

    let private parseConformal (json: JsonElement) : Conformal option =
        Some {
            Coverage = json.GetProperty("coverage").GetDouble()
            Margins = [
                for margin in json.GetProperty("margins").EnumerateArray() -> margin.GetDouble()
            ]
        }

    /// The margins that the metadata give for a network.
    let private conformal
        (architecture: Architecture)
        (file: TensorFile)
        : Result<Conformal voption, Fault list> =
        let margins =
            match architecture.Head with
            | Head.Identity -> architecture.Outputs
            | _ -> 1

        match ParameterTensors.metadata conformalName file with
        | ValueNone -> Ok ValueNone
        | ValueSome json ->
            match Preprocessing.ofJsonWith parseConformal json with
            | Some conformal when
                conformal.Coverage > 0.0
                && conformal.Coverage < 1.0
                && conformal.Margins.Length = margins
                && conformal.Margins
                   |> List.forall (fun margin -> Double.IsFinite margin && margin >= 0.0)
                ->
                Ok(ValueSome conformal)
            | _ ->
                Error [
                    Fault.create
                        conformalName
                        $"""a coverage between 0 and 1 and {Counted.text "margin" "margins" (int64 margins)} of 0 or greater"""
                        $"'{json}'"
                ]

    /// The names of the classes that a model answers; nothing if it predicts numbers.
    let private answered (head: Head) (classes: string list) (outputs: int) : string list voption =
        if outputs = 1 || head = Head.Identity && classes.IsEmpty then
            ValueNone
        elif classes.IsEmpty then
            ValueSome(List.init outputs string)
        else
            ValueSome classes

    /// <summary>The model with statistics of training.</summary>
    /// <param name="inputs">The statistics of the inputs: <c>Drift.ofTable</c> or <c>Drift.ofSamples</c>.</param>
    /// <param name="data">Samples that the network did not learn from, so that it answers them as new ones; the
    /// statistics of its answers are made of 2,000 of them or fewer.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    [<CompiledName("WithStatistics")>]
    let withStatistics
        (inputs: WatchedFeature seq)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (model: Model<'T>)
        : Model<'T> =
        let architecture = model.Network.Architecture
        let classes = answered architecture.Head model.Classes architecture.Outputs

        {
            model with
                Statistics =
                    ValueSome {
                        Inputs = List.ofSeq inputs
                        Answers =
                            TrainingStatistics.ofAnswers classes model.Decision model.Network data
                    }
        }

    /// The statistics of training that the metadata give for a model.
    let private statistics
        (preprocessing: Preprocessing)
        (classes: string list)
        (architecture: Architecture)
        (file: TensorFile)
        : Result<TrainingStatistics voption, Fault list> =
        match ParameterTensors.metadata statisticsName file with
        | ValueNone -> Ok ValueNone
        | ValueSome json ->
            let answers = answered architecture.Head classes architecture.Outputs

            match
                TrainingStatistics.ofJson
                    preprocessing
                    answers
                    architecture.Inputs
                    architecture.Outputs
                    json
            with
            | Some statistics -> Ok(ValueSome statistics)
            | None ->
                Error [
                    Fault.create
                        statisticsName
                        "JSON of the model's inputs and answers, each with its limits and counts"
                        "something else"
                ]

    /// <summary>The shape of a sample in a text, or what is wrong with it.</summary>
    /// <param name="text"><c>784</c>, or <c>1x28x28</c>: channels, rows and columns.</param>
    [<CompiledName("ParseShape")>]
    let parseShape (text: string) : Result<Shape, Fault list> =
        let numbers =
            text.Split 'x'
            |> List.ofArray
            |> List.map (fun number ->
                match Int32.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture) with
                | true, number when number >= 1 -> ValueSome number
                | _ -> ValueNone)

        match numbers with
        | [ ValueSome size ] -> Ok(Shape.Vector size)
        | [ ValueSome channels; ValueSome rows; ValueSome columns ] when
            Shape.Image(channels, rows, columns).IsPossible
            ->
            Ok(Shape.Image(channels, rows, columns))
        | _ -> Error [ Fault.create shapeName "a shape as 784 or 1x28x28" $"'{text}'" ]

    /// The architecture of some layers by their names over samples of a shape.
    let private architectureOf
        (own: Layer list)
        (assumed: ModelDefaults)
        (file: TensorFile)
        (shape: Result<Shape, Fault list>)
        (names: Result<string list, Fault list>)
        : Result<Architecture, Fault list> =
        Fault.both shape (names |> Result.bind (LayerKinds.parse own))
        |> Result.bind (fun (shape, layers) ->
            // The outputs decide what head may be assumed: one of a valid head has any number.
            Architecture.create Head.Identity shape layers
            |> Result.bind (fun architecture -> head assumed architecture.Outputs file)
            |> Result.bind (fun head -> Architecture.create head shape layers))

    /// Faults of options that are given though they cannot be.
    let private unneeded
        (why: string)
        (options: (string * string list) list)
        : Result<unit, Fault list> =
        Fault.check
            [
                for option, given in options do
                    given.IsEmpty,
                    Fault.message
                        option
                        (invariant
                            $"""cannot be given, because {why} (found {String.concat ", " given})""")
            ]
            ignore

    let private given (value: 'V voption) : string list = [
        match value with
        | ValueSome value -> string (box value)
        | ValueNone -> ()
    ]

    /// A network whose file has its tensors under the names of their layers.
    let private named
        (file: TensorFile)
        (architecture: Architecture)
        : Result<Network<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        ParameterTensors.network (ParameterTensors.finite file) "" architecture
        |> Result.bind (fun network ->
            let known =
                ParameterTensors.ofParameters "" network.Parameters
                @ ParameterTensors.ofRunning "" network
                |> List.map _.Name
                |> Set.ofList

            Fault.check
                [
                    for tensor in file.Tensors do
                        known.Contains tensor.Name || Tensor.count tensor = 0,
                        Fault.message tensor.Name "is not a tensor of the layers"
                ]
                (fun () -> network))

    /// A network whose file names its layers.
    let private layered
        (own: Layer list)
        (assumed: ModelDefaults)
        (file: TensorFile)
        (names: string)
        : Result<Network<'T>, Fault list> =
        let shape =
            match ParameterTensors.metadata shapeName file with
            | ValueSome text -> parseShape text
            | ValueNone -> Error [ Fault.message shapeName "is missing" ]

        Fault.both
            (architectureOf own assumed file shape (listOf layersName names))
            (unneeded "the file names its layers" [
                "activation", given assumed.Activation
                "layers", assumed.Layers
                "architecture", assumed.Architecture
                "shape", given assumed.Shape
            ])
        |> Result.mapError (List.map (Fault.within "the metadata"))
        |> Result.bind (fun (architecture, ()) -> named file architecture)

    /// A network whose layers are assumed.
    let private assumedLayers
        (own: Layer list)
        (assumed: ModelDefaults)
        (file: TensorFile)
        : Result<Network<'T>, Fault list> =
        let shape =
            match assumed.Shape with
            | ValueSome shape -> Ok shape
            | ValueNone ->
                Error [
                    Fault.message
                        "shape"
                        "must be given by --shape, such as 784 or 1x28x28, because the file does not contain it"
                ]

        Fault.both
            (architectureOf own assumed file shape (Ok assumed.Architecture)
             |> Result.mapError (
                 List.map (fun fault ->
                     if fault.Subject = "head" || fault.Subject = "shape" then
                         fault
                     else
                         Fault.within "architecture" fault)
             ))
            (unneeded "the architecture tells it" [ "activation", given assumed.Activation ])
        |> Result.bind (fun (architecture, ()) ->
            if (TensorLayout.torchNames file.Tensors).IsEmpty then
                unneeded "the names of the tensors are in order" [ "layers", assumed.Layers ]
                |> Result.bind (fun () -> named file architecture)
            else
                TorchLayers.network assumed.Layers architecture file)

    /// Dense layers with activations between them.
    let private denseLayers
        (assumed: ModelDefaults)
        (file: TensorFile)
        : Result<Network<'T>, Fault list> =
        unneeded "it belongs to --architecture" [ "shape", given assumed.Shape ]
        |> Result.bind (fun () -> TensorLayout.find assumed file.Tensors)
        |> Result.bind (network assumed file)

    let private repeated (names: string list) : string list =
        names
        |> List.countBy id
        |> List.filter (fun (_, count) -> count > 1)
        |> List.map fst

    /// <summary>The model that tensors and metadata make, or what is wrong with them.</summary>
    /// <param name="layers">Layers of your own that the model may have, recognised by their names.</param>
    /// <param name="defaults">What is assumed where the file says nothing; a file that says something else is a
    /// fault.</param>
    /// <param name="file">Tensors of the precision asked for, all of them finite, under the book's names or
    /// PyTorch's, and no others but such without numbers.</param>
    [<CompiledName("OfTensorsWithLayers")>]
    let ofTensorsWithLayers
        (layers: Layer list)
        (defaults: ModelDefaults)
        (file: TensorFile)
        : Result<Model<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let preprocessing =
            match ParameterTensors.metadata preprocessingName file with
            | ValueSome json -> Preprocessing.ofJson json
            | ValueNone -> Ok Preprocessing.Numbers

        let classes =
            match ParameterTensors.metadata classesName file with
            | ValueNone -> Ok []
            | ValueSome json -> listOf classesName json

        let network =
            match
                repeated (file.Tensors |> List.map _.Name),
                ParameterTensors.metadata layersName file
            with
            | [], ValueSome names -> layered layers defaults file names
            | [], ValueNone when defaults.Architecture.IsEmpty -> denseLayers defaults file
            | [], ValueNone ->
                match ParameterTensors.metadata activationsName file with
                | ValueSome _ ->
                    unneeded "the file contains the activations of dense layers" [
                        "architecture", defaults.Architecture
                    ]
                    |> Result.bind (fun () -> denseLayers defaults file)
                | ValueNone -> assumedLayers layers defaults file
            | names, _ ->
                names
                |> List.map (fun name -> Fault.message name "is the name of several tensors")
                |> Error

        network
        |> Fault.both (Fault.both preprocessing classes)
        |> Result.bind (fun ((preprocessing, classes), network) ->
            let inputs, outputs = network.Architecture.Inputs, network.Architecture.Outputs
            let features = Preprocessing.features preprocessing

            Fault.check
                [
                    features.IsNone || features = ValueSome inputs,
                    Fault.create
                        "preprocessing"
                        $"""{Counted.text "input" "inputs" (int64 inputs)}, like the network"""
                        (string (ValueOption.defaultValue 0 features))
                    (match preprocessing, network.Architecture.Shape.ImageSize with
                     | Preprocessing.Pixels size, ValueSome shape when size.Count = inputs ->
                         size = shape
                     | _ -> true),
                    Fault.create
                        "preprocessing"
                        (invariant
                            $"images of the shape {network.Architecture.Shape}, like the network")
                        "another size"
                    classes.IsEmpty || classes.Length = outputs,
                    Fault.create
                        "classes"
                        $"""{Counted.text "name" "names" (int64 outputs)}, one for each output"""
                        (string classes.Length)
                    (repeated classes).IsEmpty,
                    Fault.create
                        "classes"
                        "different names"
                        (repeated classes
                         |> List.map (fun name -> $"'{name}' more than once")
                         |> String.concat ", ")
                ]
                ignore
            |> Result.bind (fun () ->
                let names =
                    if classes.IsEmpty then
                        List.init outputs string
                    else
                        classes

                Fault.both (decision names file) (conformal network.Architecture file)
                |> Fault.both (statistics preprocessing classes network.Architecture file))
            |> Result.map (fun (statistics, (decision, conformal)) -> {
                Network = network
                Preprocessing = preprocessing
                Classes = classes
                Decision = decision
                Conformal = conformal
                Statistics = statistics
                Notes =
                    file.Metadata
                    |> List.filter (fun (name, _) -> not (List.contains name ownNames))
            }))

    /// <summary>The model that tensors and metadata make, or what is wrong with them.</summary>
    /// <param name="defaults">What is assumed where the file says nothing; a file that says something else is a
    /// fault.</param>
    /// <param name="file">Tensors of the precision asked for, all of them finite.</param>
    [<CompiledName("OfTensors")>]
    let ofTensors
        (defaults: ModelDefaults)
        (file: TensorFile)
        : Result<Model<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        ofTensorsWithLayers [] defaults file
