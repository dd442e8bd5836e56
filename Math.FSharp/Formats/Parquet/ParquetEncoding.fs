namespace Pipeline.Learning.Formats

open System
open System.Buffers.Binary
open Pipeline.Learning

/// The types in which Parquet stores values, by their numbers.
type internal ParquetType =
    | Boolean = 0
    | Int32 = 1
    | Int64 = 2
    | Int96 = 3
    | Float = 4
    | Double = 5
    | ByteArray = 6
    | FixedLengthByteArray = 7

/// Values as they are stored, before it is known what they mean.
[<RequireQualifiedAccess; NoComparison; NoEquality>]
type internal ParquetValues =
    /// Truth values are 0 and 1.
    | Integers of int64[]
    | Reals of float[]
    | Bytes of ReadOnlyMemory<byte>[]

/// <summary>Values out of the bytes of a page.</summary>
/// <remarks>Memory is allocated for the number of values that the caller asks for, and for texts no longer than
/// the bytes. Source: Apache Parquet, Encodings.md.</remarks>
[<RequireQualifiedAccess>]
module internal ParquetEncoding =
    /// The number at an index among packed numbers of the same width, at most 64 bits, low bits first.
    let private bits (width: int) (index: int) (bytes: ReadOnlySpan<byte>) : uint64 =
        let first = int64 index * int64 width
        let mutable value = 0UL
        let mutable known = 0

        while known < width do
            let place = first + int64 known
            let from = int place &&& 7
            value <- value ||| (uint64 bytes[int (place >>> 3)] >>> from <<< known)
            known <- known + 8 - from

        if width < 64 then
            value &&& ((1UL <<< width) - 1UL)
        else
            value

    /// The bytes of numbers in groups: those of a last group may end with the numbers that count.
    let private packed (width: int) (whole: int64) (needed: int) (reader: ByteReader) =
        let least = (int64 needed * int64 width + 7L) / 8L
        reader.Take(max least (min (whole * int64 width / 8L) (int64 reader.Left)))

    /// Runs of one number and groups of eight packed ones (RLE and bit-packing hybrid).
    let hybrid (width: int) (count: int) (reader: ByteReader) : int[] =
        if width > 32 then
            damaged "numbers of at most 32 bits" (invariant $"{width} bits")

        let values = Array.zeroCreate count
        let mutable filled = 0

        while filled < count do
            let header = reader.Unsigned()
            let size = int64 (min (header >>> 1) (uint64 Int32.MaxValue))

            if size = 0L then
                damaged "a run of one value or more" "none"

            if header &&& 1UL = 0UL then
                let size = int (min size (int64 (count - filled)))
                let bytes = reader.Take((int64 width + 7L) / 8L)
                let value = bits (8 * bytes.Length) 0 bytes.Span

                if value >>> width <> 0UL then
                    damaged (invariant $"a number of {width} bits") (string value)

                Array.Fill(values, int value, filled, size)
                filled <- filled + size
            else
                let needed = int (min (8L * size) (int64 (count - filled)))
                let bytes = packed width (8L * size) needed reader

                for i in 0 .. needed - 1 do
                    values[filled + i] <- int (bits width i bytes.Span)

                filled <- filled + needed

        values

    /// A first number and the differences to it, packed in blocks (DELTA_BINARY_PACKED).
    let deltas (count: int) (reader: ByteReader) : int64[] =
        let block = reader.Unsigned()
        let parts = reader.Unsigned()
        let claimed = reader.Unsigned()
        let first = reader.Signed()

        if
            parts = 0UL
            || block = 0UL
            || max parts block > uint64 Int32.MaxValue
            || block % (8UL * parts) <> 0UL
        then
            damaged
                "blocks of some eights of numbers a part"
                (invariant $"{block} numbers in {parts} parts")

        if claimed <> uint64 count then
            damaged (invariant $"{count} values") (string claimed)

        let size = int (block / parts)
        let values = Array.zeroCreate count
        let mutable filled = min 1 count

        if count > 0 then
            values[0] <- first

        while filled < count do
            let least = reader.Signed()
            let widths = reader.Take(int64 parts)
            let mutable part = 0

            while part < widths.Length && filled < count do
                let width = int widths.Span[part]

                if width > 64 then
                    damaged "numbers of at most 64 bits" (invariant $"{width} bits")

                let needed = min size (count - filled)
                let bytes = packed width (int64 size) needed reader

                for i in 0 .. needed - 1 do
                    values[filled + i] <-
                        values[filled + i - 1] + least + int64 (bits width i bytes.Span)

                filled <- filled + needed
                part <- part + 1

        values

    /// Lengths as differences, then all bytes (DELTA_LENGTH_BYTE_ARRAY).
    let private lengths (count: int) (reader: ByteReader) : ReadOnlyMemory<byte>[] =
        Array.map reader.Take (deltas count reader)

    /// How much of the value before begins the next one, and the bytes that follow (DELTA_BYTE_ARRAY).
    let private prefixes (charge: int64 -> unit) (count: int) (reader: ByteReader) =
        let shared = deltas count reader
        let ends = lengths count reader
        let values: ReadOnlyMemory<byte>[] = Array.zeroCreate count
        let mutable before = ReadOnlyMemory<byte>.Empty

        for i in 0 .. count - 1 do
            if shared[i] < 0L || shared[i] > int64 before.Length then
                damaged
                    (invariant $"at most {before.Length} bytes of the value before")
                    (string (shared[i]))

            charge shared[i]
            let joined: byte[] = Array.zeroCreate (int shared[i] + ends[i].Length)
            before.Slice(0, int shared[i]).CopyTo(Memory joined)
            ends[i].CopyTo(joined.AsMemory(int shared[i]))
            before <- ReadOnlyMemory joined
            values[i] <- before

        values

    /// Values one after the other, each in its own bytes (PLAIN).
    let private plain (kind: ParquetType) (size: int) (count: int) (reader: ByteReader) =
        let numbers (size: int) (read: ReadOnlyMemory<byte> -> 'U) : 'U[] =
            let bytes = reader.Take(int64 count * int64 size)
            Array.init count (fun i -> read (bytes.Slice(i * size, size)))

        match kind with
        | ParquetType.Boolean ->
            let bytes = reader.Take((int64 count + 7L) / 8L)
            ParquetValues.Integers(Array.init count (fun i -> int64 (bits 1 i bytes.Span)))
        | ParquetType.Int32 ->
            numbers 4 (fun b -> int64 (BinaryPrimitives.ReadInt32LittleEndian b.Span))
            |> ParquetValues.Integers
        | ParquetType.Int64 ->
            numbers 8 (fun b -> BinaryPrimitives.ReadInt64LittleEndian b.Span)
            |> ParquetValues.Integers
        | ParquetType.Float ->
            numbers 4 (fun b -> float (BinaryPrimitives.ReadSingleLittleEndian b.Span))
            |> ParquetValues.Reals
        | ParquetType.Double ->
            numbers 8 (fun b -> BinaryPrimitives.ReadDoubleLittleEndian b.Span)
            |> ParquetValues.Reals
        | ParquetType.FixedLengthByteArray -> ParquetValues.Bytes(numbers size id)
        | ParquetType.ByteArray ->
            if 4L * int64 count > int64 reader.Left then
                damaged
                    (invariant $"{count} values and their lengths")
                    (invariant $"{reader.Left} bytes")

            Array.init count (fun _ ->
                reader.Take(int64 (BinaryPrimitives.ReadInt32LittleEndian (reader.Take 4L).Span)))
            |> ParquetValues.Bytes
        | _ -> damaged "values that can be read" (string kind)

    /// First bytes of all values, then second ones, … (BYTE_STREAM_SPLIT).
    let private split kind (size: int) (count: int) (reader: ByteReader) =
        let bytes = reader.Take(int64 count * int64 size)

        let joined =
            Array.init bytes.Length (fun i -> bytes.Span[i % size * count + i / size])

        plain kind size count (ByteReader joined)

    /// <summary>The values of a page or dictionary, those of a dictionary's places
    /// excepted.</summary>
    /// <param name="charge">Called with the number of bytes that values share, before they are
    /// allocated.</param>
    /// <param name="kind">How they are stored.</param>
    /// <param name="length">Bytes of each value where all have as many.</param>
    /// <param name="encoding">The encoding's number in the format.</param>
    /// <param name="count">How many values.</param>
    /// <param name="reader">At their first byte.</param>
    let read
        (charge: int64 -> unit)
        (kind: ParquetType)
        (length: int)
        (encoding: int64)
        (count: int)
        (reader: ByteReader)
        : ParquetValues =
        match encoding, kind with
        // Of no values some writers pack nothing.
        | _ when count = 0 -> plain kind length 0 reader
        | 0L, _ -> plain kind length count reader
        | 3L, ParquetType.Boolean ->
            let size = BinaryPrimitives.ReadInt32LittleEndian (reader.Take 4L).Span
            let flags = hybrid 1 count (ByteReader(reader.Take(int64 size)))
            ParquetValues.Integers(Array.map int64 flags)
        | 5L, ParquetType.Int32 ->
            // Differences wrap around at 32 bits.
            ParquetValues.Integers(deltas count reader |> Array.map (int32 >> int64))
        | 5L, ParquetType.Int64 -> ParquetValues.Integers(deltas count reader)
        | 6L, ParquetType.ByteArray -> ParquetValues.Bytes(lengths count reader)
        | 7L, ParquetType.ByteArray -> ParquetValues.Bytes(prefixes charge count reader)
        | 7L, ParquetType.FixedLengthByteArray ->
            let values = prefixes charge count reader

            for value in values do
                if value.Length <> length then
                    damaged (invariant $"values of {length} bytes") (string value.Length)

            ParquetValues.Bytes values
        | 9L, (ParquetType.Int32 | ParquetType.Float) -> split kind 4 count reader
        | 9L, (ParquetType.Int64 | ParquetType.Double) -> split kind 8 count reader
        | 9L, ParquetType.FixedLengthByteArray -> split kind length count reader
        | _ -> damaged (invariant $"an encoding of {kind} values") (invariant $"number {encoding}")
