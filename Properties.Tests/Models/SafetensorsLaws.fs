/// Safetensors.fs: what is written is read, and what is broken is told.
module Pipeline.Properties.SafetensorsLaws

open System
open System.Buffers.Binary
open System.Text
open System.Text.Json
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private read (bytes: byte[]) : Result<Network<'T>, Fault list> =
    Safetensors.read (ReadOnlyMemory bytes) |> Result.map _.Network

/// Writes a model without the SHA-256 of the file. With it, each change of the file would give the fault of the SHA-256
/// alone.
let private write notes (network: Network<'T>) : byte[] =
    {
        Model.ofNetwork network with
            Notes = notes
    }
    |> Model.toTensors
    |> Safetensors.format

/// The header's text and the data behind it.
let private split (bytes: byte[]) =
    let length = int (BinaryPrimitives.ReadUInt64LittleEndian(ReadOnlySpan bytes))
    Encoding.UTF8.GetString(bytes, 8, length), bytes[8 + length ..]

let private join (header: string) (data: byte[]) =
    let header = Encoding.UTF8.GetBytes header
    Array.concat [ BitConverter.GetBytes(uint64 header.Length); header; data ]

let private text (element: JsonElement) : string =
    match element.GetString() with
    | null -> failwith "expected a text, found null"
    | text -> text

/// The file with another header in the place of its own.
let private withHeader (change: string -> string) (bytes: byte[]) =
    let header, data = split bytes
    let changed = change header
    Assert.False((header = changed))
    join changed data

let private sameNetwork (expected: Network<'T>) (actual: Result<Network<'T>, Fault list>) =
    let actual = orFail actual
    Exactly.equal expected.Architecture actual.Architecture

    Exactly.bits (Parameters.toBytes expected.Parameters) (Parameters.toBytes actual.Parameters)

[<Fact>]
let ``a model's file with any one bit changed is refused, unless the bit is in the name of its SHA-256``
    ()
    =
    let model: Model<float32> = {
        Model.ofNetwork (
            Architecture.dense Activation.Sigmoid [ 3; 2; 2 ]
            |> Network.initialise (Initialiser.Fixed 0.01) 1UL
        ) with
            Notes = [ "zeros", String('0', 64) ]
    }

    let whole = Model.toTensors model
    let bytes = Safetensors.write model
    Exactly.equal whole (Safetensors.parse (ReadOnlyMemory bytes) |> orFail)
    let name = "file_sha256"
    let place = bytes.AsSpan().IndexOf(ReadOnlySpan(Encoding.ASCII.GetBytes name))

    for bit in 0 .. 8 * bytes.Length - 1 do
        let changed = Array.copy bytes
        changed[bit / 8] <- changed[bit / 8] ^^^ (1uy <<< bit % 8)

        match Safetensors.parse (ReadOnlyMemory changed) with
        | Error _ -> ()
        | Ok file ->
            Assert.InRange(bit / 8, place, place + name.Length - 1)
            Exactly.equal whole.Tensors file.Tensors
            // The entry is a note of another name now.
            Exactly.equal whole.Metadata (List.tail file.Metadata)

[<Law>]
let ``reading undoes writing, in both precisions, with any metadata``
    (Trainable(network, _))
    (text: FsCheck.NonEmptyString)
    =
    let metadata = [ "note", String.filter (Char.IsSurrogate >> not) text.Get; "seed", "1" ]
    write metadata network |> read |> sameNetwork network
    let single: Network<float32> = Network.convert network
    write metadata single |> read |> sameNetwork single
    write [] single |> read |> sameNetwork single

[<Law>]
let ``the file is the format: names, types, the book's shapes, places without holes``
    (Trainable(network, _))
    =
    let single: Network<float32> = Network.convert network
    let bytes = write [ "note", "κ" ] single
    let header, data = split bytes
    Exactly.equal 0 ((bytes.Length - data.Length) % 8)
    use json = JsonDocument.Parse header
    let root = json.RootElement

    Exactly.equal "κ" (text (root.GetProperty("__metadata__").GetProperty("note")))

    Exactly.equal
        ((Layers.hiddenActivations network.Architecture.Layers).Value
         |> List.map string
         |> String.concat ",")
        (text (root.GetProperty("__metadata__").GetProperty("activations")))

    let mutable offset = 0

    for l, layer in List.indexed single.Parameters.Layers do
        for name, shape, value in
            [
                $"W{l + 1}",
                [ layer.Weights.ColumnCount; layer.Weights.RowCount ],
                // Row of the book's matrix: an input.
                (fun i -> layer.Weights[i % layer.Biases.Count, i / layer.Biases.Count])
                $"b{l + 1}", [ layer.Biases.Count ], (fun i -> layer.Biases[i])
            ] do
            let tensor = root.GetProperty name
            Exactly.equal "F32" (text (tensor.GetProperty("dtype")))

            Exactly.equal shape [
                for size in tensor.GetProperty("shape").EnumerateArray() -> size.GetInt32()
            ]

            let count = List.fold (*) 1 shape

            Exactly.equal [ offset; offset + 4 * count ] [
                for place in tensor.GetProperty("data_offsets").EnumerateArray() -> place.GetInt32()
            ]

            for i in 0 .. count - 1 do
                Exactly.equal (value i) (BitConverter.ToSingle(data, offset + 4 * i))

            offset <- offset + 4 * count

    Exactly.equal offset data.Length

// A case is a thousand cuts.
[<Law(MaxTest = 10)>]
let ``any cut of the bytes gives a fault`` (Trainable(network, _)) =
    let bytes = write [ "note", "x" ] network

    for length in 0 .. bytes.Length - 1 do
        let result: Result<Network<float>, _> = read bytes[.. length - 1]
        Assert.True(result.IsError, $"the first {length} of {bytes.Length} bytes")

[<Law>]
let ``trailing bytes give a fault`` (Trainable(network, _)) (more: FsCheck.NonEmptyArray<byte>) =
    let bytes = write [] network
    let _, data = split bytes

    (read (Array.append bytes more.Get): Result<Network<float>, _>)
    |> Exactly.faulted [ $"{data.Length} bytes"; $"found {data.Length + more.Get.Length}" ]

[<Law>]
let ``the other precision gives a fault that names both`` (Trainable(network, _)) =
    (read (write [] network): Result<Network<float32>, _>)
    |> Exactly.faulted [ "W1"; "b1"; "single precision"; "double precision" ]

    let single: Network<float32> = Network.convert network

    (read (write [] single): Result<Network<float>, _>)
    |> Exactly.faulted [ "W1"; "b1"; "single precision"; "double precision" ]

[<Law>]
let ``random bytes give a fault and never an exception`` (bytes: byte[]) (header: string) =
    let error (bytes: byte[]) =
        Assert.True((read bytes: Result<Network<float>, _>).IsError)

    error bytes
    error (join (header |> String.map (fun c -> if c = '\000' then ' ' else c)) bytes)
    error (Array.concat [ BitConverter.GetBytes(uint64 bytes.Length); bytes ])

[<Law>]
let ``one byte changed gives a network or a fault and never an exception``
    (Trainable(network, _))
    (place: FsCheck.NonNegativeInt)
    (value: byte)
    =
    let bytes = write [ "note", "x" ] network

    for place in [ place.Get % bytes.Length; place.Get * 31 % bytes.Length; place.Get % 8 ] do
        for value in [ value; byte '"'; byte '9'; byte '-'; 0xFFuy; 0uy ] do
            let changed = Array.copy bytes
            changed[place] <- value

            match (read changed: Result<Network<float>, _>) with
            | Ok _ -> ()
            | Error faults -> Assert.NotEmpty faults

let private tiny: Network<float32> =
    Network.initialise
        (Initialiser.Fixed 0.5)
        1UL
        (Architecture.dense Activation.Sigmoid [ 2; 3; 2 ])

let private bytesOfTiny = write [ "note", "x" ] tiny

let private readTiny change : Result<Network<float32>, Fault list> =
    read (withHeader (change: string -> string) bytesOfTiny)

[<Fact>]
let ``what is wrong with a header is told`` () =
    let replace (one: string) (other: string) =
        fun (header: string) -> header.Replace(one, other)

    for change, says in
        [
            replace "\"W1\"" "\"V1\"", [ "W1" ]
            replace "\"b2\"" "\"c2\"", [ "b2" ]
            replace "\"Sigmoid\"" "\"Softmax\"", [ "Softmax"; "Sigmoid, Tanh, Relu, Identity" ]
            replace "\"Sigmoid\"" "\"\"", [ "1 activation in the metadata" ]
            replace "\"Sigmoid\"" "\"Sigmoid,Tanh\"", [ "1 activation in"; "Sigmoid,Tanh" ]
            replace "\"Sigmoid\"" "7", [ "1 activation in" ]
            replace "[2,3]" "[3,2]", [ "b1"; "W2" ]
            replace "[2,3]" "[2,4]", [ "W1"; "32 bytes for 2 × 4" ]
            replace "[2,3]" "[6]", [ "two dimensions" ]
            replace "[2,3]" "[2,0]", [ "W1"; "0 bytes for 2 × 0" ]
            replace "[2,3]" "[-2,3]", [ "W1"; "sizes of 0 or more, found -2 × 3" ]
            replace "[2,3]" "[2147483648,3]", [ "W1" ]
            replace "[2,3]" "[2.5,3]", [ "W1" ]
            replace "[2,3]" "\"2,3\"", [ "W1" ]
            replace "[2,3]" "[2147483647,65536]", [ "W1" ]
            replace "[3,2]" "[3,2147483647]", [ "W2" ]
            replace "[0,24]" "[0,20]", [ "W1"; "24 bytes"; "0 to 20" ]
            replace "[0,24]" "[-4,20]", [ "W1"; "-4 to 20" ]
            replace "[0,24]" "[48,72]", [ "72" ]
            replace "[0,24]" "[9223372036854775807,-9223372036854775785]", [ "W1" ]
            replace "[0,24]" "[0]", [ "W1" ]
            replace "[0,24]" "[]", [ "W1" ]
            replace "[0,24]" "{}", [ "W1" ]
            replace "\"F32\"" "\"F8_E4M3\"", [ "F32"; "BF16"; "found the type F8_E4M3" ]
            replace "\"F32\"" "\"I32\"", [ "W1"; "single precision"; "found whole numbers" ]
            replace "\"F32\"" "32", [ "W1"; "b1"; "W2"; "b2" ]
            replace "\"dtype\"" "\"type\"", [ "W1"; "b1"; "W2"; "b2" ]
            replace "{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}" "5", [ "W1" ]
            (fun header -> header.Trim()[1..]), [ "JSON" ]
            (fun header -> $"[{header}]"), [ "JSON object"; "Array" ]
            (fun _ -> ""), [ "JSON" ]
            (fun _ -> "{}"), [ "0 bytes of data"; "68" ]
            (fun _ -> "null"), [ "JSON object" ]
            (fun _ -> String.replicate 1000 "["), [ "JSON" ]
        ] do
        readTiny change |> Exactly.faulted says

[<Law>]
let ``metadata cannot pose as the activations`` (Trainable(network, _)) =
    Exactly.refused [ "activations" ] (fun () ->
        write [ "note", "x"; "activations", "Relu" ] network)

[<Fact>]
let ``a model of no width is told from the shapes of its weights`` () =
    let empty name shape =
        Tensor.ofNumbers name shape (Array.empty<float32>)

    let file = {
        Metadata = []
        Tensors = [ empty "W1" [ 0; 0 ]; empty "b1" [ 0 ] ]
    }

    (read (Safetensors.format file): Result<Network<float32>, _>)
    |> Exactly.faulted [ "the shapes of the weights, Inputs"; "1 or more" ]

[<Fact>]
let ``tensors that share their bytes give a fault: a short file cannot claim much memory`` () =
    let tensor = """{"dtype":"F32","shape":[6],"data_offsets":[0,24]}"""
    let header = $"{{\"W1\":{tensor},\"b1\":{tensor},\"W2\":{tensor}}}"

    (read (join header (Array.zeroCreate 24)): Result<Network<float32>, _>)
    |> Exactly.faulted [ "tensors apart in the 24 bytes of data"; "72 bytes" ]

[<Fact>]
let ``text that is not UTF-8 gives a fault`` () =
    for text in [ "Sigmoid"; "F32"; "note"; "W1" ] do
        let bytes = Array.copy bytesOfTiny
        let header, _ = split bytes
        bytes[8 + header.IndexOf(text, StringComparison.Ordinal)] <- 0xFFuy
        Assert.True((read bytes: Result<Network<float32>, _>).IsError || text = "note")

    for text in [ "\"Sigmoid\""; "\"F32\"" ] do
        Assert.True((readTiny (fun header -> header.Replace(text, "\"\\ud800\""))).IsError)

[<Theory>]
[<InlineData(UInt64.MaxValue)>]
[<InlineData(9223372036854775807UL)>]
[<InlineData(4294967296UL)>]
[<InlineData(2147483647UL)>]
let ``a header length beyond the bytes gives a fault that names both`` (length: uint64) =
    let bytes =
        Array.append (BitConverter.GetBytes length) (Encoding.UTF8.GetBytes "{\"W1\":{}}")

    (read bytes: Result<Network<float>, _>)
    |> Exactly.faulted [ $"{length}"; "9 bytes" ]

[<Fact>]
let ``a file made elsewhere is read: another order, blanks, tensors before their names' turn`` () =
    // W1 = [[1, 2, 3], [4, 5, 6]] in the book's (inputs, outputs), b1 = [7, 8, 9], b1 first.
    let header =
        " {\"b1\": {\"shape\": [3], \"data_offsets\": [0, 12], \"dtype\": \"F32\"},\n  \"W1\": {\"dtype\": \"F32\", \"data_offsets\": [12, 36], \"shape\": [2, 3]} } "

    let data =
        [| 7f; 8f; 9f; 1f; 2f; 3f; 4f; 5f; 6f |] |> Array.collect BitConverter.GetBytes

    let network: Network<float32> = read (join header data) |> orFail
    Exactly.equal [ 2; 3 ] network.Architecture.Sizes
    let layer = network.Parameters.Layers.Head
    Exactly.bits [| 7f; 8f; 9f |] (layer.Biases.ToArray())

    for input in 0..1 do
        for output in 0..2 do
            Exactly.equal (float32 (3 * input + output + 1)) layer.Weights[output, input]

/// A file of one tensor, its bytes as another program writes them.
let private one (dataType: string) (shape: string) (data: byte[]) =
    join
        $"{{\"x\":{{\"dtype\":\"{dataType}\",\"shape\":{shape},\"data_offsets\":[0,{data.Length}]}}}}"
        data

let private parseOne (bytes: byte[]) : Tensor =
    (Safetensors.parse (ReadOnlyMemory bytes) |> orFail).Tensors |> List.exactlyOne

[<Law>]
let ``half precision is widened without loss: each of its numbers is the single of the same value``
    (numbers: uint16[])
    =
    let data = numbers |> Array.collect BitConverter.GetBytes

    for name, widened in
        [
            "F16", (fun (x: uint16) -> float32 (BitConverter.UInt16BitsToHalf x))
            "BF16", (fun x -> BitConverter.UInt32BitsToSingle(uint32 x <<< 16))
        ] do
        match (parseOne (one name $"[{numbers.Length}]" data)).Elements with
        | Elements.Singles found when numbers.Length > 0 ->
            Exactly.bits (Array.map widened numbers) found
        | Elements.Singles found -> Exactly.equal 0 found.Length
        | other -> failwith $"expected singles, found {other}"

    // Back to 16 bits they are the numbers of the file: nothing was lost.
    match (parseOne (one "F16" $"[{numbers.Length}]" data)).Elements with
    | Elements.Singles found ->
        for number, widened in Seq.zip numbers found do
            if not (Single.IsNaN widened) then
                Exactly.equal number (BitConverter.HalfToUInt16Bits(Half.op_Explicit widened))
    | other -> failwith $"expected singles, found {other}"

[<Fact>]
let ``numbers of every type are read`` () =
    for name, data, expected in
        [
            "BOOL", [| 1uy; 0uy |], [ 1.0; 0.0 ]
            "U8", [| 255uy; 3uy |], [ 255.0; 3.0 ]
            "I8", [| 255uy; 3uy |], [ -1.0; 3.0 ]
            "I16", [| 0xFEuy; 0xFFuy; 1uy; 0uy |], [ -2.0; 1.0 ]
            "U16", [| 0xFEuy; 0xFFuy; 1uy; 0uy |], [ 65534.0; 1.0 ]
            "F16", [| 0uy; 0x3Cuy; 0uy; 0xC0uy |], [ 1.0; -2.0 ]
            "BF16", [| 0x80uy; 0x3Fuy; 0uy; 0xC0uy |], [ 1.0; -2.0 ]
            "I32",
            Array.collect (fun (x: int) -> BitConverter.GetBytes x) [| -5; 7 |],
            [ -5.0; 7.0 ]
            "U32",
            Array.collect (fun (x: uint32) -> BitConverter.GetBytes x) [| 4000000000u; 7u |],
            [ 4e9; 7.0 ]
            "I64",
            Array.collect (fun (x: int64) -> BitConverter.GetBytes x) [| -5L; 7L |],
            [ -5.0; 7.0 ]
            "U64",
            Array.collect (fun (x: uint64) -> BitConverter.GetBytes x) [| UInt64.MaxValue; 1UL |],
            [ 2.0 ** 64; 1.0 ]
        ] do
        one name "[2]" data
        |> parseOne
        |> Tensor.toDoubles
        |> List.ofArray
        |> Exactly.equal expected

[<Fact>]
let ``a tensor without numbers may be of any type`` () =
    let tensor = parseOne (one "F8_E4M3" "[0]" [||])
    Exactly.equal [ 0 ] tensor.Shape
    Exactly.equal 0 (Tensor.count tensor)
