namespace Pipeline.Learning.Formats

open System
open System.Buffers.Binary
open Pipeline.Learning

/// Images of one size.
type IdxImages = {
    /// How many.
    Count: int
    /// The size of each.
    Size: ImageSize
    /// Count · Size.Count bytes: image after image, channel after channel, row after row. In a grey image 0 is
    /// background, 255 full ink.
    Pixels: ReadOnlyMemory<byte>
}

/// <summary>The IDX format of MNIST: bytes to images and labels, and back.</summary>
/// <remarks>Big-endian words: the magic number (of bytes, 2051 for grey images, 2052 for images of channels and 2049
/// for labels), the count, for images the channels, if there are several, rows and columns; then the pixels or labels.
/// The magic number's third byte is their type:
/// bytes of either kind (8, 9), whole numbers of 16 or 32 bits (11, 12), single or double precision (13,
/// 14); its last byte the number of dimensions. Source: LeCun, Cortes and Burges, The
/// MNIST database.</remarks>
[<RequireQualifiedAccess>]
module Idx =
    let private imagesMagic = 2051
    let private channelsMagic = 2052
    let private labelsMagic = 2049

    let private word (bytes: ReadOnlyMemory<byte>) (index: int) : int64 =
        int64 (BinaryPrimitives.ReadUInt32BigEndian(bytes.Span.Slice(4 * index, 4)))

    /// The words after the magic number, and the length of the file that they claim.
    let private claim (words: int) (bytes: ReadOnlyMemory<byte>) : int64 list * bigint =
        let sizes = [ for i in 1..words -> word bytes i ]
        // The product of four words of 32 bits needs more than 64.
        sizes,
        List.fold (fun product (size: int64) -> product * bigint size) 1I sizes
        + bigint (4 * (words + 1))

    /// The types of numbers, by the third byte of the magic number.
    let private types =
        Map [
            0x08, (NumberKind.Unsigned, 1)
            0x09, (NumberKind.Signed, 1)
            0x0B, (NumberKind.Signed, 2)
            0x0C, (NumberKind.Signed, 4)
            0x0D, (NumberKind.Floating, 4)
            0x0E, (NumberKind.Floating, 8)
        ]

    /// The type of a file's numbers and how many dimensions it has, by its magic number.
    let private kindOf (bytes: ReadOnlyMemory<byte>) : struct (NumberKind * int * int) voption =
        let magic = if bytes.Length < 4 then 0L else word bytes 0

        match types.TryFind(int (magic >>> 8)) with
        | Some(kind, size) -> ValueSome(struct (kind, size, int (magic &&& 0xFFL)))
        | None -> ValueNone

    /// <summary>The length of the whole file in bytes that its header claims.</summary>
    /// <param name="start">The file's first 20 bytes, or all of a shorter file.</param>
    /// <returns>The number, at most 2⁶³ − 1; nothing if they are not a header of one to four
    /// dimensions.</returns>
    [<CompiledName("DeclaredLength")>]
    let declaredLength (start: ReadOnlyMemory<byte>) : int64 voption =
        match kindOf start with
        | ValueSome(struct (_, size, dimensions)) when
            dimensions >= 1 && dimensions <= 4 && start.Length >= 4 * (dimensions + 1)
            ->
            let header = bigint (4 * (dimensions + 1))
            let _, claimed = claim dimensions start

            header + bigint size * (claimed - header)
            |> min (bigint Int64.MaxValue)
            |> int64
            |> ValueSome
        | _ -> ValueNone

    /// The numbers of a file of images or labels, whatever their type.
    let private tensor
        (kind: string)
        (magic: int)
        (fits: int -> bool)
        (bytes: ReadOnlyMemory<byte>)
        : Result<Tensor, Fault list> =
        let fault expected found =
            Error [ Fault.create "" expected found ]

        match kindOf bytes with
        | _ when bytes.Length < 4 * ((magic &&& 0xFF) + 1) ->
            fault
                (invariant $"a header of {4 * ((magic &&& 0xFF) + 1)} bytes")
                (invariant $"{bytes.Length} bytes in all")
        | ValueSome(struct (number, size, dimensions)) when fits dimensions ->
            let header = 4 * (dimensions + 1)

            if bytes.Length < header then
                fault
                    (invariant $"a header of {header} bytes")
                    (invariant $"{bytes.Length} bytes in all")
            else
                let sizes = [ for i in 1..dimensions -> word bytes i ]
                let expected = Tensor.bytesOf sizes size + bigint header

                if expected <> bigint bytes.Length then
                    fault
                        (invariant
                            $"{string expected} bytes for the {Tensor.shapeText sizes} {kind} that the header claims")
                        (string bytes.Length)
                elif sizes |> List.exists (fun size -> size > int64 Int32.MaxValue) then
                    fault "sizes below 2³¹" (Tensor.shapeText sizes)
                else
                    match NumberBytes.read true number size (bytes.Slice header) with
                    | ValueSome elements ->
                        Ok {
                            Name = kind
                            Shape = List.map int sizes
                            Elements = elements
                        }
                    | ValueNone -> fault "a type of the format" (invariant $"{number}")
        | _ -> fault (invariant $"the magic number {magic} of IDX {kind}") (string (word bytes 0))

    /// <summary>The images in the bytes of an IDX file, of any type of the format.</summary>
    /// <param name="bytes">The whole file, not compressed. Bytes stay there, not copied.</param>
    /// <returns>(images, rows, columns) or (images, channels, rows, columns), or what is wrong.</returns>
    [<CompiledName("ParseImageTensor")>]
    let parseImageTensor (bytes: ReadOnlyMemory<byte>) : Result<Tensor, Fault list> =
        tensor "images" imagesMagic (fun dimensions -> dimensions = 3 || dimensions = 4) bytes

    /// <summary>The labels in the bytes of an IDX file, of any type of the format.</summary>
    /// <param name="bytes">The whole file, not compressed. Bytes stay there, not copied.</param>
    /// <returns>(samples) or (samples, columns), or what is wrong.</returns>
    [<CompiledName("ParseLabelTensor")>]
    let parseLabelTensor (bytes: ReadOnlyMemory<byte>) : Result<Tensor, Fault list> =
        tensor "labels" labelsMagic (fun dimensions -> dimensions = 1 || dimensions = 2) bytes

    /// The words after the magic number, once the header and the whole length are as they should be.
    let private header
        (kind: string)
        (magic: int)
        (words: int)
        (bytes: ReadOnlyMemory<byte>)
        : Result<int64 list, Fault list> =
        let size = 4 * (words + 1)

        if bytes.Length < size then
            Error [
                Fault.create
                    ""
                    (invariant $"a header of {size} bytes")
                    (invariant $"{bytes.Length} bytes in all")
            ]
        elif word bytes 0 <> int64 magic then
            Error [
                Fault.create
                    ""
                    (invariant $"the magic number {magic} of IDX {kind}")
                    (string (word bytes 0))
            ]
        else
            let sizes, expected = claim words bytes
            let shape = sizes |> List.map string |> String.concat " × "

            if expected <> bigint bytes.Length then
                Error [
                    Fault.create
                        ""
                        (invariant
                            $"{string expected} bytes for the {shape} {kind} that the header claims")
                        (string bytes.Length)
                ]
            else
                Ok sizes

    /// <summary>The images in the bytes of an IDX file.</summary>
    /// <param name="bytes">The whole file, not compressed.</param>
    /// <returns>The images, their pixels a slice of <paramref name="bytes"/>; or what is wrong.</returns>
    [<CompiledName("ParseImages")>]
    let parseImages (bytes: ReadOnlyMemory<byte>) : Result<IdxImages, Fault list> =
        let areOfChannels = bytes.Length >= 4 && word bytes 0 = int64 channelsMagic

        match
            if areOfChannels then
                header "images" channelsMagic 4 bytes
            else
                header "images" imagesMagic 3 bytes
        with
        | Error faults -> Error faults
        | Ok sizes when List.contains 0L sizes ->
            Error [ Fault.create "" "at least one image of at least one pixel" "none" ]
        | Ok sizes ->
            let sizes = List.map int sizes

            Ok {
                Count = sizes[0]
                Size = {
                    Channels = if areOfChannels then sizes[1] else 1
                    Rows = sizes[sizes.Length - 2]
                    Columns = sizes[sizes.Length - 1]
                }
                Pixels = bytes.Slice(4 * (sizes.Length + 1))
            }

    /// <summary>The labels in the bytes of an IDX file.</summary>
    /// <param name="classes">How many classes there are: labels are 0 to classes − 1.</param>
    /// <param name="bytes">The whole file, not compressed.</param>
    /// <returns>The labels, or what is wrong.</returns>
    [<CompiledName("ParseLabels")>]
    let parseLabels (classes: int) (bytes: ReadOnlyMemory<byte>) : Result<int[], Fault list> =
        match header "labels" labelsMagic 1 bytes with
        | Error faults -> Error faults
        | Ok _ ->
            let labels = Array.map int (bytes.Slice(8).ToArray())

            match Array.tryFindIndex (fun label -> label >= classes) labels with
            | None -> Ok labels
            | Some i ->
                Error [
                    Fault.create
                        (invariant $"label {i}")
                        (invariant $"a class of 0 to {classes - 1}")
                        (string (labels[i]))
                ]

    let private write (words: int list) (content: ReadOnlySpan<byte>) : byte[] =
        let bytes = Array.zeroCreate (4 * words.Length + content.Length)

        words
        |> List.iteri (fun i w ->
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * i, 4), uint32 w))

        content.CopyTo(bytes.AsSpan(4 * words.Length))
        bytes

    /// <summary>The bytes of the IDX file of some images: of three dimensions if they are grey, otherwise of
    /// four.</summary>
    [<CompiledName("WriteImages")>]
    let writeImages (images: IdxImages) : byte[] =
        let {
                Channels = channels
                Rows = rows
                Columns = columns
            } =
            images.Size

        if channels = 1 then
            write [ imagesMagic; images.Count; rows; columns ] images.Pixels.Span
        else
            write [ channelsMagic; images.Count; channels; rows; columns ] images.Pixels.Span

    /// <summary>The bytes of the IDX file of some labels, each of 0 to 255.</summary>
    /// <exception cref="T:System.ArgumentException">A label is not.</exception>
    [<CompiledName("WriteLabels")>]
    let writeLabels (labels: int[]) : byte[] =
        for label in labels do
            if label < 0 || label > 255 then
                invalidArg (nameof labels) (invariant $"expected labels of 0 to 255, found {label}")

        write [ labelsMagic; labels.Length ] (ReadOnlySpan(Array.map byte labels))
