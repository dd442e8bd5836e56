namespace Pipeline.Learning

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// What is assumed of a file that does not say it.
type ModelDefaults = {
    /// The hidden layers' activation.
    Activation: Activation voption
    /// The head.
    Head: Head voption
    /// The names of the layers from the input's side, if the names do not tell the order; else
    /// none.
    Layers: string list
    /// What the layers are, as settings write them, from the input's side: <c>conv2d 6 5</c>, <c>relu</c>, …;
    /// none where the file tells.
    Architecture: string list
    /// The shape of a sample, with the architecture.
    Shape: Shape voption
} with

    /// Nothing is assumed, but for a head of Softmax where there are two outputs or more.
    static member None: ModelDefaults = {
        Activation = ValueNone
        Head = ValueNone
        Layers = []
        Architecture = []
        Shape = ValueNone
    }

/// The dense layers in a file of tensors, under the book's names or PyTorch's.
[<RequireQualifiedAccess>]
module internal TensorLayout =
    /// A layer as a file has it: its weights, whether they are (outputs, inputs), and its biases' name.
    type FoundLayer = {
        Weights: Tensor
        IsOutputsFirst: bool
        Biases: string
    }

    let private weightEnd = ".weight"
    let private biasEnd = ".bias"

    /// The names of PyTorch's layers: those of their weights, without the ending.
    let torchNames (tensors: Tensor list) : string list =
        tensors
        |> List.filter (fun tensor -> tensor.Name.EndsWith(weightEnd, StringComparison.Ordinal))
        |> List.map (fun tensor -> tensor.Name[.. tensor.Name.Length - weightEnd.Length - 1])

    /// PyTorch's layers from the input's side: as it is assumed, else as their names tell.
    let torchOrder (assumed: string list) (names: string list) : Result<string list, Fault list> =
        let listed = String.concat ", " names

        if assumed.IsEmpty then
            LayerOrder.sort names
            |> Result.mapError (fun (one, other) -> [
                Fault.create
                    "layers"
                    "names with numbers in order, such as 0, 2, 4, or an order given by --layers"
                    (if names.Length = 2 then
                         listed
                     else
                         invariant $"{one} and {other}, among {listed}")
            ])
        elif List.sort assumed = List.sort names then
            Ok assumed
        else
            let found = String.concat ", " assumed
            Error [ Fault.create "layers" $"each of {listed} once" found ]

    /// Weights that a file has as (outputs, inputs), row by row.
    let ofOutputsFirst (outputs: int) (inputs: int) (weights: 'T[]) : Matrix<'T> =
        Array.init weights.Length (fun i -> weights[i % outputs * inputs + i / outputs])
        |> Kernels.matrix outputs inputs

    /// The layers under either kind of names, from the input's side.
    let find (assumed: ModelDefaults) (tensors: Tensor list) : Result<FoundLayer list, Fault list> =
        let names = tensors |> List.map _.Name |> Set.ofList

        let book = [
            for i in
                seq { 1 .. names.Count }
                |> Seq.takeWhile (fun i -> names.Contains(invariant $"W{i}")) ->
                invariant $"W{i}", false, invariant $"b{i}"
        ]

        let torch = torchNames tensors

        let layers =
            match book, torch with
            | [], [] ->
                Error [
                    Fault.message
                        ""
                        "has no tensors W1, b1, W2, b2, … or 0.weight, 0.bias, 2.weight, …"
                ]
            | [], _ ->
                torchOrder assumed.Layers torch
                |> Result.map (List.map (fun name -> name + weightEnd, true, name + biasEnd))
            | _ when assumed.Layers.IsEmpty -> Ok book
            | _ ->
                Error [
                    Fault.message
                        "layers"
                        $"""cannot be given, because the names W1, W2, … are in order (found {String.concat ", " assumed.Layers})"""
                ]

        layers
        |> Result.bind (fun layers ->
            let known =
                layers
                |> List.collect (fun (weights, _, biases) -> [ weights; biases ])
                |> Set.ofList

            // A tensor without a number says nothing.
            let others =
                tensors
                |> List.filter (fun tensor ->
                    not (known.Contains tensor.Name) && Tensor.count tensor > 0)

            if others.IsEmpty then
                Ok [
                    for weights, isOutputsFirst, biases in layers ->
                        {
                            Weights = tensors |> List.find (fun tensor -> tensor.Name = weights)
                            IsOutputsFirst = isOutputsFirst
                            Biases = biases
                        }
                ]
            else
                Error [
                    for name in Set.difference known names do
                        Fault.message name "is missing"
                    for other in others do
                        Fault.message
                            other.Name
                            "is not a weight or a bias of a dense layer; other layers need --architecture"
                ])
