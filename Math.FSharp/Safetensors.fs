namespace Pipeline.Learning

open System
open System.Buffers
open System.Buffers.Binary
open System.Numerics
open System.Runtime.CompilerServices
open System.Text.Json

/// <summary>Networks as safetensors files: tensors W1, b1, W2, b2, … in the book's shapes, weights
/// (inputs, outputs) and biases (outputs), with the activations and the head in the metadata. Normalised
/// layers are written as the plain ones that do the same.</summary>
/// <remarks>The format: eight bytes of little-endian header length, a JSON header of names, types,
/// shapes and offsets, then the numbers, little-endian, rows first. Source: the safetensors format of
/// Hugging Face.</remarks>
[<RequireQualifiedAccess>]
module Safetensors =
    /// One tensor of a header: its name, type, shape and place in the data.
    type private Entry = {
        Name: string
        DataType: string
        Shape: int list
        First: int64
        End: int64
    }

    let private dataType<'T> () =
        if Type.op_Equality (typeof<'T>, typeof<float32>) then
            "F32"
        else
            "F64"

    let private separator = ","

    /// The metadata's entry for the hidden layers' activations.
    let private activationsName = "activations"

    /// The metadata's entry for the head.
    let private headName = "head"

    let private tensors (network: Network<'T>) : (string * int list * 'T[]) list =
        network.Parameters.Layers
        |> List.mapi (fun i layer -> [
            $"W{i + 1}",
            [ layer.Weights.ColumnCount; layer.Weights.RowCount ],
            Kernels.values layer.Weights
            $"b{i + 1}", [ layer.Biases.Count ], Kernels.elements layer.Biases
        ])
        |> List.concat

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
        let tensors = tensors network
        let header = ArrayBufferWriter<byte>()
        use json = new Utf8JsonWriter(header)
        json.WriteStartObject()
        json.WriteStartObject "__metadata__"

        json.WriteString(
            activationsName,
            network.Architecture.Hidden
            |> List.map (fun layer -> string layer.Activation)
            |> String.concat separator
        )

        json.WriteString(headName, string network.Architecture.Head)

        for name, text in metadata do
            json.WriteString(name, text)

        json.WriteEndObject()
        let mutable offset = 0L

        for name, shape, values in tensors do
            json.WriteStartObject name
            json.WriteString("dtype", dataType<'T>())
            json.WriteStartArray "shape"

            for size in shape do
                json.WriteNumberValue size

            json.WriteEndArray()
            json.WriteStartArray "data_offsets"
            json.WriteNumberValue offset
            offset <- offset + int64 values.Length * int64 (Unsafe.SizeOf<'T>())
            json.WriteNumberValue offset
            json.WriteEndArray()
            json.WriteEndObject()

        json.WriteEndObject()
        json.Flush()
        // Blanks bring the data to a multiple of eight bytes.
        let padding = Array.create (-header.WrittenCount &&& 7) (byte ' ')
        let length: byte[] = Array.zeroCreate 8

        BinaryPrimitives.WriteUInt64LittleEndian(
            Span length,
            uint64 (header.WrittenCount + padding.Length)
        )

        [|
            length
            header.WrittenSpan.ToArray()
            padding
            for _, _, values in tensors do
                LittleEndian.bytes values
        |]
        |> Array.concat

    let private fault expected found =
        Error [ Fault.create "" expected found ]

    /// The JSON of the header and the data behind it.
    let private split
        (bytes: ReadOnlyMemory<byte>)
        : Result<ReadOnlyMemory<byte> * ReadOnlyMemory<byte>, Fault list> =
        if bytes.Length < 8 then
            fault "a header length of 8 bytes" $"{bytes.Length} bytes in all"
        else
            let length = BinaryPrimitives.ReadUInt64LittleEndian bytes.Span

            if length > uint64 (bytes.Length - 8) then
                fault $"a header of {length} bytes" $"{bytes.Length - 8} bytes after its length"
            else
                Ok(bytes.Slice(8, int length), bytes.Slice(8 + int length))

    let private text (element: JsonElement) : string =
        match element.GetString() with
        | null -> ""
        | text -> text

    let private entry (property: JsonProperty) : Result<Entry, Fault list> =
        try
            let value = property.Value
            let offsets = value.GetProperty "data_offsets"

            Ok {
                Name = property.Name
                DataType = text (value.GetProperty "dtype")
                Shape = [
                    for size in value.GetProperty("shape").EnumerateArray() do
                        size.GetInt32()
                ]
                First = offsets[0].GetInt64()
                End = offsets[1].GetInt64()
            }
        with
        | :? InvalidOperationException
        | :? FormatException
        | :? IndexOutOfRangeException
        | :? Collections.Generic.KeyNotFoundException ->
            Error [
                Fault.create property.Name "a dtype, a shape and two data_offsets" "something else"
            ]

    /// A header: the activations' names, the head's, and the tensors that it lists.
    type private Header = {
        Activations: string
        HeadName: string
        Entries: Entry list
    }

    let private parseHeader (json: ReadOnlyMemory<byte>) : Result<Header, Fault list> =
        try
            use document = JsonDocument.Parse json
            let root = document.RootElement

            if root.ValueKind <> JsonValueKind.Object then
                fault "a JSON object as header" $"{root.ValueKind}"
            else
                let said name unlessSaid =
                    let mutable metadata = Unchecked.defaultof<JsonElement>
                    let mutable value = Unchecked.defaultof<JsonElement>

                    if
                        root.TryGetProperty("__metadata__", &metadata)
                        && metadata.ValueKind = JsonValueKind.Object
                        && metadata.TryGetProperty((name: string), &value)
                        && value.ValueKind = JsonValueKind.String
                    then
                        text value
                    else
                        unlessSaid

                let entries = [
                    for property in root.EnumerateObject() do
                        if property.Name <> "__metadata__" then
                            entry property
                ]

                match
                    entries
                    |> List.collect (function
                        | Error faults -> faults
                        | Ok _ -> [])
                with
                | [] ->
                    Ok {
                        Activations = said activationsName ""
                        HeadName = said headName (string Head.Softmax)
                        Entries = entries |> List.choose Result.toOption
                    }
                | faults -> Error faults
        with
        | :? JsonException
        | :? InvalidOperationException -> fault "a header in JSON" "something else"

    /// A tensor's numbers, once its type, shape and place are right.
    let private numbers
        (entries: Entry list)
        (data: ReadOnlyMemory<byte>)
        (name: string)
        (shape: int list)
        : Result<'T[], Fault list> =
        match entries |> List.tryFind (fun entry -> entry.Name = name) with
        | None -> Error [ Fault.create name "a tensor of that name" "none" ]
        | Some entry ->
            // The product of any sizes that a header may claim.
            let size =
                List.fold
                    (fun (product: bigint) (n: int) -> product * bigint n)
                    (bigint (Unsafe.SizeOf<'T>()))
                    shape

            Fault.check
                [
                    entry.DataType = dataType<'T>(),
                    Fault.create name $"numbers of type {dataType<'T>()}" $"{entry.DataType}"
                    entry.Shape = shape, Fault.create name $"the shape %A{shape}" $"%A{entry.Shape}"
                    entry.First >= 0L
                    && entry.First <= int64 data.Length
                    && entry.End <= int64 data.Length
                    && bigint entry.End - bigint entry.First = size,
                    Fault.create
                        name
                        $"{size} bytes among the {data.Length} bytes of data"
                        $"offsets {entry.First} to {entry.End}"
                ]
                (fun () -> LittleEndian.numbers (data.Slice(int entry.First, int size).Span))

    let private network
        (header: Header)
        (data: ReadOnlyMemory<byte>)
        : Result<Network<'T>, Fault list> =
        let entries = header.Entries

        let weights =
            [ 1 .. entries.Length ]
            |> List.map (fun i -> entries |> List.tryFind (fun entry -> entry.Name = $"W{i}"))
            |> List.takeWhile Option.isSome
            |> List.choose (Option.map _.Shape)

        let names =
            header.Activations.Split(separator, StringSplitOptions.RemoveEmptyEntries)
            |> List.ofArray

        match weights with
        | [] -> fault "tensors W1, b1, W2, b2, …" "no W1"
        | _ when (entries |> List.map _.End |> List.max) < int64 data.Length ->
            fault
                $"{entries |> List.map _.End |> List.max} bytes of data, as the header claims"
                $"{data.Length}"
        | _ when weights |> List.exists (fun shape -> shape.Length <> 2) ->
            fault "weights of two dimensions" $"%A{weights}"
        | _ when names.Length <> weights.Length - 1 ->
            fault $"{weights.Length - 1} activations in the metadata" $"'{header.Activations}'"
        | _ ->
            let combine results =
                List.foldBack
                    (fun one rest ->
                        Fault.both one rest |> Result.map (fun (head, tail) -> head :: tail))
                    results
                    (Ok [])

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
                |> combine

            let architecture =
                Fault.both (Head.parse header.HeadName) hidden
                |> Result.bind (fun (head, hidden) ->
                    let first, last = List.head weights, List.last weights

                    Architecture.create head first[0] hidden last[1]
                    |> Result.mapError (List.map (Fault.within "the shapes of W1, W2, …")))

            let layer i (inputs, outputs) : Result<Layer<'T>, Fault list> =
                Fault.both
                    (numbers entries data $"W{i + 1}" [ inputs; outputs ])
                    (numbers entries data $"b{i + 1}" [ outputs ])
                |> Result.map (fun (weights, biases) -> {
                    Weights = Kernels.matrix outputs inputs weights
                    Biases = Kernels.vector biases
                    Gain = ValueNone
                })

            architecture
            |> Result.bind (fun architecture ->
                architecture.Sizes
                |> List.pairwise
                |> List.mapi layer
                |> combine
                |> Result.map (fun layers -> {
                    Architecture = architecture
                    Parameters = { Layers = layers }
                    Running = []
                }))

    /// <summary>The network in the bytes of a safetensors file, or what is wrong with them.</summary>
    /// <param name="bytes">The whole file, its numbers of the precision asked for.</param>
    [<CompiledName("Read")>]
    let read (bytes: ReadOnlyMemory<byte>) : Result<Network<'T>, Fault list> =
        split bytes
        |> Result.bind (fun (json, data) ->
            parseHeader json |> Result.bind (fun header -> network header data))
