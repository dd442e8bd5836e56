namespace Pipeline.Learning

open System
open System.Numerics
open System.Text.Json
open System.Text.RegularExpressions

/// A network with what it takes to ask it: how samples enter, and what the outputs are called.
type Model<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The network.
    Network: Network<'T>
    /// What becomes of a sample before it enters.
    Preprocessing: Preprocessing
    /// The classes' names; none where they have numbers for names, or the outputs are numbers.
    Classes: string list
    /// Whatever else a file says: where the model comes from.
    Notes: (string * string) list
}

/// What to take for true of a file that says nothing of it.
type ModelAssumption = {
    /// The hidden layers' activation.
    Activation: Activation voption
    /// The head.
    Head: Head voption
}

/// <summary>Models as tensors W1, b1, W2, b2, … in the book's shapes, weights (inputs, outputs) and biases
/// (outputs), with metadata. Normalised layers become the plain ones that do the same.</summary>
/// <remarks>Read are PyTorch's names and shapes besides: <c>0.weight</c> (outputs, inputs) and
/// <c>0.bias</c>.</remarks>
[<RequireQualifiedAccess>]
module Model =
    let private separator = ","

    /// The hidden layers' activations.
    let private activationsName = "activations"

    let private headName = "head"
    let private preprocessingName = "preprocessing"
    let private classesName = "classes"

    /// The metadata's entries that a model itself makes.
    let private ownNames = [ activationsName; headName; preprocessingName; classesName ]

    /// <summary>Nothing is taken for true that a file does not say, but for a head of
    /// Softmax.</summary>
    [<CompiledName("NoAssumption")>]
    let noAssumption: ModelAssumption = {
        Activation = ValueNone
        Head = ValueNone
    }

    /// <summary>A network alone as a model.</summary>
    [<CompiledName("OfNetwork")>]
    let ofNetwork (network: Network<'T>) : Model<'T> = {
        Network = network
        Preprocessing = Preprocessing.Numbers
        Classes = []
        Notes = []
    }

    /// <summary>A model's tensors and metadata.</summary>
    /// <exception cref="T:System.ArgumentException">A note has the name of something that the model
    /// itself says.</exception>
    [<CompiledName("ToTensors")>]
    let toTensors (model: Model<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : TensorFile =
        for name, _ in model.Notes do
            if List.contains name ownNames then
                let own = String.concat ", " ownNames
                invalidArg (nameof model) $"expected notes of names other than {own}, found {name}"

        let network = Network.folded model.Network

        {
            Metadata = [
                activationsName,
                network.Architecture.Hidden
                |> List.map (fun layer -> string layer.Activation)
                |> String.concat separator
                headName, string network.Architecture.Head
                preprocessingName, Preprocessing.toJson model.Preprocessing
                classesName,
                Preprocessing.json (fun json ->
                    json.WriteStartArray()

                    for name in model.Classes do
                        json.WriteStringValue name

                    json.WriteEndArray())
                yield! model.Notes
            ]
            Tensors = TensorFiles.ofParameters "" network.Parameters
        }

    /// A layer as a file has it: its weights, whether they are (outputs, inputs), and its biases' name.
    type private Found = {
        Weights: Tensor
        IsOutputsFirst: bool
        Biases: string
    }

    /// A name whose numbers sort as numbers.
    let private sortable (name: string) : string =
        Regex.Replace(name, "[0-9]{1,9}", (fun (digits: Match) -> digits.Value.PadLeft(9, '0')))

    let private weightEnd = ".weight"
    let private biasEnd = ".bias"

    /// The layers under either kind of names, from the input's side.
    let private findLayers (tensors: Tensor list) : Result<Found list, Fault list> =
        let named = tensors |> List.map (fun tensor -> tensor.Name, tensor) |> Map.ofList

        let book =
            [ 1 .. tensors.Length ]
            |> List.map (fun i -> i, named.TryFind $"W{i}")
            |> List.takeWhile (snd >> Option.isSome)
            |> List.map (fun (i, weights) -> {
                Weights = weights.Value
                IsOutputsFirst = false
                Biases = $"b{i}"
            })

        let endsWith (ending: string) (tensor: Tensor) =
            tensor.Name.EndsWith(ending, StringComparison.Ordinal)

        let torch =
            tensors
            |> List.filter (endsWith weightEnd)
            |> List.sortWith (fun one other ->
                String.CompareOrdinal(sortable one.Name, sortable other.Name))
            |> List.map (fun weights -> {
                Weights = weights
                IsOutputsFirst = true
                Biases = weights.Name[.. weights.Name.Length - weightEnd.Length - 1] + biasEnd
            })

        match book, torch with
        | [], [] ->
            Error [
                Fault.create
                    ""
                    "tensors W1, b1, W2, b2, … or 0.weight, 0.bias, 2.weight, …"
                    "no W1 and no weight"
            ]
        | [], _ ->
            match
                tensors
                |> List.filter (fun tensor ->
                    not (endsWith weightEnd tensor) && not (endsWith biasEnd tensor))
            with
            | [] -> Ok torch
            | others ->
                others
                |> List.map (fun other ->
                    Fault.create other.Name "weights and biases of dense layers alone" "another")
                |> Error
        | _ -> Ok book

    /// The activation of each hidden layer: the file's own, else what is assumed.
    let private activations
        (assumed: ModelAssumption)
        (hidden: int)
        (file: TensorFile)
        : Result<Activation list, Fault list> =
        match TensorFiles.said activationsName file, assumed.Activation with
        | ValueSome text, _ ->
            let names = text.Split(separator, StringSplitOptions.RemoveEmptyEntries)

            if names.Length <> hidden then
                Error [ Fault.create "" $"{hidden} activations in the metadata" $"'{text}'" ]
            else
                names |> List.ofArray |> List.map Activation.parse |> Fault.all
        | ValueNone, ValueSome activation -> Ok(List.replicate hidden activation)
        | ValueNone, ValueNone when hidden = 0 -> Ok []
        | ValueNone, ValueNone ->
            Error [
                Fault.create
                    ""
                    $"{hidden} activations in the metadata, or an activation to assume"
                    "neither"
            ]

    let private network
        (assumed: ModelAssumption)
        (file: TensorFile)
        (layers: Found list)
        : Result<Network<'T>, Fault list> =
        if layers |> List.exists (fun layer -> layer.Weights.Shape.Length <> 2) then
            let shapes =
                layers
                |> List.map (fun layer -> Tensor.shapeText layer.Weights.Shape)
                |> String.concat ", "

            Error [ Fault.create "" "weights of two dimensions" shapes ]
        else
            let sizes =
                layers
                |> List.map (fun layer ->
                    match layer.IsOutputsFirst, layer.Weights.Shape with
                    | true, [ outputs; inputs ]
                    | false, [ inputs; outputs ] -> inputs, outputs
                    | _ -> 0, 0)

            let head =
                match TensorFiles.said headName file with
                | ValueSome name -> Head.parse name
                | ValueNone -> Ok(ValueOption.defaultValue Head.Softmax assumed.Head)

            Fault.both head (activations assumed (layers.Length - 1) file)
            |> Result.bind (fun (head, activations) ->
                let hidden =
                    List.map2
                        (fun activation (_, width) -> {
                            Width = width
                            Normalised = false
                            Activation = activation
                        })
                        activations
                        (List.take activations.Length sizes)

                Architecture.create head (fst sizes.Head) hidden (snd (List.last sizes))
                |> Result.mapError (List.map (Fault.within "the shapes of the weights")))
            |> Result.bind (fun architecture ->
                let layer found (inputs, outputs) : Result<Layer<'T>, Fault list> =
                    let shape =
                        if found.IsOutputsFirst then
                            [ outputs; inputs ]
                        else
                            [ inputs; outputs ]

                    Fault.both
                        (TensorFiles.numbers file found.Weights.Name shape)
                        (TensorFiles.numbers file found.Biases [ outputs ])
                    |> Result.map (fun (weights, biases) -> {
                        Weights =
                            (if found.IsOutputsFirst then
                                 Array.init weights.Length (fun i ->
                                     weights[i % outputs * inputs + i / outputs])
                             else
                                 weights)
                            |> Kernels.matrix outputs inputs
                        Biases = Kernels.vector biases
                        Gain = ValueNone
                    })

                List.map2 layer layers (List.pairwise architecture.Sizes)
                |> Fault.all
                |> Result.map (fun layers -> {
                    Architecture = architecture
                    Parameters = { Layers = layers }
                    Running = []
                }))

    let private parseClasses (json: JsonElement) : string list option =
        Some [
            for name in json.EnumerateArray() ->
                match name.GetString() with
                | null -> raise (FormatException())
                | name -> name
        ]

    /// <summary>The model that tensors and metadata make, or what is wrong with them.</summary>
    /// <param name="assumed">What to take for true of a file that says nothing of it.</param>
    /// <param name="file">Tensors of the precision asked for, under the book's names or
    /// PyTorch's.</param>
    [<CompiledName("OfTensors")>]
    let ofTensors
        (assumed: ModelAssumption)
        (file: TensorFile)
        : Result<Model<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let preprocessing =
            match TensorFiles.said preprocessingName file with
            | ValueSome json -> Preprocessing.ofJson json
            | ValueNone -> Ok Preprocessing.Numbers

        let classes =
            match TensorFiles.said classesName file with
            | ValueNone -> Ok []
            | ValueSome json ->
                match Preprocessing.ofJsonWith parseClasses json with
                | Some classes -> Ok classes
                | None -> Error [ Fault.create "classes" "a JSON list of texts" "something else" ]

        findLayers file.Tensors
        |> Result.bind (network assumed file)
        |> Fault.both (Fault.both preprocessing classes)
        |> Result.bind (fun ((preprocessing, classes), network) ->
            let inputs, outputs = network.Architecture.Inputs, network.Architecture.Outputs
            let features = Preprocessing.features preprocessing

            Fault.check
                [
                    features.IsNone || features = ValueSome inputs,
                    Fault.create
                        "preprocessing"
                        $"{inputs} inputs, as the network has"
                        $"{ValueOption.defaultValue 0 features}"
                    classes.IsEmpty || classes.Length = outputs,
                    Fault.create "classes" $"{outputs} names, one an output" $"{classes.Length}"
                ]
                (fun () -> {
                    Network = network
                    Preprocessing = preprocessing
                    Classes = classes
                    Notes =
                        file.Metadata
                        |> List.filter (fun (name, _) -> not (List.contains name ownNames))
                }))

    /// <summary>What an output is called: its class's name, or its number.</summary>
    [<CompiledName("ClassName")>]
    let className (model: Model<'T>) (output: int) : string =
        match List.tryItem output model.Classes with
        | Some name -> name
        | None -> string output
