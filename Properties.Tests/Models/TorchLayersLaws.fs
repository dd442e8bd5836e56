/// TorchLayers.fs: files of PyTorch's names and shapes are read into layers that are given by name.
module Pipeline.Properties.TorchLayersLaws

open System
open Xunit
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SideBySideLaws

let private tensor (name: string) (shape: int list) (values: float seq) : Tensor = {
    Name = name
    Shape = shape
    Elements = Elements.Doubles(Array.ofSeq values)
}

/// W1, W2, … of a network by the names that a model's file has for them, and the running statistics.
let private tensorsOf (network: Network<float>) : Map<string, float[]> =
    ParameterTensors.ofParameters "" network.Parameters
    @ ParameterTensors.ofRunning "" network
    |> List.map (fun tensor ->
        match tensor.Elements with
        | Elements.Doubles values -> tensor.Name, values
        | _ -> failwith "double precision was expected")
    |> Map.ofList

/// How a layer of a Sequential is written, from its name: its tensors, given those of its matrices and vectors.
let private written
    (channels: int)
    (name: string)
    (layer: string)
    (isNormalised: bool)
    (values: string -> float[])
    (bias: int -> float)
    : Tensor list =
    let numbers (text: string) = text.Split 'x' |> Array.map int
    let words = layer.Split ' '

    // The file's biases of a layer that the core gives none.
    let biases count =
        if isNormalised then Array.init count bias else values "b"

    match words[0] with
    | "conv2d"
    | "conv1d" ->
        let outputs, size = int words[1], numbers words[2]

        let size =
            match words[0], size with
            | "conv1d", _ -> [ size[0] ]
            | _, [| both |] -> [ both; both ]
            | _ -> List.ofArray size

        let groups =
            match Array.tryFindIndex ((=) "groups") words with
            | Some i -> int words[i + 1]
            | None -> 1

        let own = channels / groups
        let taps = own * List.reduce (*) size

        [
            // In a model's file a column of W (outputs, taps) stands behind the other.
            tensor $"{name}.weight" (outputs :: own :: size) [
                for output in 0 .. outputs - 1 do
                    for tap in 0 .. taps - 1 -> (values "W")[tap * outputs + output]
            ]
            tensor $"{name}.bias" [ outputs ] (biases outputs)
        ]
    | "dense" ->
        let outputs = int words[1]
        let inputs = (values "W").Length / outputs

        [
            tensor $"{name}.weight" [ outputs; inputs ] [
                for output in 0 .. outputs - 1 do
                    for input in 0 .. inputs - 1 -> (values "W")[input * outputs + output]
            ]
            tensor $"{name}.bias" [ outputs ] (biases outputs)
        ]
    | "batchnorm" -> [
        let count = (values "g").Length
        tensor $"{name}.weight" [ count ] (values "g")
        tensor $"{name}.bias" [ count ] (values "b")

        tensor
            $"{name}.running_mean"
            [ count ]
            (Array.map2 (+) (values "mean") (Array.init count bias))

        tensor $"{name}.running_var" [ count ] (values "variance")

        {
            Name = $"{name}.num_batches_tracked"
            Shape = []
            Elements = Elements.Doubles [| 7.0 |]
        }
      ]
    | "layernorm" -> [
        tensor $"{name}.weight" [ (values "g").Length ] (values "g")
        tensor $"{name}.bias" [ (values "g").Length ] (values "b")
      ]
    | _ -> []

/// A network of layers one after the other as a file of PyTorch has it; each layer that batch normalisation follows has biases.
let internal sequential
    (shape: Shape)
    (layers: string list)
    (nameOf: int -> string)
    (bias: int -> float)
    (network: Network<float>)
    =
    let tensors = tensorsOf network
    let places = network.Architecture.Places

    let parameterSuffixes =
        System.Collections.Generic.Queue(Parameters.suffixes network.Parameters)

    let runningSuffixes =
        System.Collections.Generic.Queue(Architecture.runningSuffixes network.Architecture)

    Assert.Equal(shape, network.Architecture.Shape)

    [
        for i, (layer, place) in List.indexed (List.zip layers places) do
            let suffix =
                if place.Parameters.IsEmpty then
                    ""
                else
                    parameterSuffixes.Dequeue()

            let running =
                if place.Running.IsEmpty then
                    ""
                else
                    runningSuffixes.Dequeue()

            let values (name: string) =
                tensors[name
                        + if name = "mean" || name = "variance" then
                              running
                          else
                              suffix]

            let follows at (name: string) =
                at >= 0 && at < layers.Length && layers[at].StartsWith name

            let isNormalised = follows (i + 1) "batchnorm"

            let bias =
                if
                    layer = "batchnorm" && not (follows (i - 1) "conv" || follows (i - 1) "dense")
                then
                    fun _ -> 0.0
                else
                    bias

            let channels =
                match place.Input with
                | Shape.Image(channels, _, _) -> channels
                | Shape.Vector _ -> 1

            yield! written channels (nameOf i) layer isNormalised values bias
    ]

let private leNet = [
    "conv2d 3 3x2 padding 1"
    "relu"
    "maxpool2d 2"
    "conv2d 4 2 groups 1"
    "batchnorm"
    "tanh"
    "conv2d 6 1 groups 2"
    "layernorm"
    "flatten"
    "dense 5"
    "batchnorm"
    "dropout 0.5"
    "relu"
    "dense 3"
]

let private shape = Shape.Image(2, 7, 6)

let internal networkOf (shape: Shape) (layers: string list) (seed: uint64) : Network<float> =
    architectureOf (shape, List.map Named layers) |> SideBySideLaws.networkOf seed

let private assuming (shape: Shape) (layers: string list) = {
    ModelDefaults.None with
        Architecture = layers
        Shape = ValueSome shape
}

let private read assumed tensors : Result<Model<float>, Fault list> =
    Model.ofTensors assumed { Metadata = []; Tensors = tensors }

let private inputsOf (network: Network<float>) =
    (batchOf<float> 3UL 4 network.Architecture).Inputs

[<Law>]
let ``a file of PyTorch's predicts as the network whose layers are given``
    (Seed seed)
    (withBiases: bool)
    =
    for shape, layers in
        [
            shape, leNet
            Shape.Vector 9,
            [ "conv1d 4 3 stride 2"; "batchnorm"; "elu"; "conv1d 2 2 groups 2"; "dense 3" ]
            Shape.Vector 4,
            [ "batchnorm"; "dense 4"; "batchnorm"; "sigmoid"; "layernorm"; "dense 3" ]
        ] do
        let network = networkOf shape layers seed

        let bias i =
            if withBiases then float i - 1.5 else 0.0

        let tensors = sequential shape layers string bias network

        for tensors in [ tensors; List.rev tensors ] do
            let model = read (assuming shape layers) tensors |> orFail
            let found = cells (Network.predict model.Network (inputsOf network))
            let expected = cells (Network.predict network (inputsOf network))

            if withBiases then
                Approximately.equal Approximately.rounding expected found
            else
                Exactly.bits expected found
                Exactly.bits (flat network.Parameters) (flat model.Network.Parameters)

[<Fact>]
let ``modules of one kind stand in the order of their names, or in a given one`` () =
    let layers = [ "conv2d 2 2"; "relu"; "conv2d 2 2"; "dense 4"; "tanh"; "dense 3" ]
    let network = networkOf (Shape.Image(2, 4, 4)) layers 1UL
    let named (names: string list) i = names[i]

    let file names =
        sequential (Shape.Image(2, 4, 4)) layers (named names) (fun _ -> 0.0) network

    let assumed = assuming (Shape.Image(2, 4, 4)) layers

    let same assumed names =
        let model = read assumed (file names) |> orFail
        Exactly.bits (flat network.Parameters) (flat model.Network.Parameters)

    same assumed [ "conv1"; ""; "conv2"; "fc1"; ""; "fc2" ]
    same assumed [ "features.0"; ""; "features.2"; "classifier.1"; ""; "classifier.3" ]
    let free = [ "first"; ""; "second"; "hidden"; ""; "head" ]
    read assumed (file free) |> Exactly.faulted [ "--layers"; "first, second" ]

    same
        {
            assumed with
                Layers = [ "first"; "second"; "hidden"; "head" ]
        }
        free

[<Fact>]
let ``modules without biases have biases of 0`` () =
    let layers = [ "conv2d 2 2"; "relu"; "dense 3" ]
    let shape = Shape.Image(1, 3, 3)
    let network = networkOf shape layers 1UL

    let tensors =
        sequential shape layers string (fun _ -> 0.0) network
        |> List.filter (fun tensor -> not (tensor.Name.EndsWith ".bias"))

    let model = read (assuming shape layers) tensors |> orFail

    let found =
        model.Network.Parameters.Layers |> List.map (fun layer -> layer.Biases.Sum())

    Exactly.equal [ 0.0; 0.0 ] found

[<Fact>]
let ``a block's modules stand where the block does`` () =
    let inner = [ "conv2d 2 3 padding 1"; "batchnorm"; "relu"; "conv2d 2 1" ]
    let shape = Shape.Image(2, 3, 3)
    let block = Block(List.map Named inner)
    let layers = [ Named "conv2d 2 1"; block; Named "dense 3" ]

    let network: Network<float> =
        architectureOf (shape, layers) |> SideBySideLaws.networkOf 5UL
    // The same layers one after the other have the same parameters in the same order.
    let chain = [ "conv2d 2 1"; yield! inner; "dense 3" ]
    let flatNetwork = architectureOf (shape, List.map Named chain)

    let unblocked = {
        Architecture = flatNetwork
        Parameters = {
            Layers =
                let arrays = network.Parameters.Layers |> List.collect LayerParameters.arrays
                // Of the block: both matrices, then the vectors of each layer.
                let ordered =
                    match arrays with
                    | [ w1; b1; w2; w3; b2; g2; b3; w4; b4 ] -> [
                        w1
                        b1
                        w2
                        b2
                        g2
                        w3
                        b3
                        w4
                        b4
                      ]
                    | _ -> failwith $"found {arrays.Length} arrays"

                (ordered, flatNetwork.ParameterShapes)
                ||> List.mapFold (fun arrays shapes ->
                    let struct (layer, rest) = LayerParameters.ofArrays shapes arrays
                    layer, rest)
                |> fst
        }
        Running =
            network.Running
            |> List.map (fun running -> {
                Matrices = []
                Vectors =
                    List.map2
                        (fun name (_, vector) -> name, vector)
                        [ "mean"; "variance" ]
                        running.Vectors
            })
    }

    let names = [ "0"; "1.body.0"; "1.body.1"; ""; "1.body.3"; "2" ]
    let tensors = sequential shape chain (fun i -> names[i]) float unblocked
    let texts = layers |> List.map layerOf |> List.map _.Name
    let model = read (assuming shape texts) tensors |> orFail

    Approximately.equal
        Approximately.rounding
        (cells (Network.predict network (inputsOf network)))
        (cells (Network.predict model.Network (inputsOf network)))

[<Fact>]
let ``what does not fit the layers is told`` () =
    let network = networkOf shape leNet 1UL
    let tensors = sequential shape leNet string (fun _ -> 0.0) network
    let assumed = assuming shape leNet

    let without name =
        tensors |> List.filter (fun tensor -> tensor.Name <> name)

    for assumed, tensors, words in
        [
            { assumed with Shape = ValueNone }, tensors, [ "--shape"; "1x28x28" ]
            {
                assumed with
                    Activation = ValueSome Activation.Relu
            },
            tensors,
            [ "activation"; "Relu"; "architecture" ]
            assuming shape ("conv2d 2 1" :: leNet), tensors, [ "architecture"; "3 (0, 3, 6)"; "4" ]
            assuming shape ("conv9d 2 1" :: leNet), tensors, [ "architecture"; "'conv9d 2 1'" ]
            assuming (Shape.Vector 84) leNet, tensors, [ "architecture"; "images"; "84" ]
            assuming shape ("conv2d 3 3x2 padding 1 groups 2" :: leNet.Tail),
            tensors,
            [ "architecture"; "divide" ]
            assuming shape ("conv2d 3 2x3 padding 1" :: leNet.Tail),
            tensors,
            [ "0.weight"; "3 × 2 × 2 × 3"; "3 × 2 × 3 × 2" ]
            assumed, without "4.running_var", [ "4.running_var"; "is missing" ]
            assumed, tensor "extra" [ 1 ] [ 0.0 ] :: tensors, [ "extra" ]
            { assumed with Layers = [ "0"; "1" ] }, tensors, [ "layers"; "once" ]
            ModelDefaults.None, tensors, [ "--architecture" ]
            { assumed with Architecture = [] }, tensors, [ "shape"; "--architecture" ]
        ] do
        read assumed tensors |> Exactly.faulted words

    let own = Model.toTensors (Model.ofNetwork network)

    (Model.ofTensors assumed own: Result<Model<float>, _>)
    |> Exactly.faulted [ "architecture"; "names its layers"; "shape" ]

    // A file of the core's names without metadata.
    let model: Model<float> =
        Model.ofTensors
            (assuming
                network.Architecture.Shape
                ((ForwardPass.folded network).Architecture.Layers |> List.map _.Name))
            { own with Metadata = [] }
        |> orFail

    Exactly.bits
        (cells (Network.predict (ForwardPass.folded network) (inputsOf network)))
        (cells (Network.predict model.Network (inputsOf network)))
