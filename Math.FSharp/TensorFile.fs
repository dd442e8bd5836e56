namespace Pipeline.Learning

open System
open System.Buffers
open System.Buffers.Binary
open System.Numerics
open System.Runtime.CompilerServices
open System.Text.Json

/// A tensor with its name; rows first, as the format has it.
type internal Tensor<'T> = {
    Name: string
    Shape: int list
    Values: 'T[]
}

/// One tensor of a header: its name, type, shape and place in the data.
type internal TensorEntry = {
    Name: string
    DataType: string
    Shape: int list
    First: int64
    End: int64
}

/// A safetensors file taken apart: metadata, the list of tensors, and the bytes of their numbers.
type internal TensorFile = {
    Metadata: Map<string, string>
    Entries: TensorEntry list
    Data: ReadOnlyMemory<byte>
}

/// <summary>Named tensors and texts as a safetensors file.</summary>
/// <remarks>The format: eight bytes of little-endian header length, a JSON header of names, types,
/// shapes and offsets, then the numbers, little-endian, rows first. Source: the safetensors format of
/// Hugging Face.</remarks>
[<RequireQualifiedAccess>]
module internal TensorFile =
    let private dataType<'T> () =
        if Type.op_Equality (typeof<'T>, typeof<float32>) then
            "F32"
        else
            "F64"

    /// Parameters as W1, b1, W2, b2, …, a layer's gain as g1 behind its biases, every name after the
    /// prefix. Weights have the book's shape, (inputs, outputs).
    let ofParameters (prefix: string) (parameters: Parameters<'T>) : Tensor<'T> list =
        parameters.Layers
        |> List.mapi (fun i layer -> [
            {
                Name = $"{prefix}W{i + 1}"
                Shape = [ layer.Weights.ColumnCount; layer.Weights.RowCount ]
                Values = Kernels.values layer.Weights
            }
            {
                Name = $"{prefix}b{i + 1}"
                Shape = [ layer.Biases.Count ]
                Values = Kernels.elements layer.Biases
            }
            match layer.Gain with
            | ValueSome gain -> {
                Name = $"{prefix}g{i + 1}"
                Shape = [ gain.Count ]
                Values = Kernels.elements gain
              }
            | ValueNone -> ()
        ])
        |> List.concat

    /// The bytes of a file.
    let write (metadata: (string * string) seq) (tensors: Tensor<'T> list) : byte[] =
        let header = ArrayBufferWriter<byte>()
        use json = new Utf8JsonWriter(header)
        json.WriteStartObject()
        json.WriteStartObject "__metadata__"

        for name, text in metadata do
            json.WriteString(name, text)

        json.WriteEndObject()
        let mutable offset = 0L

        for tensor in tensors do
            json.WriteStartObject tensor.Name
            json.WriteString("dtype", dataType<'T>())
            json.WriteStartArray "shape"

            for size in tensor.Shape do
                json.WriteNumberValue size

            json.WriteEndArray()
            json.WriteStartArray "data_offsets"
            json.WriteNumberValue offset
            offset <- offset + int64 tensor.Values.Length * int64 (Unsafe.SizeOf<'T>())
            json.WriteNumberValue offset
            json.WriteEndArray()
            json.WriteEndObject()

        json.WriteEndObject()
        json.Flush()
        // Blanks bring the data to a multiple of eight bytes.
        let data = 8 + header.WrittenCount + (-header.WrittenCount &&& 7)
        let bytes: byte[] = Array.zeroCreate (data + int offset)
        BinaryPrimitives.WriteUInt64LittleEndian(Span bytes, uint64 (data - 8))
        header.WrittenSpan.CopyTo(bytes.AsSpan 8)
        bytes.AsSpan(8 + header.WrittenCount, data - 8 - header.WrittenCount).Fill(byte ' ')
        let mutable place = data

        for tensor in tensors do
            LittleEndian.copy tensor.Values (bytes.AsSpan place)
            place <- place + tensor.Values.Length * Unsafe.SizeOf<'T>()

        bytes

    let private fault expected found =
        Error [ Fault.create "" expected found ]

    /// All values, or the faults of all.
    let combine (results: Result<'V, Fault list> list) : Result<'V list, Fault list> =
        List.foldBack
            (fun one rest -> Fault.both one rest |> Result.map (fun (head, tail) -> head :: tail))
            results
            (Ok [])

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

    let private entry (property: JsonProperty) : Result<TensorEntry, Fault list> =
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

    /// The texts of the metadata; of a name that comes twice, the last.
    let private metadata (root: JsonElement) : Map<string, string> =
        let mutable metadata = Unchecked.defaultof<JsonElement>

        Map [
            if
                root.TryGetProperty("__metadata__", &metadata)
                && metadata.ValueKind = JsonValueKind.Object
            then
                for property in metadata.EnumerateObject() do
                    if property.Value.ValueKind = JsonValueKind.String then
                        property.Name, text property.Value
        ]

    let private ofHeader
        (data: ReadOnlyMemory<byte>)
        (root: JsonElement)
        : Result<TensorFile, Fault list> =
        [
            for property in root.EnumerateObject() do
                if property.Name <> "__metadata__" then
                    entry property
        ]
        |> combine
        |> Result.bind (fun entries ->
            let last = entries |> List.fold (fun last entry -> max last entry.End) 0L

            if not entries.IsEmpty && last < int64 data.Length then
                fault $"{last} bytes of data, as the header claims" $"{data.Length}"
            else
                Ok {
                    Metadata = metadata root
                    Entries = entries
                    Data = data
                })

    /// The bytes of a file taken apart, or what is wrong with them.
    let read (bytes: ReadOnlyMemory<byte>) : Result<TensorFile, Fault list> =
        split bytes
        |> Result.bind (fun (json, data) ->
            try
                use document = JsonDocument.Parse json

                if document.RootElement.ValueKind <> JsonValueKind.Object then
                    fault "a JSON object as header" $"{document.RootElement.ValueKind}"
                else
                    ofHeader data document.RootElement
            with
            | :? JsonException
            | :? InvalidOperationException -> fault "a header in JSON" "something else")

    /// A tensor's entry, where there is one.
    let tryFind (name: string) (file: TensorFile) : TensorEntry option =
        file.Entries |> List.tryFind (fun entry -> entry.Name = name)

    /// A tensor's numbers, once its type, shape and place are right.
    let numbers
        (file: TensorFile)
        (name: string)
        (shape: int list)
        : Result<'T[], Fault list> when 'T: struct =
        match tryFind name file with
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
                    && entry.First <= int64 file.Data.Length
                    && entry.End <= int64 file.Data.Length
                    && bigint entry.End - bigint entry.First = size,
                    Fault.create
                        name
                        $"{size} bytes among the {file.Data.Length} bytes of data"
                        $"offsets {entry.First} to {entry.End}"
                ]
                (fun () -> LittleEndian.numbers (file.Data.Slice(int entry.First, int size).Span))

    /// Parameters of such an architecture, as <c>ofParameters</c> names them.
    let parameters
        (file: TensorFile)
        (prefix: string)
        (architecture: Architecture)
        : Result<Parameters<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let isNormalised i =
            match List.tryItem i architecture.Hidden with
            | Some layer -> layer.Normalised
            | None -> false

        let layer i (inputs, outputs) : Result<Layer<'T>, Fault list> =
            let gain: Result<'T[] voption, Fault list> =
                if isNormalised i then
                    numbers file $"{prefix}g{i + 1}" [ outputs ] |> Result.map ValueSome
                else
                    Ok ValueNone

            Fault.both
                (Fault.both
                    (numbers file $"{prefix}W{i + 1}" [ inputs; outputs ])
                    (numbers file $"{prefix}b{i + 1}" [ outputs ]))
                gain
            |> Result.map (fun ((weights, biases), gain) -> {
                Weights = Kernels.matrix outputs inputs weights
                Biases = Kernels.vector biases
                Gain = ValueOption.map Kernels.vector gain
            })

        architecture.Sizes
        |> List.pairwise
        |> List.mapi layer
        |> combine
        |> Result.map (fun layers -> { Layers = layers })
