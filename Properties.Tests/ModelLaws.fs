/// Model.fs: networks of the book's names and of PyTorch's, with what goes with them.
module Pipeline.Properties.ModelLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private read assumed file : Result<Model<float>, Fault list> = Model.ofTensors assumed file

let private assuming activation = {
    Model.noAssumption with
        Activation = ValueSome activation
}

/// The network with one activation throughout.
let private under activation (network: Network<float>) =
    let hidden =
        network.Architecture.Hidden
        |> List.map (fun layer -> { layer with Activation = activation })

    let inputs, outputs = network.Architecture.Inputs, network.Architecture.Outputs

    {
        network with
            Architecture = Architecture.create Head.Softmax inputs hidden outputs |> orFail
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
        Preprocessing = Preprocessing.Pixels(1, network.Architecture.Inputs)
        Classes = [ for k in 1 .. network.Architecture.Outputs -> $"class \"{k}\", ü" ]
        Notes = [ "run", "a"; "seed", "1" ]
    }

    let back = Model.toTensors model |> read Model.noAssumption |> orFail
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
            said "activations" "Relu,Relu", [ "1 activations"; "Relu,Relu" ]
            said "preprocessing" "{}", [ "preprocessing" ]
            said "preprocessing" """{"kind":"pixels","rows":3,"columns":1}""", [ "2 inputs"; "3" ]
            said "classes" "{}", [ "classes"; "JSON list" ]
            said "classes" """["a"]""", [ "2 names"; "found 1" ]
            said "classes" "[null,1]", [ "classes" ]
            torch, [ "1 activations"; "an activation to assume" ]
            {
                torch with
                    Tensors =
                        {
                            torch.Tensors.Head with
                                Name = "1.running_mean"
                        }
                        :: torch.Tensors
            },
            [ "1.running_mean"; "dense layers" ]
            {
                torch with
                    Tensors = torch.Tensors |> List.filter (fun t -> t.Name <> "2.bias")
            },
            [ "1 activations" ]
        ] do
        read Model.noAssumption file |> Exactly.faulted says

    read (assuming Activation.Relu) {
        torch with
            Tensors = torch.Tensors |> List.filter (fun t -> t.Name <> "2.bias")
    }
    |> Exactly.faulted [ "2.bias"; "a tensor of that name" ]

    Exactly.refused [ "head" ] (fun () ->
        Model.toTensors {
            Model.ofNetwork network with
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

    Exactly.equal Head.Softmax (read Model.noAssumption file |> orFail).Network.Architecture.Head

    let assumed = {
        Model.noAssumption with
            Head = ValueSome Head.Identity
    }

    Exactly.equal Head.Identity (read assumed file |> orFail).Network.Architecture.Head
