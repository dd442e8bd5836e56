namespace Pipeline.Learning.Formats

open System
open System.Buffers
open System.Buffers.Binary
open System.Numerics
open System.Security.Cryptography
open System.Text
open System.Text.Json
open Pipeline.Learning

/// <summary>Safetensors files of tensors. Those in single and double precision are written; half precision
/// (F16, BF16) and whole numbers are read besides, without loss: half precision as single.</summary>
/// <remarks>The format: eight bytes of little-endian header length, a JSON header of names, types,
/// shapes and offsets, then the numbers, little-endian, rows first. Source: the safetensors format of
/// Hugging Face. The file of a model has the SHA-256 of its bytes among its metadata, as
/// <c>file_sha256</c>: that of the file in which the 64 digits are zeros. A file that has it is checked
/// when it is read.</remarks>
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

    let private metadataName = "__metadata__"

    /// The metadata's entry with the SHA-256 of the file.
    let private hashName = "file_sha256"

    /// The digits that stand there while the SHA-256 is computed.
    let private noHash = String('0', 64)

    /// Where the digits are in the file.
    let private placeOf (digits: string) (bytes: ReadOnlySpan<byte>) : int =
        bytes.IndexOf(ReadOnlySpan(Encoding.ASCII.GetBytes digits))

    let private hashOf (bytes: byte[]) : string =
        Convert.ToHexStringLower(SHA256.HashData bytes)

    /// <summary>The bytes of a file of tensors.</summary>
    /// <exception cref="T:System.ArgumentException">A tensor is of whole numbers.</exception>
    [<CompiledName("Format")>]
    let format (file: TensorFile) : byte[] =
        let header = ArrayBufferWriter<byte>()

        use json =
            new Utf8JsonWriter(header, JsonWriterOptions(Encoder = Preprocessing.readable))

        json.WriteStartObject()
        json.WriteStartObject metadataName

        for name, text in file.Metadata do
            json.WriteString(name, text)

        json.WriteEndObject()

        let sizes =
            file.Tensors
            |> List.map (fun tensor ->
                match tensor.Elements with
                | Elements.Singles singles -> 4L * int64 singles.Length
                | Elements.Doubles doubles -> 8L * int64 doubles.Length
                | _ ->
                    invalidArg
                        (nameof file)
                        $"expected numbers of type F32 or F64, found {Tensor.typeName tensor}")

        let mutable offset = 0L

        for tensor, size in List.zip file.Tensors sizes do
            json.WriteStartObject tensor.Name
            json.WriteString("dtype", Tensor.typeName tensor)
            json.WriteStartArray "shape"

            for size in tensor.Shape do
                json.WriteNumberValue size

            json.WriteEndArray()
            json.WriteStartArray "data_offsets"
            json.WriteNumberValue offset
            offset <- offset + size
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

        for tensor, size in List.zip file.Tensors sizes do
            match tensor.Elements with
            | Elements.Singles singles -> LittleEndian.copy singles (bytes.AsSpan place)
            | Elements.Doubles doubles -> LittleEndian.copy doubles (bytes.AsSpan place)
            | _ -> ()

            place <- place + int size

        bytes

    let private fault expected found =
        Error [ Fault.create "" expected found ]

    /// The JSON of the header and the data behind it.
    let private split
        (bytes: ReadOnlyMemory<byte>)
        : Result<ReadOnlyMemory<byte> * ReadOnlyMemory<byte>, Fault list> =
        if bytes.Length < 8 then
            fault "a header length of 8 bytes" (invariant $"{bytes.Length} bytes in all")
        else
            let length = BinaryPrimitives.ReadUInt64LittleEndian bytes.Span

            if length > uint64 (bytes.Length - 8) then
                fault
                    (invariant $"a header of {length} bytes")
                    (invariant $"{bytes.Length - 8} bytes after its length")
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

    /// The texts of the metadata, and the tensors that a header lists.
    let private parseHeader
        (json: ReadOnlyMemory<byte>)
        : Result<(string * string) list * Entry list, Fault list> =
        try
            use document = JsonDocument.Parse json
            let root = document.RootElement

            if root.ValueKind <> JsonValueKind.Object then
                fault "a JSON object as header" (string root.ValueKind)
            else
                let mutable metadata = Unchecked.defaultof<JsonElement>

                let texts = [
                    if
                        root.TryGetProperty(metadataName, &metadata)
                        && metadata.ValueKind = JsonValueKind.Object
                    then
                        for property in metadata.EnumerateObject() do
                            if property.Value.ValueKind = JsonValueKind.String then
                                property.Name, text property.Value
                ]

                [
                    for property in root.EnumerateObject() do
                        if property.Name <> metadataName then
                            entry property
                ]
                |> Fault.all
                |> Result.map (fun entries -> texts, entries)
        with
        | :? JsonException
        | :? InvalidOperationException -> fault "a header in JSON" "something else"

    /// The metadata without the SHA-256, unless the file has another one than it says.
    let private withoutHash
        (bytes: ReadOnlyMemory<byte>)
        (metadata: (string * string) list)
        : Result<(string * string) list, Fault list> =
        let stated, others = metadata |> List.partition (fun (name, _) -> name = hashName)

        match stated with
        | [] -> Ok others
        | (_, digits) :: _ ->
            let place = placeOf digits bytes.Span

            let isRight =
                digits.Length = noHash.Length
                && place >= 0
                && (let bytes = bytes.ToArray()
                    Encoding.ASCII.GetBytes(noHash).CopyTo(bytes, place)
                    hashOf bytes = digits)

            if isRight then
                Ok others
            else
                fault
                    ("bytes with the SHA-256 that the file itself states as " + hashName)
                    "others: the file was damaged or changed; without that entry of its metadata it is read as it is"

    /// The format's types that are read: their names, kinds and sizes.
    let private types =
        Map [
            "BOOL", (NumberKind.Truth, 1)
            "U8", (NumberKind.Unsigned, 1)
            "I8", (NumberKind.Signed, 1)
            "U16", (NumberKind.Unsigned, 2)
            "I16", (NumberKind.Signed, 2)
            "F16", (NumberKind.Floating, 2)
            "BF16", (NumberKind.Brain, 2)
            "U32", (NumberKind.Unsigned, 4)
            "I32", (NumberKind.Signed, 4)
            "F32", (NumberKind.Floating, 4)
            "U64", (NumberKind.Unsigned, 8)
            "I64", (NumberKind.Signed, 8)
            "F64", (NumberKind.Floating, 8)
        ]

    /// A tensor, once its type and place are right. One of no numbers may be of any type.
    let private tensor (data: ReadOnlyMemory<byte>) (entry: Entry) : Result<Tensor, Fault list> =
        let isEmpty = List.contains 0 entry.Shape
        let known = types.TryFind entry.DataType
        let size = known |> Option.map snd |> Option.defaultValue 0
        let expected = Tensor.bytesOf (List.map int64 entry.Shape) size

        Fault.check
            [
                known.IsSome || isEmpty,
                Fault.create
                    entry.Name
                    "numbers of type F32, F64, F16 or BF16"
                    $"the type {entry.DataType}"
                List.forall (fun size -> size >= 0) entry.Shape,
                Fault.create entry.Name "sizes of 0 or more" (Tensor.shapeText entry.Shape)
                (known.IsNone && not isEmpty)
                || (entry.First >= 0L
                    && entry.First <= int64 data.Length
                    && entry.End <= int64 data.Length
                    && bigint entry.End - bigint entry.First = expected),
                Fault.create
                    entry.Name
                    (invariant
                        $"{string expected} bytes for {Tensor.shapeText entry.Shape} numbers, among the {data.Length} bytes of data")
                    (invariant $"offsets {entry.First} to {entry.End}")
            ]
            (fun () -> {
                Name = entry.Name
                Shape = entry.Shape
                Elements =
                    known
                    |> Option.map (fun (kind, size) ->
                        NumberBytes.read
                            false
                            kind
                            size
                            (data.Slice(int entry.First, int expected)))
                    |> Option.defaultValue ValueNone
                    |> ValueOption.defaultValue (Elements.Bytes ReadOnlyMemory.Empty)
            })

    /// <summary>The tensors and metadata in the bytes of a file, or what is wrong with
    /// them.</summary>
    /// <param name="bytes">The whole file.</param>
    [<CompiledName("Parse")>]
    let parse (bytes: ReadOnlyMemory<byte>) : Result<TensorFile, Fault list> =
        split bytes
        |> Result.bind (fun (json, data) ->
            parseHeader json
            |> Result.bind (fun (metadata, entries) ->
                withoutHash bytes metadata |> Result.map (fun metadata -> metadata, entries))
            |> Result.bind (fun (metadata, entries) ->
                let last = 0L :: List.map _.End entries |> List.max

                // Any offsets that a header may claim.
                let sum = entries |> List.sumBy (fun e -> bigint e.End - bigint e.First)

                if last < int64 data.Length then
                    fault
                        (invariant $"{last} bytes of data, as the header claims")
                        (string data.Length)
                elif
                    sum > bigint data.Length
                    && List.forall (fun e -> e.First >= 0L && e.End <= int64 data.Length) entries
                then
                    fault
                        (invariant $"tensors apart in the {data.Length} bytes of data")
                        $"{string sum} bytes of them"
                else
                    entries
                    |> List.map (tensor data)
                    |> Fault.all
                    |> Result.map (fun tensors -> {
                        Metadata = metadata
                        Tensors = tensors
                    })))

    /// <summary>The bytes of a model's file, with their SHA-256.</summary>
    /// <exception cref="T:System.ArgumentException">A note has the name of something that the model or the
    /// file itself says.</exception>
    [<CompiledName("Write")>]
    let write (model: Model<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : byte[] =
        let file = Model.toTensors model

        if file.Metadata |> List.exists (fun (name, _) -> name = hashName) then
            invalidArg (nameof model) ("expected notes of names other than " + hashName)

        // First of the metadata, so that no other text with as many zeros comes before it.
        let bytes =
            format {
                file with
                    Metadata = (hashName, noHash) :: file.Metadata
            }

        Encoding.ASCII.GetBytes(hashOf bytes).CopyTo(bytes, placeOf noHash (ReadOnlySpan bytes))
        bytes

    /// <summary>The model in the bytes of a file, or what is wrong with them.</summary>
    /// <param name="bytes">The whole file, its numbers of the precision asked for.</param>
    [<CompiledName("Read")>]
    let read
        (bytes: ReadOnlyMemory<byte>)
        : Result<Model<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        parse bytes |> Result.bind (Model.ofTensors ModelDefaults.None)
