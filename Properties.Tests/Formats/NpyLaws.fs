/// Npy.fs: what is written is read, and what is broken is told.
module Pipeline.Properties.NpyLaws

open System
open System.Text
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private parse (bytes: byte[]) = Npy.parse "x" (ReadOnlyMemory bytes)

/// A tensor as plain values, which = compares.
let private plain (tensor: Tensor) =
    tensor.Name,
    tensor.Shape,
    match tensor.Elements with
    | Elements.Bytes bytes -> "u1", Array.map int64 (bytes.ToArray())
    | Elements.Integers integers -> "i8", integers
    | Elements.Singles singles ->
        "f4", singles |> Array.map (BitConverter.SingleToInt32Bits >> int64)
    | Elements.Doubles doubles -> "f8", doubles |> Array.map BitConverter.DoubleToInt64Bits
    | Elements.Texts _ -> failwith "expected numbers, found texts"

/// A file with this header before these bytes.
let private file (header: string) (data: byte[]) =
    Array.concat [
        [| 0x93uy |]
        Encoding.ASCII.GetBytes "NUMPY"
        [| 1uy; 0uy; byte header.Length; byte (header.Length >>> 8) |]
        Encoding.ASCII.GetBytes header
        data
    ]

let private header descr isFortran shape =
    $"{{'descr': '{descr}', 'fortran_order': {isFortran}, 'shape': {shape}, }}"

[<Law>]
let ``parsing undoes writing, bit for bit`` (AnyTensor tensor) =
    parse (Npy.write tensor) |> orFail |> plain |> Exactly.equal (plain tensor)

[<Law>]
let ``the data begin at a multiple of 64 bytes`` (AnyTensor tensor) =
    let bytes = Npy.write tensor
    let length = int (BitConverter.ToUInt16(bytes, 8))
    Exactly.equal 0 ((10 + length) % 64)
    Exactly.equal '\n' (char bytes[9 + length])

[<Law>]
let ``any cut of the bytes and any more of them give a fault``
    (AnyTensor tensor)
    (more: FsCheck.NonEmptyArray<byte>)
    =
    let bytes = Npy.write tensor

    for length in 0 .. bytes.Length - 1 do
        Assert.True((parse bytes[.. length - 1]).IsError, $"the first {length} bytes")

    Assert.True((parse (Array.append bytes more.Get)).IsError)

[<Law>]
let ``one byte changed gives a tensor or a fault and never an exception``
    (AnyTensor tensor)
    (place: FsCheck.NonNegativeInt)
    (value: byte)
    =
    let bytes = Npy.write tensor

    for place in [ place.Get % bytes.Length; place.Get % 80 ] do
        for value in [ value; byte '9'; byte '\''; byte '>'; byte ')'; 0xFFuy; 0uy ] do
            let changed = Array.copy bytes
            changed[place] <- value

            match parse changed with
            | Ok _ -> ()
            | Error faults -> Assert.NotEmpty faults

[<Law>]
let ``random bytes give a fault and never an exception`` (bytes: byte[]) (text: string) =
    Assert.True((parse bytes).IsError)
    Assert.True((parse (file (String.filter Char.IsAscii (string text)) bytes)).IsError)

[<Fact>]
let ``every type of number is read, in either byte order`` () =
    for descr, bytes, expected in
        [
            "|b1", [| 1uy; 0uy |], [ 1.0; 0.0 ]
            "|i1", [| 255uy; 3uy |], [ -1.0; 3.0 ]
            "<i2", [| 0xFEuy; 0xFFuy; 1uy; 0uy |], [ -2.0; 1.0 ]
            ">i2", [| 0xFFuy; 0xFEuy; 0uy; 1uy |], [ -2.0; 1.0 ]
            "<u2", [| 0xFEuy; 0xFFuy; 1uy; 0uy |], [ 65534.0; 1.0 ]
            ">u4", [| 0uy; 0uy; 1uy; 0uy; 0xFFuy; 0uy; 0uy; 0uy |], [ 256.0; 4278190080.0 ]
            "<i4", [| 0xFFuy; 0xFFuy; 0xFFuy; 0xFFuy; 7uy; 0uy; 0uy; 0uy |], [ -1.0; 7.0 ]
            "<i8",
            Array.append (Array.create 8 0xFFuy) [| 5uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy |],
            [ -1.0; 5.0 ]
            "<f2", [| 0uy; 0x3Cuy; 0uy; 0xC0uy |], [ 1.0; -2.0 ]
            ">f4", [| 0x3Fuy; 0x80uy; 0uy; 0uy; 0xC0uy; 0uy; 0uy; 0uy |], [ 1.0; -2.0 ]
            ">f8",
            [|
                0x3Fuy
                0xF0uy
                0uy
                0uy
                0uy
                0uy
                0uy
                0uy
                0xC0uy
                0uy
                0uy
                0uy
                0uy
                0uy
                0uy
                0uy
            |],
            [ 1.0; -2.0 ]
        ] do
        let tensor = parse (file (header descr "False" "(2,)") bytes) |> orFail
        Exactly.equal expected (List.ofArray (Tensor.toDoubles tensor))

[<Fact>]
let ``an array in Fortran order is rearranged`` () =
    let tensor =
        parse (file (header "|u1" "True" "(2, 3)") [| 1uy; 4uy; 2uy; 5uy; 3uy; 6uy |])

    Exactly.equal [ 1.0 .. 6.0 ] (List.ofArray (Tensor.toDoubles (orFail tensor)))

[<Law>]
let ``turning a turned array gives it back`` (AnyTensor tensor) =
    match tensor.Shape, tensor.Elements with
    | [ rows; columns ], Elements.Integers integers ->
        let turned =
            Array.init integers.Length (fun i -> integers[i % rows * columns + i / rows])

        let text = (string (header "<i8" "True" $"({rows}, {columns})")).PadRight 100

        let found =
            parse (file text (turned |> Array.collect BitConverter.GetBytes)) |> orFail

        Exactly.equal (plain tensor) (plain found)
    | _ -> ()

[<Theory>]
[<InlineData("(9223372036854775807, 9223372036854775807)")>]
[<InlineData("(4294967296, 0)")>]
[<InlineData("(99999999999999999999,)")>]
[<InlineData("(-1,)")>]
let ``a shape beyond the bytes gives a fault, and allocates nothing for it`` (shape: string) =
    let bytes = file (header "<f8" "False" shape) [||]
    Assert.True((parse bytes).IsError)
    let before = GC.GetAllocatedBytesForCurrentThread()
    parse bytes |> ignore
    Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0L, 100_000L)

[<Theory>]
[<InlineData("<c8")>]
[<InlineData("|O")>]
[<InlineData("<M8[ns]")>]
[<InlineData("<f16")>]
[<InlineData("<U0")>]
[<InlineData("|O8")>]
[<InlineData("<f0")>]
let ``other types give a fault that names them`` (descr: string) =
    parse (file (header descr "False" "(0,)") [||]) |> Exactly.faulted [ descr ]

/// Texts as NumPy has them: letters of four bytes, blanked with zeros to the longest.
let private wide (isBig: bool) (size: int) (texts: string[]) =
    texts
    |> Array.collect (fun text ->
        let bytes = UTF32Encoding(isBig, false).GetBytes text
        Array.append bytes (Array.zeroCreate (4 * size - bytes.Length)))

[<Law>]
let ``texts are read as they are, in letters of four bytes and in bytes``
    (texts: FsCheck.NonEmptyString[])
    =
    let texts =
        texts
        |> Array.map (fun text ->
            // Surrogates alone are no letters; zeros at the end cannot be told from blanks.
            (text.Get |> String.filter (Char.IsSurrogate >> not)).TrimEnd '\000')

    let longest = texts |> Array.map String.length |> Array.fold max 1
    let shape = $"({texts.Length},)"

    let read descr data =
        match (parse (file ((header descr "False" shape: string)) data) |> orFail).Elements with
        | Elements.Texts found -> found
        | other -> failwith $"expected texts, found {other}"

    Exactly.equal texts (read $"<U{longest}" (wide false longest texts))
    Exactly.equal texts (read $">U{longest}" (wide true longest texts))

    let bytes = texts |> Array.map Encoding.UTF8.GetBytes
    let longest = bytes |> Array.map Array.length |> Array.fold max 1

    bytes
    |> Array.collect (fun bytes -> Array.append bytes (Array.zeroCreate (longest - bytes.Length)))
    |> read $"|S{longest}"
    |> Exactly.equal texts

[<Fact>]
let ``the fault of an array without numbers and texts names its contents`` () =
    for descr, says in
        [
            "|O", "Python objects, which array.astype(float) or astype(str)"
            "<M8[ns]", "dates or times"
            "<m8", "dates or times"
            "<c16", "complex numbers"
            "|V8", "bytes of no type"
            "<f16", "the type <f16"
        ] do
        parse (file (header descr "False" "(2,)") (Array.zeroCreate 32))
        |> Exactly.faulted [ "whole numbers"; "texts"; says ]

    let records =
        "{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }"

    parse (file records (Array.zeroCreate 12))
    |> Exactly.faulted [ "numbers or texts"; "records" ]

    parse (file (header "|S1" "False" "(1,)") [| 0xFFuy |])
    |> Exactly.faulted [ "UTF-8" ]

[<Fact>]
let ``whole numbers above 2⁶³ stay what they are`` () =
    let tensor =
        parse (file (header "<u8" "False" "(1,)") (Array.create 8 0xFFuy)) |> orFail

    Exactly.equal [| 2.0 ** 64 |] (Tensor.toDoubles tensor)

[<Law>]
let ``a header claims the length that its file has`` (AnyTensor tensor) =
    let bytes = Npy.write tensor

    let claimed (bytes: byte[]) =
        Npy.declaredLength (ReadOnlyMemory bytes)

    Exactly.equal (ValueSome(int64 bytes.Length)) (claimed bytes)
    Exactly.equal (ValueSome(int64 bytes.Length)) (claimed bytes[..127])
    Exactly.equal ValueNone (claimed bytes[..20])
