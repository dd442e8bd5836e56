namespace Pipeline.Learning

open System
open System.Buffers.Binary
open System.Globalization
open System.Text
open System.Text.RegularExpressions

/// <summary>NumPy's files of one array: bytes to tensors, and back.</summary>
/// <remarks>The format: six bytes of magic, two of version, the header's length (two bytes little-endian,
/// four from version 2 on), a Python dictionary of type, order and shape, then the numbers. Source: the
/// NPY format of NumPy.</remarks>
[<RequireQualifiedAccess>]
module Npy =
    let private magic = [| 0x93uy; byte 'N'; byte 'U'; byte 'M'; byte 'P'; byte 'Y' |]

    let private fault expected found =
        Error [ Fault.create "" expected found ]

    /// The header's text and the bytes behind it.
    let private split
        (bytes: ReadOnlyMemory<byte>)
        : Result<string * ReadOnlyMemory<byte>, Fault list> =
        let span = bytes.Span

        if bytes.Length < 10 || not (span.StartsWith(ReadOnlySpan magic)) then
            fault "NumPy's magic bytes and a version" $"{bytes.Length} bytes that begin otherwise"
        else
            let first, length =
                match int span[6] with
                | 1 -> 10, int64 (BinaryPrimitives.ReadUInt16LittleEndian(span.Slice 8))
                | 2
                | 3 when bytes.Length >= 12 ->
                    12, int64 (BinaryPrimitives.ReadUInt32LittleEndian(span.Slice 8))
                | _ -> 0, -1L

            if length < 0L then
                fault "version 1, 2 or 3 of the format" $"{span[6]}"
            elif length > int64 (bytes.Length - first) then
                fault $"a header of {length} bytes" $"{bytes.Length - first} bytes after its length"
            else
                let header = Encoding.UTF8.GetString(span.Slice(first, int length))
                Ok(header, bytes.Slice(first + int length))

    /// What a header says of a key.
    let private said (key: string) (value: string) (header: string) : string option =
        let found =
            Regex.Match(header, $"['\"]{key}['\"]\\s*:\\s*{value}", RegexOptions.CultureInvariant)

        if found.Success then Some found.Groups[1].Value else None

    /// The sizes between a header's parentheses.
    let private sizes (text: string) : int64 list option =
        let parts =
            text.Split(
                ',',
                StringSplitOptions.RemoveEmptyEntries ||| StringSplitOptions.TrimEntries
            )
            |> List.ofArray
            |> List.map (fun part ->
                Int64.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture))

        if List.forall fst parts then
            Some(List.map snd parts)
        else
            None

    /// Numbers of another type or byte order, each read from its bytes.
    let private read
        (isBig: bool)
        (size: int)
        (data: ReadOnlyMemory<byte>)
        (convert: byte[] -> 'U)
        : 'U[] =
        Array.init (data.Length / size) (fun i ->
            let bytes = data.Slice(i * size, size).ToArray()

            if isBig = BitConverter.IsLittleEndian then
                Array.Reverse bytes

            convert bytes)

    /// The numbers, for the types there are; 64 bits without a sign stand as far as their sign allows.
    let private elements
        (order: char)
        (kind: char)
        (size: int)
        (data: ReadOnlyMemory<byte>)
        : Elements option =
        let isBig = (order = '>')

        let integers convert =
            Some(Elements.Integers(read isBig size data convert))

        match kind, size with
        | ('u' | 'b'), 1 -> Some(Elements.Bytes data)
        | 'i', 1 -> integers (fun b -> int64 (sbyte b[0]))
        | 'i', 2 -> integers (fun b -> int64 (BitConverter.ToInt16(b, 0)))
        | 'i', 4 -> integers (fun b -> int64 (BitConverter.ToInt32(b, 0)))
        | 'i', 8 -> integers (fun b -> BitConverter.ToInt64(b, 0))
        | 'u', 2 -> integers (fun b -> int64 (BitConverter.ToUInt16(b, 0)))
        | 'u', 4 -> integers (fun b -> int64 (BitConverter.ToUInt32(b, 0)))
        | 'u', 8 -> integers (fun b -> int64 (BitConverter.ToUInt64(b, 0)))
        | 'f', 2 ->
            Some(Elements.Singles(read isBig 2 data (fun b -> float32 (BitConverter.ToHalf(b, 0)))))
        | 'f', 4 when isBig ->
            Some(Elements.Singles(read isBig 4 data (fun b -> BitConverter.ToSingle(b, 0))))
        | 'f', 8 when isBig ->
            Some(Elements.Doubles(read isBig 8 data (fun b -> BitConverter.ToDouble(b, 0))))
        | 'f', 4 -> Some(Elements.Singles(LittleEndian.numbers data.Span))
        | 'f', 8 -> Some(Elements.Doubles(LittleEndian.numbers data.Span))
        | _ -> None

    /// Numbers whose first dimension runs fastest, in the order of the others.
    let private rowsFirst (shape: int list) (values: 'U[]) : 'U[] =
        let sizes = Array.ofList shape
        let place: int[] = Array.zeroCreate sizes.Length

        Array.init values.Length (fun _ ->
            let mutable source = 0

            for d = sizes.Length - 1 downto 0 do
                source <- source * sizes[d] + place[d]

            let mutable d = sizes.Length - 1

            while d >= 0 do
                place[d] <- place[d] + 1

                if place[d] = sizes[d] then
                    place[d] <- 0
                    d <- d - 1
                else
                    d <- -1

            values[source])

    let private reorder (shape: int list) (elements: Elements) : Elements =
        match elements with
        | Elements.Bytes bytes -> Elements.Bytes(ReadOnlyMemory(rowsFirst shape (bytes.ToArray())))
        | Elements.Integers integers -> Elements.Integers(rowsFirst shape integers)
        | Elements.Singles singles -> Elements.Singles(rowsFirst shape singles)
        | Elements.Doubles doubles -> Elements.Doubles(rowsFirst shape doubles)

    /// <summary>The array in the bytes of an NPY file: whole numbers, truth values as 0 and 1, and
    /// floating point of 16, 32 or 64 bits, of either byte order.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="bytes">The whole file. Bytes of the array stay there, not copied.</param>
    [<CompiledName("Parse")>]
    let parse (name: string) (bytes: ReadOnlyMemory<byte>) : Result<Tensor, Fault list> =
        match split bytes with
        | Error faults -> Error faults
        | Ok(header, data) ->
            let descr = header |> said "descr" "['\"]([<>|=][a-zA-Z][0-9]{1,3})['\"]"

            let shape = header |> said "shape" "\\(([0-9, \\n]{0,400})\\)" |> Option.bind sizes

            match descr, header |> said "fortran_order" "(True|False)", shape with
            | Some descr, Some order, Some shape ->
                let size = int descr[2..]
                let expected = Tensor.bytesOf shape size

                if size = 0 || expected <> bigint data.Length then
                    fault
                        $"{expected} bytes for {Tensor.shapeText shape} of type {descr}"
                        $"{data.Length}"
                else
                    // No element, and any sizes beside a 0.
                    let fits = shape |> List.forall (fun size -> size <= int64 Int32.MaxValue)

                    match elements descr[0] descr[1] size data with
                    | Some elements when fits ->
                        let shape = List.map int shape

                        Ok {
                            Name = name
                            Shape = shape
                            Elements =
                                if order = "True" && shape.Length > 1 then
                                    reorder shape elements
                                else
                                    elements
                        }
                    | _ ->
                        fault
                            "whole numbers, truth values or floating point of 16 to 64 bits"
                            $"the type {descr} in a shape of {Tensor.shapeText shape}"
            | _ -> fault "a dictionary of descr, fortran_order and shape" "another header"

    /// <summary>The bytes of an array's NPY file, of version 1.</summary>
    [<CompiledName("Write")>]
    let write (tensor: Tensor) : byte[] =
        let descr =
            match tensor.Elements with
            | Elements.Bytes _ -> "|u1"
            | Elements.Integers _ -> "<i8"
            | Elements.Singles _ -> "<f4"
            | Elements.Doubles _ -> "<f8"

        // A tuple of one has a comma behind it.
        let sizes =
            match tensor.Shape with
            | [ size ] -> $"{size},"
            | sizes -> sizes |> List.map string |> String.concat ", "

        let header = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}"

        // The data begin at a multiple of 64 bytes; a line feed ends the header.
        let padding = String(' ', -(magic.Length + 5 + header.Length) &&& 63)
        let text = Encoding.UTF8.GetBytes($"{header}{padding}\n")
        let length: byte[] = Array.zeroCreate 2
        BinaryPrimitives.WriteUInt16LittleEndian(Span length, uint16 text.Length)
        Array.concat [ magic; [| 1uy; 0uy |]; length; text; Tensor.toBytes tensor ]
