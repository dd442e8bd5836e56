namespace Pipeline.Learning.Formats

open System
open System.Buffers.Binary
open Pipeline.Learning

/// The source of pages, with functions that check its limits and decompress.
[<NoComparison; NoEquality>]
type internal ParquetSource = {
    /// The file up to its footer.
    Bytes: ReadOnlyMemory<byte>
    /// Counts the bytes that are read, so that no chunk overlaps another.
    Walk: int64 -> unit
    /// Counts the bytes that are allocated.
    Charge: int64 -> unit
    /// Decompresses bytes, from their codec, the bytes and their decompressed length.
    Unpack: int64 -> ReadOnlyMemory<byte> -> int64 -> ReadOnlyMemory<byte>
}

/// <summary>The pages of a column's chunk.</summary>
/// <remarks>Source: Apache Parquet, parquet.thrift.</remarks>
[<RequireQualifiedAccess>]
module internal ParquetPages =
    /// CRC-32 of a byte's remainder, as gzip has it.
    let private remainders =
        Array.init 256 (fun first ->
            Seq.fold
                (fun (crc: uint32) _ ->
                    if crc &&& 1u = 1u then
                        (crc >>> 1) ^^^ 0xEDB88320u
                    else
                        crc >>> 1)
                (uint32 first)
                (seq { 1..8 }))

    let private checksum (bytes: ReadOnlyMemory<byte>) : uint32 =
        let span = bytes.Span
        let mutable crc = UInt32.MaxValue

        for i in 0 .. span.Length - 1 do
            crc <- (crc >>> 8) ^^^ remainders[int ((crc ^^^ uint32 span[i]) &&& 0xFFu)]

        ~~~crc

    /// The values of indices in a dictionary.
    let private lookUp (places: int[]) (dictionary: Cells) : Cells =
        let size = Cells.count dictionary

        for place in places do
            if place < 0 || place >= size then
                damaged (invariant $"places in a dictionary of {size} values") (string place)

        Cells.pick places dictionary

    /// The values in their rows, with missing ones between them.
    let private spread (isThere: int[]) (cells: Cells) : Cells =
        // Of each row the number of values up to it.
        let ranks = Array.scan (+) 0 isThere

        let place (missing: 'V) (values: 'V[]) =
            isThere
            |> Array.mapi (fun i level -> if level = 1 then values[ranks[i]] else missing)

        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(place nan numbers)
        | Cells.Texts texts -> Cells.Texts(place "" (Array.ofSeq texts))
        | Cells.Unreadable _ -> cells

    /// The cells of pages, one after the other. Whole numbers are texts if those of one page are.
    let join (pages: Cells list) : Cells =
        let numbers =
            pages
            |> List.choose (function
                | Cells.Numbers numbers -> Some numbers
                | _ -> None)

        if numbers.Length = pages.Length && not pages.IsEmpty then
            Cells.Numbers(Array.concat numbers)
        else
            pages
            |> List.map (function
                | Cells.Numbers numbers -> Array.map WholeNumbers.text numbers
                | cells -> Array.ofSeq (Cells.written cells))
            |> Array.concat
            |> fun texts -> Cells.Texts texts

    let private size (what: string) (most: int64) (size: int64) : int =
        let most = min most (int64 Array.MaxLength)

        if size < 0L || size > most then
            damaged (invariant $"0 to {most} {what}") (string size)

        int size

    /// Values in an encoding, where a dictionary may have them.
    let private values
        (source: ParquetSource)
        (column: ParquetColumn)
        (dictionary: Cells option)
        (encoding: int64)
        (count: int)
        (reader: ByteReader)
        : Cells =
        match encoding, dictionary with
        | (2L | 8L), Some dictionary when count > 0 ->
            match int (reader.Byte()) with
            // Some writers omit indices that are all 0.
            | 0 -> lookUp (Array.zeroCreate count) dictionary
            | width -> lookUp (ParquetEncoding.hybrid width count reader) dictionary
        | (2L | 8L), None when count > 0 -> damaged "a dictionary before places in it" "none"
        | _ ->
            ParquetEncoding.read source.Charge column.Type column.Length encoding count reader
            |> column.Cells

    /// The number of rows that have a value: their level is 1.
    let private present (levels: int[] option) (count: int) : int =
        match levels with
        | None -> count
        | Some levels -> Array.sum levels

    /// The values in the rows that have one.
    let private behind (levels: int[] option) (values: Cells) : Cells =
        match levels with
        | None -> values
        | Some levels -> spread levels values

    /// A page of the format's first version: levels and values are packed together.
    let private page (column: ParquetColumn) values (most: int64) (header: ThriftFields) unpack =
        let count = size "values" most (Thrift.integer 1 header)
        let reader = ByteReader(unpack ())

        let levels =
            if column.HasMissing then
                if Thrift.integer 3 header <> 3L then
                    damaged "levels in runs" (invariant $"the encoding {Thrift.integer 3 header}")

                let length = BinaryPrimitives.ReadInt32LittleEndian (reader.Take 4L).Span
                Some(ParquetEncoding.hybrid 1 count (ByteReader(reader.Take(int64 length))))
            else
                None

        values (Thrift.integer 2 header) (present levels count) reader |> behind levels

    /// A page of the second version: the levels stand before what is packed.
    let private pageV2
        (column: ParquetColumn)
        values
        (most: int64)
        (header: ThriftFields)
        (packed: ReadOnlyMemory<byte>)
        unpack
        =
        let count = size "values" most (Thrift.integer 1 header)
        let reader = ByteReader packed
        let length = Thrift.integer 5 header
        let levels = reader.Take length

        if Thrift.integer 6 header <> 0L then
            damaged "no lists" "levels of repetition"

        let levels =
            if column.HasMissing then
                Some(ParquetEncoding.hybrid 1 count (ByteReader levels))
            else
                None

        let present = present levels count

        if Thrift.integer 2 header <> int64 (count - present) then
            damaged
                (invariant $"{Thrift.integer 2 header} missing values")
                (string (count - present))

        let isPacked = Thrift.tryFlag 7 header <> Some false
        let reader = ByteReader(unpack isPacked (reader.Take(int64 reader.Left)) length)
        values (Thrift.integer 4 header) present reader |> behind levels

    let private dictionary source (column: ParquetColumn) (header: ThriftFields) unpack =
        let reader = ByteReader(unpack ())

        // The least bytes of a value, which bound how many there are.
        let least =
            match column.Type with
            | ParquetType.Boolean -> damaged "a dictionary of other values" "truth values"
            | ParquetType.Int64
            | ParquetType.Double -> 8
            | ParquetType.FixedLengthByteArray -> column.Length
            | _ -> 4

        let count = size "values" (int64 (reader.Left / least)) (Thrift.integer 1 header)
        values source column None 0L count reader

    /// <summary>The cells of a chunk: pages until there is one for every row.</summary>
    /// <param name="source">The file.</param>
    /// <param name="column">The column that the chunk is of.</param>
    /// <param name="rows">How many rows its group has.</param>
    /// <param name="chunk">What the footer says of it.</param>
    let read
        (source: ParquetSource)
        (column: ParquetColumn)
        (rows: int64)
        (chunk: ThriftFields)
        : Cells list =
        match Thrift.tryText 1 chunk with
        | Some path -> damaged "columns in this file" $"one in {path}"
        | None -> ()

        let about = Thrift.structure 3 chunk

        if
            Thrift.texts 3 about <> [ column.Name ]
            || Thrift.integer 1 about <> int64 column.Type
            || Thrift.integer 5 about <> rows
        then
            damaged (invariant $"a chunk of {rows} {column.Type} values of the column") "another"

        let codec = Thrift.integer 4 about

        let first =
            match Thrift.tryInteger 11 about with
            | Some dictionary when dictionary > 0L -> min dictionary (Thrift.integer 9 about)
            | _ -> Thrift.integer 9 about

        let reader = ByteReader source.Bytes
        reader.Take first |> ignore
        let mutable left = rows
        let mutable known = None
        let mutable pages = []

        while left > 0L do
            let before = reader.Left
            let header = Thrift.read reader
            let whole = Thrift.integer 2 header
            let packed = reader.Take(Thrift.integer 3 header)
            source.Walk(int64 (before - reader.Left))

            match Thrift.tryInteger 4 header with
            | Some crc when uint32 crc <> checksum packed ->
                damaged
                    (invariant $"a page of the checksum {uint32 crc}")
                    (string (checksum packed))
            | _ -> ()

            let unpack () = source.Unpack codec packed whole

            let cells =
                match Thrift.integer 1 header with
                | 0L ->
                    let header = Thrift.structure 5 header
                    Some(page column (values source column known) left header unpack)
                | 2L when known.IsNone ->
                    known <- Some(dictionary source column (Thrift.structure 7 header) unpack)
                    None
                | 2L -> damaged "one dictionary" "another"
                | 3L ->
                    let unpack isPacked packed (levels: int64) =
                        source.Unpack (if isPacked then codec else 0L) packed (whole - levels)

                    let header = Thrift.structure 8 header
                    Some(pageV2 column (values source column known) left header packed unpack)
                | _ -> None

            match cells with
            | Some cells when Cells.count cells > 0 ->
                left <- left - int64 (Cells.count cells)
                pages <- cells :: pages
            | _ -> ()

        List.rev pages
