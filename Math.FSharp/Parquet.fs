namespace Pipeline.Learning

open System
open System.Buffers.Binary
open System.Globalization
open System.Numerics
open System.Text

/// How the bytes of a page are packed, by the format's numbers.
type ParquetCodec =
    /// Snappy's blocks, without a frame.
    | Snappy = 1
    /// A gzip stream of RFC 1952.
    | Gzip = 2
    /// Brotli, RFC 7932.
    | Brotli = 4
    /// Zstandard, RFC 8878.
    | Zstd = 6
    /// LZ4's blocks, without a frame.
    | Lz4Raw = 7

/// <summary>Parquet files of flat columns: bytes to a table.</summary>
/// <remarks>
/// <para>The format: <c>PAR1</c>; for each group of rows and column a chunk of pages, the first of which
/// may be a dictionary; a footer that says in Thrift's compact protocol where they are and of what type;
/// its length in four bytes, little-endian, and <c>PAR1</c>. A page has a header of its own, then for
/// columns with missing values which are there, then the values.</para>
/// <para>Every size is checked before room is taken for it. Source: Apache Parquet's format
/// 2.12.</para>
/// </remarks>
[<RequireQualifiedAccess>]
module Parquet =
    let private magic = "PAR1"B

    let private damaged expected found : 'V = raise (Damaged(expected, found))

    /// Packed bytes, how they are packed, and how many they are to be; what they are.
    type private Unpack = int64 -> ReadOnlyMemory<byte> -> int64 -> ReadOnlyMemory<byte>

    /// A column of the footer's schema.
    [<NoComparison; NoEquality>]
    type private Leaf = {
        Name: string
        Type: ParquetType
        /// Bytes of a value where all have as many.
        Length: int
        HasMissing: bool
        Cells: ParquetValues -> Cells
    }

    /// A number of so many decimals as the nearest one in binary.
    let private ofDecimal (scale: int64) (unscaled: BigInteger) : float =
        Double.Parse($"{unscaled}E-{scale}", CultureInfo.InvariantCulture)

    let private numbers
        (ofInteger: int64 -> float)
        (ofBytes: ReadOnlyMemory<byte> -> float)
        values
        =
        match values with
        | ParquetValues.Integers integers -> Cells.Numbers(Array.map ofInteger integers)
        | ParquetValues.Reals reals -> Cells.Numbers reals
        | ParquetValues.Bytes bytes -> Cells.Numbers(Array.map ofBytes bytes)

    let private texts values =
        match values with
        | ParquetValues.Bytes bytes ->
            Cells.Texts(bytes |> Array.map (fun b -> Encoding.UTF8.GetString b.Span))
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
                damaged "0 to 1000 decimals" $"{scale}"

            Ok(
                numbers (fun i -> ofDecimal scale (BigInteger i)) (fun bytes ->
                    if bytes.Length > 32 then
                        damaged "a decimal of at most 32 bytes" $"{bytes.Length}"

                    ofDecimal scale (BigInteger(bytes.Span, isBigEndian = true)))
            )

        let asUnsigned =
            if kind = ParquetType.Int32 then
                Ok(numbers (fun i -> float (uint32 i)) none)
            else
                Ok(numbers (fun i -> float (uint64 i)) none)

        let asStored () =
            match kind with
            | ParquetType.Boolean
            | ParquetType.Int32
            | ParquetType.Int64
            | ParquetType.Float
            | ParquetType.Double -> Ok(numbers float none)
            | ParquetType.Int96 -> Error "dates or times"
            | _ -> Error "bytes that are not marked as a text"

        let isBytes = kind = ParquetType.ByteArray

        let logical =
            Thrift.tryStructure 10 element |> Option.bind (Map.toSeq >> Seq.tryHead)

        match logical, Thrift.tryInteger 6 element with
        | Some((1 | 4 | 12), _), _
        | None, Some(0L | 4L | 19L) when isBytes -> asTexts
        | Some(5, ThriftValue.Fields fields), _ -> asDecimals (Thrift.integer 1 fields)
        | None, Some 5L -> asDecimals (Thrift.tryInteger 7 element |> Option.defaultValue 0L)
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
                        damaged "numbers of two bytes" $"{bytes.Length}"

                    float (BinaryPrimitives.ReadHalfLittleEndian bytes.Span))
            )
        | Some((6 | 7 | 8), _), _
        | None, Some(6L | 7L | 8L | 9L | 10L | 21L) -> Error "dates or times"
        | Some((2 | 3), _), _
        | None, Some(1L | 2L | 3L) -> Error "lists"
        | _ -> Error $"{kind} values of another kind"

    let private children (element: ThriftFields) : int64 =
        Thrift.tryInteger 5 element |> Option.defaultValue 0L

    let private leaf (element: ThriftFields) : Result<Leaf, Fault list> =
        let name = Thrift.text 4 element

        let fault found =
            Error [
                Fault.create $"column {name}" "numbers, truth values or texts, one a row" found
            ]

        match Thrift.tryInteger 3 element with
        | _ when children element > 0L -> fault "a group of columns"
        | Some 2L -> fault "lists"
        | repetition ->
            let kind = enum<ParquetType>(int (Thrift.integer 1 element))
            let length = Thrift.tryInteger 2 element |> Option.defaultValue 0L

            if length < 0L || length > int64 Int32.MaxValue then
                damaged "a length of 0 bytes or more" $"{length}"

            match meaning kind length element with
            | Error found -> fault found
            | Ok cells ->
                Ok {
                    Name = name
                    Type = kind
                    Length = int length
                    HasMissing = (repetition = Some 1L)
                    Cells = cells
                }

    /// The columns of a schema. Those in a group are passed over: the group is at fault.
    let private leaves (elements: ThriftFields list) : Result<Leaf, Fault list> list =
        let rec behind (count: int64) (elements: ThriftFields list) =
            match elements with
            | element :: rest when count > 0L -> behind (count - 1L + children element) rest
            | _ -> elements

        elements
        |> List.unfold (function
            | [] -> None
            | element :: rest -> Some(leaf element, behind (children element) rest))

    let private pick (places: int[]) (cells: Cells) : Cells =
        let size = Table.rowsOf cells

        for place in places do
            if place < 0 || place >= size then
                damaged $"places in a dictionary of {size} values" $"{place}"

        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(Array.map (Array.get numbers) places)
        | Cells.Texts texts -> Cells.Texts(Array.map (Array.get texts) places)

    /// Puts the values that are there where they belong.
    let private spread (isThere: int[]) (cells: Cells) : Cells =
        // Of each row the number of values up to it.
        let ranks = Array.scan (+) 0 isThere

        let place (missing: 'V) (values: 'V[]) =
            isThere
            |> Array.mapi (fun i level -> if level = 1 then values[ranks[i]] else missing)

        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(place nan numbers)
        | Cells.Texts texts -> Cells.Texts(place "" texts)

    let private join (pages: Cells list) : Cells =
        match pages with
        | Cells.Numbers _ :: _ ->
            pages
            |> List.choose (function
                | Cells.Numbers numbers -> Some numbers
                | _ -> None)
            |> Array.concat
            |> Cells.Numbers
        | _ ->
            pages
            |> List.choose (function
                | Cells.Texts texts -> Some texts
                | _ -> None)
            |> Array.concat
            |> Cells.Texts

    /// A page's values, where a dictionary may have them.
    let private values
        limit
        (leaf: Leaf)
        (dictionary: Cells option)
        encoding
        count
        (reader: ByteReader)
        =
        match encoding, dictionary with
        | (2L | 8L), Some dictionary when count > 0 ->
            match int (reader.Byte()) with
            // Some writers say nothing more of places that are all 0.
            | 0 -> pick (Array.zeroCreate count) dictionary
            | width -> pick (ParquetEncoding.hybrid width count reader) dictionary
        | (2L | 8L), None when count > 0 -> damaged "a dictionary before places in it" "none"
        | (2L | 8L), _ -> leaf.Cells(ParquetEncoding.read limit leaf.Type leaf.Length 0L 0 reader)
        | _ -> leaf.Cells(ParquetEncoding.read limit leaf.Type leaf.Length encoding count reader)

    let private size (what: string) (most: int64) (size: int64) : int =
        if size < 0L || size > most then
            damaged $"0 to {most} {what}" $"{size}"

        int size

    /// The values behind their levels: which of a page's rows have one.
    let private rows
        limit
        leaf
        dictionary
        encoding
        (levels: int[] option)
        count
        (reader: ByteReader)
        =
        match levels with
        | None -> values limit leaf dictionary encoding count reader
        | Some levels ->
            values limit leaf dictionary encoding (Array.sum levels) reader |> spread levels

    /// A page of the format's first version: levels and values are packed together.
    let private page limit (unpacked: ReadOnlyMemory<byte>) leaf dictionary most header =
        let count = size "values" most (Thrift.integer 1 header)
        let reader = ByteReader unpacked

        let levels =
            if leaf.HasMissing then
                if Thrift.integer 3 header <> 3L then
                    damaged "levels in runs" $"the encoding {Thrift.integer 3 header}"

                let length = BinaryPrimitives.ReadInt32LittleEndian (reader.Take 4L).Span
                Some(ParquetEncoding.hybrid 1 count (ByteReader(reader.Take(int64 length))))
            else
                None

        rows limit leaf dictionary (Thrift.integer 2 header) levels count reader

    /// A page of the second version: the levels stand before what is packed.
    let private pageV2
        limit
        (unpack: Unpack)
        codec
        (packed: ReadOnlyMemory<byte>)
        whole
        leaf
        dictionary
        most
        header
        =
        let count = size "values" most (Thrift.integer 1 header)
        let reader = ByteReader packed
        let length = Thrift.integer 5 header
        let levels = reader.Take length

        if Thrift.integer 6 header <> 0L then
            damaged "no lists" "levels of repetition"

        let codec = if Thrift.tryFlag 7 header = Some false then 0L else codec

        let levels =
            if leaf.HasMissing then
                Some(ParquetEncoding.hybrid 1 count (ByteReader levels))
            else
                None

        let packed = reader.Take(int64 reader.Left)

        ByteReader(unpack codec packed (whole - length))
        |> rows limit leaf dictionary (Thrift.integer 4 header) levels count

    /// The cells of a chunk: pages until there is one for every row.
    let private chunk
        limit
        (unpack: Unpack)
        (leaf: Leaf)
        (rows: int64)
        (bytes: ReadOnlyMemory<byte>)
        chunk
        =
        let about = Thrift.structure 3 chunk

        if
            Thrift.texts 3 about <> [ leaf.Name ]
            || Thrift.integer 1 about <> int64 leaf.Type
            || Thrift.integer 5 about <> rows
        then
            damaged $"a chunk of {rows} {leaf.Type} values of the column" "another"

        let codec = Thrift.integer 4 about

        let first =
            match Thrift.tryInteger 11 about with
            | Some dictionary when dictionary > 0L -> min dictionary (Thrift.integer 9 about)
            | _ -> Thrift.integer 9 about

        let reader = ByteReader bytes
        reader.Take first |> ignore
        let mutable left = rows
        let mutable dictionary = None
        let mutable pages = []

        while left > 0L do
            let header = Thrift.read reader
            let whole = Thrift.integer 2 header
            let packed = reader.Take(Thrift.integer 3 header)

            let cells =
                match Thrift.integer 1 header with
                | 0L ->
                    Thrift.structure 5 header
                    |> page limit (unpack codec packed whole) leaf dictionary left
                    |> Some
                | 3L ->
                    Thrift.structure 8 header
                    |> pageV2 limit unpack codec packed whole leaf dictionary left
                    |> Some
                | 2L when dictionary.IsNone ->
                    let about = Thrift.structure 7 header
                    let reader = ByteReader(unpack codec packed whole)
                    // A value has at least a bit.
                    let count = size "values" (8L * int64 reader.Left) (Thrift.integer 1 about)

                    dictionary <-
                        ParquetEncoding.read limit leaf.Type leaf.Length 0L count reader
                        |> leaf.Cells
                        |> Some

                    None
                | 2L -> damaged "one dictionary" "another"
                | _ -> None

            match cells with
            | Some cells ->
                left <- left - int64 (Table.rowsOf cells)
                pages <- cells :: pages
            | None -> ()

        List.rev pages

    let private footer (bytes: ReadOnlyMemory<byte>) : ReadOnlyMemory<byte> * ThriftFields =
        let span = bytes.Span

        if
            not (
                bytes.Length >= 12
                && span.StartsWith(ReadOnlySpan magic)
                && span.EndsWith(ReadOnlySpan magic)
            )
        then
            damaged "a Parquet file, with PAR1 at both ends" $"{bytes.Length} bytes of another kind"

        let reader = ByteReader(bytes.Slice(0, bytes.Length - 8))

        let length =
            int64 (BinaryPrimitives.ReadUInt32LittleEndian(span.Slice(bytes.Length - 8)))

        let data = reader.Take(int64 reader.Left - length)
        data, Thrift.read reader

    /// <summary>The table in the bytes of a Parquet file.</summary>
    /// <param name="limit">The most bytes of all columns, unpacked; a cell counts as eight.</param>
    /// <param name="unpack">Fills the second bytes with what the first hold, and says whether these held
    /// just as much: false, not an exception, for bytes that are damaged.</param>
    /// <param name="bytes">The whole file.</param>
    [<CompiledName("Parse")>]
    let parse
        (limit: int64)
        (unpack: ParquetCodec -> ReadOnlyMemory<byte> -> Memory<byte> -> bool)
        (bytes: ReadOnlyMemory<byte>)
        : Result<Table, Fault list> =
        let left = ref limit

        let unpack (codec: int64) (packed: ReadOnlyMemory<byte>) (whole: int64) =
            left.Value <- left.Value - whole

            if whole < 0L || whole > int64 Array.MaxLength || left.Value < 0L then
                damaged $"pages of at most {limit} bytes (Data:MaximumBytes)" $"{whole} more"

            match codec with
            | 0L when int64 packed.Length = whole -> packed
            | 0L -> damaged $"a page of {whole} bytes" $"{packed.Length}"
            // Of an empty page some writers pack nothing.
            | _ when whole = 0L -> ReadOnlyMemory.Empty
            | _ ->
                let known = Enum.GetValues<ParquetCodec>()

                match known |> Array.tryFind (fun known -> int64 known = codec) with
                | Some codec ->
                    let page: byte[] = Array.zeroCreate (int whole)

                    if not (unpack codec packed (Memory page)) then
                        damaged $"{whole} bytes packed by {codec}" "others"

                    ReadOnlyMemory page
                | None ->
                    let known = known |> Array.map string |> String.concat ", "
                    damaged $"pages that are not packed, or by {known}" $"the codec {codec}"

        let within (place: string) (act: unit -> 'V) : Result<'V, Fault list> =
            try
                Ok(act ())
            with Damaged(expected, found) ->
                Error [ Fault.create place expected found ]

        within "" (fun () ->
            let data, footer = footer bytes
            let groups = Thrift.structures 4 footer

            match Thrift.structures 2 footer with
            | [] -> damaged "a schema" "none"
            | _ :: elements ->
                Fault.all (leaves elements)
                |> Result.bind (fun leaves ->
                    let sizes = groups |> List.map (Thrift.integer 3)
                    let cells = (sizes |> List.sumBy bigint) * bigint leaves.Length

                    if List.exists (fun size -> size < 0L) sizes || 8I * cells > bigint limit then
                        damaged
                            $"columns of at most {limit} bytes (Data:MaximumBytes)"
                            $"{cells} cells"

                    let chunks =
                        groups |> List.map (fun group -> Array.ofList (Thrift.structures 1 group))

                    if chunks |> List.exists (fun chunks -> chunks.Length <> leaves.Length) then
                        damaged $"{leaves.Length} columns in every group of rows" "others"

                    leaves
                    |> List.mapi (fun i leaf ->
                        within $"column {leaf.Name}" (fun () -> {
                            Name = leaf.Name
                            Cells =
                                List.zip sizes chunks
                                |> List.collect (fun (rows, chunks) ->
                                    chunk limit unpack leaf rows data chunks[i])
                                |> join
                        }))
                    |> Fault.all)
                |> Result.bind Table.create)
        |> Result.bind id
