namespace Pipeline.Learning.Formats

open System
open System.Buffers.Binary
open System.Globalization
open System.Numerics
open Pipeline.Learning

/// A column as a Parquet file's schema has it.
[<NoComparison; NoEquality>]
type internal ParquetColumn = {
    Name: string
    Type: ParquetType
    /// Bytes of a value where all have as many.
    Length: int
    HasMissing: bool
    Cells: ParquetValues -> Cells
}

/// <summary>The columns of a Parquet file's schema, and what their values mean.</summary>
/// <remarks>Source: Apache Parquet, LogicalTypes.md.</remarks>
[<RequireQualifiedAccess>]
module internal ParquetColumn =
    /// The nearest double of a decimal number: unscaled·10^(−scale).
    let private ofDecimal (scale: int64) (unscaled: BigInteger) : float =
        Double.Parse((invariant $"{string unscaled}E-{scale}"), CultureInfo.InvariantCulture)

    let private numbers
        (ofInteger: int64 -> float)
        (ofBytes: ReadOnlyMemory<byte> -> float)
        values
        =
        match values with
        | ParquetValues.Integers integers -> Cells.Numbers(Array.map ofInteger integers)
        | ParquetValues.Reals reals -> Cells.Numbers reals
        | ParquetValues.Bytes bytes -> Cells.Numbers(Array.map ofBytes bytes)

    /// Whole numbers, as texts where a double does not tell one from another.
    let private wholeNumbers
        (isRounded: int64 -> bool)
        (text: int64 -> string)
        (number: int64 -> float)
        values
        =
        match values with
        | ParquetValues.Integers integers when Array.exists isRounded integers ->
            Cells.Texts(Array.map text integers)
        | _ -> numbers number (fun _ -> damaged "numbers" "bytes") values

    let private signed values =
        wholeNumbers WholeNumbers.isRounded (fun number -> invariant $"{number}") float values

    let private unsigned values =
        wholeNumbers
            (fun number -> number < 0L || WholeNumbers.isRounded number)
            (fun number -> invariant $"{uint64 number}")
            (uint64 >> float)
            values

    /// Whole numbers in the bytes of decimals without digits behind the point.
    let private wholeDecimals (whole: ReadOnlyMemory<byte> -> bigint) values =
        match values with
        | ParquetValues.Bytes bytes ->
            let wholes = Array.map whole bytes
            let first = bigint WholeNumbers.FirstRounded

            if wholes |> Array.exists (fun whole -> BigInteger.Abs whole >= first) then
                Cells.Texts(Array.map string wholes)
            else
                Cells.Numbers(Array.map float wholes)
        | _ -> signed values

    let private texts values =
        match values with
        | ParquetValues.Bytes bytes -> Cells.Texts(Array.map Utf8.read bytes)
        | _ -> damaged "texts in bytes" "numbers"

    /// What a column's stored values mean, or what they are instead of cells. The newer of the two
    /// marks, of a logical type, goes before the older one, of a converted type.
    let private meaning
        (kind: ParquetType)
        (length: int64)
        (element: ThriftFields)
        : Result<ParquetValues -> Cells, string> =
        let none (_: ReadOnlyMemory<byte>) : float = damaged "numbers" "bytes"
        let asTexts = Ok texts

        let asDecimals scale =
            if scale < 0L || scale > 1000L then
                damaged "0 to 1000 decimals" (string scale)

            let unscaled (bytes: ReadOnlyMemory<byte>) =
                if bytes.Length < 1 || bytes.Length > 32 then
                    damaged "a decimal of 1 to 32 bytes" (string bytes.Length)

                BigInteger(bytes.Span, isBigEndian = true)

            Ok(
                if scale = 0L then
                    wholeDecimals unscaled
                else
                    numbers (BigInteger >> ofDecimal scale) (unscaled >> ofDecimal scale)
            )

        let asUnsigned =
            if kind = ParquetType.Int32 then
                Ok(numbers (fun i -> float (uint32 i)) none)
            else
                Ok unsigned

        let asStored () =
            match kind with
            | ParquetType.Boolean
            | ParquetType.Int32
            | ParquetType.Int64
            | ParquetType.Float
            | ParquetType.Double -> Ok signed
            | ParquetType.Int96 -> Error "dates or times"
            | _ -> Error "bytes that are not marked as a text"

        let isBytes = kind = ParquetType.ByteArray

        let isExact =
            isBytes
            || kind = ParquetType.FixedLengthByteArray
            || kind = ParquetType.Int32
            || kind = ParquetType.Int64

        let logical =
            Thrift.tryStructure 10 element |> Option.bind (Map.toSeq >> Seq.tryHead)

        match logical, Thrift.tryInteger 6 element with
        | Some((1 | 4 | 12), _), _
        | None, Some(0L | 4L | 19L) when isBytes -> asTexts
        | Some(5, ThriftValue.Fields fields), _ when isExact -> asDecimals (Thrift.integer 1 fields)
        | None, Some 5L when isExact ->
            asDecimals (Thrift.tryInteger 7 element |> Option.defaultValue 0L)
        | Some(10, ThriftValue.Fields fields), _ when Thrift.tryFlag 2 fields = Some false ->
            asUnsigned
        | None, Some(11L | 12L | 13L | 14L) -> asUnsigned
        | Some(10, _), _
        | Some(11, _), _
        | None, (None | Some(15L | 16L | 17L | 18L)) -> asStored ()
        | Some(15, _), _ when length = 2L ->
            Ok(
                numbers float (fun bytes ->
                    if bytes.Length <> 2 then
                        damaged "numbers of two bytes" (string bytes.Length)

                    float (BinaryPrimitives.ReadHalfLittleEndian bytes.Span))
            )
        | Some((6 | 7 | 8), _), _
        | None, Some(6L | 7L | 8L | 9L | 10L | 21L) -> Error "dates or times"
        | Some((2 | 3), _), _
        | None, Some(1L | 2L | 3L) -> Error "lists"
        | _ -> Error(invariant $"{kind} values of another kind")

    let private children (element: ThriftFields) : int64 =
        Thrift.tryInteger 5 element |> Option.defaultValue 0L

    /// A column of the file's first level: what it is called, and how it is read or what it is instead.
    let private ofElement (element: ThriftFields) : string * Result<ParquetColumn, string> =
        let name = Thrift.text 4 element

        name,
        match Thrift.tryInteger 3 element with
        | _ when children element > 0L -> Error "a group of columns"
        | Some 2L -> Error "lists"
        | Some(0L | 1L as repetition) ->
            let kind = enum<ParquetType>(int (Thrift.integer 1 element))
            let length = Thrift.tryInteger 2 element |> Option.defaultValue 0L

            let least = if kind = ParquetType.FixedLengthByteArray then 1L else 0L

            if length < least || length > int64 Int32.MaxValue then
                damaged (invariant $"values of {least} bytes or more") (string length)

            meaning kind length element
            |> Result.map (fun cells -> {
                Name = name
                Type = kind
                Length = int length
                HasMissing = (repetition = 1L)
                Cells = cells
            })
        | _ -> damaged "a column that says whether values may be missing" "one that does not"

    /// The columns of a schema's first level, each with the place of its first chunk in a group of rows, and
    /// how many chunks there are in all: every column inside a group of columns has one.
    let ofSchema
        (elements: ThriftFields list)
        : (string * int * Result<ParquetColumn, string>) list * int =
        // What stands behind a group of columns, and the chunks inside.
        let rec behind (count: int64) (chunks: int) (elements: ThriftFields list) =
            match elements with
            | element :: rest when count > 0L ->
                let inside = children element
                behind (count - 1L + inside) (if inside > 0L then chunks else chunks + 1) rest
            | _ -> struct (chunks, elements)

        let rec columns chunk found elements =
            match elements with
            | [] -> List.rev found, chunk
            | element :: rest ->
                let name, column = ofElement element
                let inside = children element

                let struct (next, rest) =
                    if inside > 0L then
                        behind inside chunk rest
                    else
                        struct (chunk + 1, rest)

                columns next ((name, chunk, column) :: found) rest

        columns 0 [] elements
