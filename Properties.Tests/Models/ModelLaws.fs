/// Model.fs: networks of the book's names and of PyTorch's, with what goes with them.
module Pipeline.Properties.ModelLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private read assumed file : Result<Model<float>, Fault list> = Model.ofTensors assumed file

let private assuming activation = {
    ModelDefaults.None with
        Activation = ValueSome activation
}

/// The network with one activation throughout.
let private under activation (network: Network<float>) = {
    network with
        Architecture = Architecture.dense activation network.Architecture.Sizes
}

/// A network's tensors as PyTorch has those of a Sequential: a linear layer, an activation, …
let private torch (network: Network<float>) : Tensor list = [
    for i, layer in List.indexed network.Parameters.Layers do
        let outputs, inputs = layer.Weights.RowCount, layer.Weights.ColumnCount

        {
            Name = $"{2 * i}.weight"
            Shape = [ outputs; inputs ]
            Elements =
                Elements.Doubles [|
                    for output in 0 .. outputs - 1 do
                        for input in 0 .. inputs - 1 do
                            layer.Weights[output, input]
                |]
        }

        {
            Name = $"{2 * i}.bias"
            Shape = [ outputs ]
            Elements = Elements.Doubles(layer.Biases.ToArray())
        }
]

[<Law>]
let ``PyTorch's layout is read as the same network, in any order of the file``
    (Trainable(network, batch))
    (activation: Activation)
    =
    let network = under activation network

    for tensors in [ torch network; List.rev (torch network) ] do
        let model =
            read (assuming activation) { Metadata = []; Tensors = tensors } |> orFail

        Exactly.equal network.Architecture model.Network.Architecture

        Exactly.bits
            (cells (Network.predict network batch.Inputs))
            (cells (Network.predict model.Network batch.Inputs))

[<Law>]
let ``reading undoes writing, with classes, preprocessing and notes`` (Trainable(network, _)) =
    let model = {
        Network = network
        Preprocessing = Preprocessing.Pixels(ImageSize.Grey(1, network.Architecture.Inputs))
        Classes = [ for k in 1 .. network.Architecture.Outputs -> $"class \"{k}\", ü" ]
        Decision = ValueNone
        Conformal = ValueNone
        Statistics = ValueNone
        Notes = [ "run", "a"; "seed", "1" ]
    }

    let back = Model.toTensors model |> read ModelDefaults.None |> orFail
    Exactly.equal network.Architecture back.Network.Architecture
    Exactly.bits (flat network.Parameters) (flat back.Network.Parameters)
    Exactly.equal model.Preprocessing back.Preprocessing
    Exactly.equal model.Classes back.Classes
    Exactly.equal model.Notes back.Notes
    Exactly.equal model.Classes.Head (Model.className back 0)
    Exactly.equal "1" (Model.className { back with Classes = [] } 1)

[<Fact>]
let ``ten layers and more stand in the order of their numbers`` () =
    let architecture = Architecture.dense Activation.Tanh (List.replicate 13 3)
    let network = Network.initialise (Initialiser.Fixed 0.5) 1UL architecture

    let back =
        read (assuming Activation.Tanh) {
            Metadata = []
            Tensors = torch network
        }
        |> orFail

    Exactly.bits (flat network.Parameters) (flat back.Network.Parameters)

[<Fact>]
let ``what is wrong with a model is told`` () =
    let network =
        Network.initialise
            (Initialiser.Fixed 0.5)
            1UL
            (Architecture.dense Activation.Relu [ 2; 3; 2 ])

    let file = Model.toTensors (Model.ofNetwork network)

    let said name text = {
        file with
            Metadata = (name, text) :: (file.Metadata |> List.filter (fst >> (<>) name))
    }

    let torch = {
        Metadata = []
        Tensors = torch network
    }

    for file, says in
        [
            { file with Tensors = [] }, [ "W1, b1"; "0.weight" ]
            said "head" "Tail", [ "Head"; "Softmax"; "'Tail'" ]
            said "activations" "Relu,Relu", [ "1 activation in"; "Relu,Relu" ]
            said "preprocessing" "{}", [ "preprocessing" ]
            said "preprocessing" """{"kind":"pixels","rows":3,"columns":1}""", [ "2 inputs"; "3" ]
            said "classes" "{}", [ "classes"; "JSON list" ]
            said "classes" """["a"]""", [ "2 names"; "found 1" ]
            said "classes" "[null,1]", [ "classes" ]
            torch, [ "1 activation in"; "given by --activation" ]
            {
                torch with
                    Tensors =
                        {
                            torch.Tensors.Head with
                                Name = "1.running_mean"
                        }
                        :: torch.Tensors
            },
            [ "1.running_mean"; "dense layer" ]
            {
                torch with
                    Tensors = torch.Tensors |> List.filter (fun t -> t.Name <> "2.bias")
            },
            [ "1 activation in" ]
        ] do
        read ModelDefaults.None file |> Exactly.faulted says

    read (assuming Activation.Relu) {
        torch with
            Tensors = torch.Tensors |> List.filter (fun t -> t.Name <> "2.bias")
    }
    |> Exactly.faulted [ "2.bias is missing" ]

    Exactly.refused [ "head" ] (fun () ->
        Model.toTensors {
            Model.ofNetwork network with
                Decision = ValueNone
                Notes = [ "head", "Softmax" ]
        })

[<Fact>]
let ``a head that a file does not name is the one assumed, else Softmax`` () =
    let network =
        Network.initialise (Initialiser.Fixed 0.5) 1UL (Architecture.dense Activation.Relu [ 2; 2 ])

    let file = {
        Metadata = []
        Tensors = torch network
    }

    Exactly.equal Head.Softmax (read ModelDefaults.None file |> orFail).Network.Architecture.Head

    let assumed = {
        ModelDefaults.None with
            Head = ValueSome Head.Identity
    }

    Exactly.equal Head.Identity (read assumed file |> orFail).Network.Architecture.Head

/// The tensors of a network under PyTorch's names, each layer's as it is called.
let private named (names: string list) (network: Network<float>) : Tensor list =
    List.map2
        (fun (tensor: Tensor) (name: string) -> {
            tensor with
                Name = name + tensor.Name[tensor.Name.IndexOf '.' ..]
        })
        (torch network)
        (names |> List.collect (fun name -> [ name; name ]))

/// A network of square layers: its shapes tell no order.
let private square (layers: int) : Network<float> =
    Architecture.dense Activation.Tanh (List.replicate (layers + 1) 3)
    |> Network.initialise (Initialiser.Fixed 0.5) 1UL

let private readNamed (layers: string list) (names: string list) =
    read
        {
            assuming Activation.Tanh with
                Layers = layers
        }
        {
            Metadata = []
            Tensors = named names (square names.Length) |> List.sortBy _.Name
        }

let private isInOrder (names: string list) (model: Model<float>) =
    Exactly.bits (flat (square names.Length).Parameters) (flat model.Network.Parameters)

/// Names of layers, made of some texts with a number between them that rises by any steps.
[<Law>]
let ``layers whose names differ in a number first stand in the order of that number``
    (steps: FsCheck.NonEmptyArray<byte>)
    (before: FsCheck.NonEmptyString)
    (after: FsCheck.NonEmptyString)
    =
    let text (chosen: FsCheck.NonEmptyString) =
        chosen.Get |> String.filter (fun c -> Char.IsLetter c || c = '.' || c = '_')

    let names =
        steps.Get
        |> Array.truncate 12
        |> Array.map (fun step -> int64 step * 1_000_000_007L + 1L)
        |> Array.scan (+) 0L
        |> Array.map (fun number -> $"a{text before}{number}{text after}")
        |> List.ofArray

    readNamed [] names |> orFail |> isInOrder names

[<Fact>]
let ``layers in the order that their names tell`` () =
    for names in
        [
            [ "fc1"; "fc2"; "fc10" ]
            [ "layers.0.linear"; "layers.1.linear" ]
            [ "0"; "2"; "40" ]
            [ "model.0"; "model.00003"; "model.12" ]
            [ "block0.fc1"; "block0.fc2"; "block1.fc1"; "block10.fc1" ]
            [ "layers.0.in"; "layers.1.hidden"; "layers.2.out" ]
            [ "any" ]
            [
                "99999999999999999999998"
                "99999999999999999999999"
                "100000000000000000000000"
            ]
        ] do
        readNamed [] names |> orFail |> isInOrder names

[<Fact>]
let ``layers whose names do not tell an order are refused, unless the order is given`` () =
    for names in
        [
            [ "hidden"; "head" ]
            [ "encoder.1"; "decoder.0" ]
            [ "features.0"; "features.2"; "classifier.0" ]
            [ "fc"; "fc1" ]
            [ "fc1"; "fc01" ]
            [ "0"; "2"; "out" ]
            [ "layer-one"; "layer-two" ]
            [ "a.0"; "a.0.1" ]
            [ "block1.up1"; "block1.down2"; "block2.up1" ]
        ] do
        readNamed [] names
        |> Exactly.faulted [ "layers"; "names with numbers in order"; "--layers"; names.Head ]

        readNamed names names |> orFail |> isInOrder names

        let reversed = List.rev names
        readNamed reversed reversed |> orFail |> isInOrder reversed

    for layers in [ [ "hidden" ]; [ "hidden"; "hidden" ]; [ "hidden"; "head"; "other" ] ] do
        readNamed layers [ "hidden"; "head" ]
        |> Exactly.faulted [ "each of head, hidden once"; String.concat ", " layers ]

    let book = Model.toTensors (Model.ofNetwork (square 2))

    read
        {
            ModelDefaults.None with
                Layers = [ "W2"; "W1" ]
        }
        book
    |> Exactly.faulted [ "layers"; "W2, W1" ]

[<Law>]
let ``tensors besides those of the layers are refused, whatever the names; those without numbers are not``
    (Trainable(network, _))
    (FsCheck.NonEmptyString name)
    =
    let network = under Activation.Relu network
    let extra = "z" + name

    for tensors in [ (Model.toTensors (Model.ofNetwork network)).Tensors; torch network ] do
        let withExtra elements shape = {
            Metadata = []
            Tensors =
                {
                    Name = extra
                    Shape = shape
                    Elements = elements
                }
                :: tensors
        }

        read (assuming Activation.Relu) (withExtra (Elements.Doubles [| 1.0 |]) [ 1 ])
        |> Exactly.faulted [ extra; "is not a weight or a bias of a dense layer" ]

        read (assuming Activation.Relu) (withExtra (Elements.Integers [| 1L |]) [])
        |> Exactly.faulted [ extra; "is not a weight or a bias of a dense layer" ]

        read (assuming Activation.Relu) (withExtra (Elements.Doubles [||]) [ 0 ])
        |> orFail
        |> fun model -> Exactly.bits (flat network.Parameters) (flat model.Network.Parameters)

[<Law>]
let ``weights and biases that are not finite are refused by name``
    (Trainable(network, _))
    (place: FsCheck.NonNegativeInt)
    =
    let network = under Activation.Relu network

    for tensors in [ (Model.toTensors (Model.ofNetwork network)).Tensors; torch network ] do
        for wrong, says in [ nan, "NaN"; infinity, "infinite"; -infinity, "infinite" ] do
            let chosen = tensors[place.Get % tensors.Length]
            let values = Tensor.toDoubles chosen
            values[place.Get % values.Length] <- wrong

            read (assuming Activation.Relu) {
                Metadata = []
                Tensors =
                    tensors
                    |> List.map (fun tensor ->
                        if tensor.Name = chosen.Name then
                            {
                                tensor with
                                    Elements = Elements.Doubles values
                            }
                        else
                            tensor)
            }
            |> Exactly.faulted [ chosen.Name; "finite numbers"; says ]

[<Law>]
let ``options agree with what a file says, or are refused`` (Trainable(network, _)) =
    let own = network.Architecture
    let file = Model.toTensors (Model.ofNetwork network)

    let heads = [ Head.Softmax; Head.Sigmoid; Head.Identity ]

    for head in heads do
        let model =
            read
                {
                    ModelDefaults.None with
                        Head = ValueSome head
                }
                file

        if head = own.Head then
            model |> orFail |> ignore
        else
            model
            |> Exactly.faulted [
                $"head: expected {own.Head}, as in the file, or no --head, found {head}"
            ]

    for activation in [ Activation.Relu; Activation.Tanh ] do
        let model = read (assuming activation) file

        let activations = (Layers.hiddenActivations own.Layers).Value

        if activations |> List.forall ((=) activation) then
            model |> orFail |> ignore
        else
            model
            |> Exactly.faulted [
                "activation: expected "
                $"as in the file, or no --activation, found {activation}"
            ]

[<Fact>]
let ``a network of one output and no head is not taken for one of classes`` () =
    let network =
        Architecture.ofHidden Head.Sigmoid 2 [] 1
        |> orFail
        |> Network.initialise Initialiser.XavierNormal 1UL

    let file = {
        Metadata = []
        Tensors = torch network
    }

    read ModelDefaults.None file
    |> Exactly.faulted [ "head must be given by --head (Sigmoid or Identity)"; "one output" ]

    for head in [ Head.Sigmoid; Head.Identity ] do
        let model =
            read
                {
                    ModelDefaults.None with
                        Head = ValueSome head
                }
                file
            |> orFail

        Exactly.equal head model.Network.Architecture.Head

[<Law>]
let ``classes of equal names and tensors of equal names are refused`` (Trainable(network, _)) =
    let outputs = network.Architecture.Outputs

    let model = {
        Model.ofNetwork network with
            Classes = [ for k in 1..outputs -> if k = outputs then "1" else string k ]
    }

    if outputs > 1 then
        Model.toTensors model
        |> read ModelDefaults.None
        |> Exactly.faulted [ "classes: expected different names"; "'1'" ]

    let file = Model.toTensors (Model.ofNetwork network)

    read ModelDefaults.None {
        file with
            Tensors = file.Tensors.Head :: file.Tensors
    }
    |> Exactly.faulted [ "W1 is the name of several tensors" ]
