namespace Pipeline.Learning.Formats

open System
open System.Buffers.Binary
open System.Globalization
open System.Text
open System.Text.RegularExpressions
open Pipeline.Learning

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
            fault
                "NumPy's magic bytes and a version"
                (invariant $"{bytes.Length} bytes with another beginning")
        else
            let first, length =
                match int span[6] with
                | 1 -> 10, int64 (BinaryPrimitives.ReadUInt16LittleEndian(span.Slice 8))
                | 2
                | 3 when bytes.Length >= 12 ->
                    12, int64 (BinaryPrimitives.ReadUInt32LittleEndian(span.Slice 8))
                | _ -> 0, -1L

            if length < 0L then
                fault "version 1, 2 or 3 of the format" (string (span[6]))
            elif length > int64 (bytes.Length - first) then
                fault
                    (invariant $"a header of {length} bytes")
                    (invariant $"{bytes.Length - first} bytes after its length")
            else
                let header = Encoding.UTF8.GetString(span.Slice(first, int length))
                Ok(header, bytes.Slice(first + int length))

    /// The value of a key in a header.
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
                // Python 2 writes 3L.
                Int64.TryParse(part.TrimEnd 'L', NumberStyles.None, CultureInfo.InvariantCulture))

        if List.forall fst parts then
            Some(List.map snd parts)
        else
            None

    /// Numbers in Fortran order, rearranged in C order.
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
        | Elements.Texts texts -> Elements.Texts(rowsFirst shape texts)

    /// Texts of a fixed size, padded with zeros: letters of 4 bytes, or bytes of UTF-8. Equal texts share one
    /// string.
    let private texts
        (isBig: bool)
        (isWide: bool)
        (size: int)
        (data: ReadOnlyMemory<byte>)
        : Result<Elements, Fault list> =
        let encoding: Encoding =
            if isWide then
                UTF32Encoding(isBig, false, throwOnInvalidCharacters = true)
            else
                UTF8Encoding(false, throwOnInvalidBytes = true)

        let known = Collections.Generic.Dictionary<string, string>()

        let text i =
            let text = encoding.GetString(data.Slice(i * size, size).Span).TrimEnd '\000'

            match known.TryGetValue text with
            | true, same -> same
            | false, _ ->
                known[text] <- text
                text

        try
            Ok(Elements.Texts(Array.init (data.Length / size) text))
        with :? DecoderFallbackException ->
            fault "texts in UTF-8, or in letters of 4 bytes" "other bytes"

    /// A header's values: NumPy's name of the type, the order and the shape.
    type private Header = {
        Type: string
        IsFortran: bool
        Shape: int64 list
    }

    let private parseHeader (text: string) : Result<Header, Fault list> =
        // A list, of an array of records, is not between quotes.
        match
            text |> said "descr" "['\"]([^'\"]{1,60})['\"]",
            text |> said "descr" "(\\[)",
            text |> said "fortran_order" "(True|False)",
            text |> said "shape" "\\(([0-9L, \\n]{0,400})\\)" |> Option.bind sizes
        with
        | None, Some _, _, _ -> fault "an array of numbers or texts" "an array of records"
        | Some descr, _, Some order, Some shape ->
            Ok {
                Type = descr
                IsFortran = (order = "True")
                Shape = shape
            }
        | _ -> fault "a dictionary of descr, fortran_order and shape" "another header"

    /// A type's letter and its size in bytes: <c>&lt;U3</c> has three letters of four.
    let private (|Type|_|) (descr: string) : struct (bool * char * int) option =
        let found = Regex.Match(descr, "^([<>|=])([a-zA-Z])([0-9]{1,6})$")

        let size = if found.Success then int found.Groups[3].Value else 0

        if size > 0 then
            let letter = found.Groups[2].Value[0]
            let isBig = found.Groups[1].Value = ">"
            Some(struct (isBig, letter, (if letter = 'U' then 4 * size else size)))
        else
            None

    /// The letters of the types that are read.
    let private known = "buifUSa"

    let private unreadable (descr: string) : Result<'V, Fault list> =
        let what =
            match descr.TrimStart('<', '>', '|', '=') |> Seq.tryHead with
            | Some 'O' -> ": Python objects, which array.astype(float) or astype(str) converts"
            | Some('M' | 'm') -> ": dates or times"
            | Some 'c' -> ": complex numbers"
            | Some 'V' -> ": bytes of no type"
            | _ -> ""

        fault
            "whole numbers, truth values, floating point of 16 to 64 bits, or texts"
            $"the type {descr}{what}"

    /// <summary>The length of the whole file in bytes that its header claims.</summary>
    /// <param name="start">The beginning of the file: <c>MaximumHeaderLength</c> bytes, or all of a shorter
    /// file.</param>
    /// <returns>The number, at most 2⁶³ − 1; nothing if the header is invalid, or the type has no fixed
    /// size.</returns>
    [<CompiledName("DeclaredLength")>]
    let declaredLength (start: ReadOnlyMemory<byte>) : int64 voption =
        match
            split start
            |> Result.bind (fun (text, rest) ->
                parseHeader text
                |> Result.map (fun header -> header, start.Length - rest.Length))
        with
        | Ok({
                 Type = Type(struct (_, _, size))
                 Shape = shape
             },
             first) ->
            Tensor.bytesOf shape size + bigint first
            |> min (bigint Int64.MaxValue)
            |> int64
            |> ValueSome
        | _ -> ValueNone

    /// <summary>The most bytes of a header with its prefix that <c>declaredLength</c> reads.</summary>
    [<Literal>]
    let MaximumHeaderLength = 66_000

    /// <summary>The array in the bytes of an NPY file: whole numbers, truth values as 0 and 1, floating
    /// point of 16, 32 or 64 bits, and texts, of either byte order.</summary>
    /// <param name="name">The array's name.</param>
    /// <param name="bytes">The whole file. Bytes of the array stay there, not copied.</param>
    [<CompiledName("Parse")>]
    let parse (name: string) (bytes: ReadOnlyMemory<byte>) : Result<Tensor, Fault list> =
        split bytes
        |> Result.bind (fun (text, data) ->
            parseHeader text
            |> Result.bind (fun header ->
                match header.Type with
                | Type(struct (isBig, letter, size)) ->
                    let expected = Tensor.bytesOf header.Shape size

                    if not (known.Contains letter) then
                        unreadable header.Type
                    elif expected <> bigint data.Length then
                        fault
                            (invariant
                                $"{string expected} bytes for {Tensor.shapeText header.Shape} of type {header.Type}")
                            (string data.Length)
                    elif
                        header.Shape |> List.exists (fun size -> size > int64 Int32.MaxValue)
                    then
                        // No element, and any sizes beside a 0.
                        fault "sizes below 2³¹" (Tensor.shapeText header.Shape)
                    else
                        let numbers kind =
                            match NumberBytes.read isBig kind size data with
                            | ValueSome elements -> Ok elements
                            | ValueNone -> unreadable header.Type

                        match letter with
                        | 'b' -> numbers NumberKind.Truth
                        | 'u' -> numbers NumberKind.Unsigned
                        | 'i' -> numbers NumberKind.Signed
                        | 'f' -> numbers NumberKind.Floating
                        | 'U' -> texts isBig true size data
                        | 'S'
                        | 'a' -> texts isBig false size data
                        | _ -> unreadable header.Type
                        |> Result.map (fun elements ->
                            let shape = List.map int header.Shape

                            {
                                Name = name
                                Shape = shape
                                Elements =
                                    if header.IsFortran && shape.Length > 1 then
                                        reorder shape elements
                                    else
                                        elements
                            })
                | descr -> unreadable descr))

    /// <summary>The bytes of an array's NPY file, of version 1.</summary>
    /// <exception cref="T:System.ArgumentException">The array is of texts.</exception>
    [<CompiledName("Write")>]
    let write (tensor: Tensor) : byte[] =
        let descr =
            match tensor.Elements with
            | Elements.Bytes _ -> "|u1"
            | Elements.Integers _ -> "<i8"
            | Elements.Singles _ -> "<f4"
            | Elements.Doubles _ -> "<f8"
            | Elements.Texts _ -> invalidArg (nameof tensor) "expected numbers, found texts"

        // A tuple of one has a comma behind it.
        let sizes =
            match tensor.Shape with
            | [ size ] -> invariant $"{size},"
            | sizes -> sizes |> List.map string |> String.concat ", "

        let header =
            invariant $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}"

        // The data begin at a multiple of 64 bytes; a line feed ends the header.
        let padding = String(' ', -(magic.Length + 5 + header.Length) &&& 63)
        let text = Encoding.UTF8.GetBytes($"{header}{padding}\n")
        let length: byte[] = Array.zeroCreate 2
        BinaryPrimitives.WriteUInt16LittleEndian(Span length, uint16 text.Length)
        Array.concat [ magic; [| 1uy; 0uy |]; length; text; Tensor.toBytes tensor ]
