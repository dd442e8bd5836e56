namespace Pipeline.Learning

open System
open System.Numerics

/// <summary>Networks as safetensors files: tensors W1, b1, W2, b2, … in the book's shapes, weights
/// (inputs, outputs) and biases (outputs), with the activations and the head in the metadata. Normalised
/// layers are written as the plain ones that do the same.</summary>
[<RequireQualifiedAccess>]
module Safetensors =
    let private separator = ","

    /// The metadata's entry for the hidden layers' activations.
    let private activationsName = "activations"

    /// The metadata's entry for the head.
    let private headName = "head"

    /// <summary>The bytes of a network's safetensors file.</summary>
    /// <param name="metadata">Names and texts to keep beside the tensors; "activations" and "head" are
    /// taken.</param>
    /// <param name="network">The network, written in its own precision (F32 or F64).</param>
    /// <exception cref="T:System.ArgumentException">A name is one of those.</exception>
    [<CompiledName("Write")>]
    let write
        (metadata: (string * string) seq)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : byte[] =
        for name, _ in metadata do
            if name = activationsName || name = headName then
                invalidArg
                    (nameof metadata)
                    $"expected names other than activations and head, found {name}"

        let network = Network.folded network

        let activations =
            network.Architecture.Hidden
            |> List.map (fun layer -> string layer.Activation)
            |> String.concat separator

        TensorFile.write
            [
                activationsName, activations
                headName, string network.Architecture.Head
                yield! metadata
            ]
            (TensorFile.ofParameters "" network.Parameters)

    let private fault expected found =
        Error [ Fault.create "" expected found ]

    let private network (file: TensorFile) : Result<Network<'T>, Fault list> =
        let weights =
            [ 1 .. file.Entries.Length ]
            |> List.map (fun i -> TensorFile.tryFind $"W{i}" file)
            |> List.takeWhile Option.isSome
            |> List.choose (Option.map _.Shape)

        let activations =
            file.Metadata |> Map.tryFind activationsName |> Option.defaultValue ""

        let head =
            file.Metadata
            |> Map.tryFind headName
            |> Option.defaultValue (string Head.Softmax)

        let names =
            activations.Split(separator, StringSplitOptions.RemoveEmptyEntries)
            |> List.ofArray

        match weights with
        | [] -> fault "tensors W1, b1, W2, b2, …" "no W1"
        | _ when weights |> List.exists (fun shape -> shape.Length <> 2) ->
            fault "weights of two dimensions" $"%A{weights}"
        | _ when names.Length <> weights.Length - 1 ->
            fault $"{weights.Length - 1} activations in the metadata" $"'{activations}'"
        | _ ->
            let hidden =
                List.map2
                    (fun name (shape: int list) ->
                        Activation.parse name
                        |> Result.map (fun activation -> {
                            Width = shape[1]
                            Normalised = false
                            Activation = activation
                        }))
                    names
                    (List.take names.Length weights)
                |> TensorFile.combine

            Fault.both (Head.parse head) hidden
            |> Result.bind (fun (head, hidden) ->
                let first, last = List.head weights, List.last weights

                Architecture.create head first[0] hidden last[1]
                |> Result.mapError (List.map (Fault.within "the shapes of W1, W2, …")))
            |> Result.bind (fun architecture ->
                TensorFile.parameters file "" architecture
                |> Result.map (fun parameters -> {
                    Architecture = architecture
                    Parameters = parameters
                    Running = []
                }))

    /// <summary>The network in the bytes of a safetensors file, or what is wrong with them.</summary>
    /// <param name="bytes">The whole file, its numbers of the precision asked for.</param>
    [<CompiledName("Read")>]
    let read (bytes: ReadOnlyMemory<byte>) : Result<Network<'T>, Fault list> =
        TensorFile.read bytes |> Result.bind network
