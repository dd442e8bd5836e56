namespace Pipeline.Learning.Formats

open System
open System.Buffers.Binary
open Pipeline.Learning

/// The compression of a page, by the format's numbers.
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
/// may be a dictionary; a footer in Thrift's compact protocol with their places and types; its length in
/// four bytes, little-endian, and <c>PAR1</c>. A page has a header, then (for columns with missing values)
/// the rows that have a value, then the values.</para>
/// <para>A column of another kind (dates, lists, groups of columns) is unreadable: using it is a fault.</para>
/// <para>Every size is checked before memory is allocated for it. Source: Apache Parquet's format
/// 2.12.</para>
/// </remarks>
[<RequireQualifiedAccess>]
module Parquet =
    let private magic = "PAR1"B

    let private codecs = Enum.GetValues<ParquetCodec>()

    let private footer
        (limit: int64)
        (bytes: ReadOnlyMemory<byte>)
        : ReadOnlyMemory<byte> * ThriftFields =
        let span = bytes.Span

        if
            not (
                bytes.Length >= 12
                && span.StartsWith(ReadOnlySpan magic)
                && span.EndsWith(ReadOnlySpan magic)
            )
        then
            damaged
                "a Parquet file, with PAR1 at both ends"
                (invariant $"{bytes.Length} bytes of another kind")

        let most = min (int64 (bytes.Length - 12)) (max 1_000_000L (limit / 64L))

        let length =
            int64 (BinaryPrimitives.ReadUInt32LittleEndian(span.Slice(bytes.Length - 8)))

        if length > most then
            damaged (invariant $"a footer of at most {most} bytes") (string length)

        let start = bytes.Length - 8 - int length
        bytes.Slice(0, start), Thrift.read (ByteReader(bytes.Slice(start, int length)))

    /// Truth values as texts.
    let private named (kind: ParquetType) (cells: Cells) : Cells =
        match kind, cells with
        | ParquetType.Boolean, Cells.Numbers numbers ->
            numbers
            |> Array.map (fun number ->
                if Double.IsNaN number then ""
                elif number = 0.0 then "false"
                else "true")
            |> fun texts -> Cells.Texts texts
        | _ -> cells

    /// <summary>The table in the bytes of a Parquet file.</summary>
    /// <param name="limit">The most bytes of all columns, unpacked; a cell counts as eight.</param>
    /// <param name="unpack">Decompresses the first bytes into the second ones and returns whether they fill
    /// these exactly; false, not an exception, for damaged bytes.</param>
    /// <param name="bytes">The whole file.</param>
    [<CompiledName("Parse")>]
    let parse
        (limit: int64)
        (unpack: ParquetCodec -> ReadOnlyMemory<byte> -> Memory<byte> -> bool)
        (bytes: ReadOnlyMemory<byte>)
        : Result<Table, Fault list> =
        let budget (all: int64) (expected: string) =
            let left = ref all

            fun (bytes: int64) ->
                if bytes < 0L || bytes > left.Value then
                    damaged
                        (invariant $"at most {all} bytes {expected}")
                        (invariant $"{bytes} beside {all - left.Value}")

                left.Value <- left.Value - bytes

        let charge = budget limit "of values and pages, unpacked (Data:MaximumBytes)"

        let unpack (codec: int64) (packed: ReadOnlyMemory<byte>) (whole: int64) =
            charge whole

            if whole > int64 Array.MaxLength then
                damaged (invariant $"pages of at most {Array.MaxLength} bytes") (string whole)

            match codec with
            | 0L when int64 packed.Length = whole -> packed
            | 0L -> damaged (invariant $"a page of {whole} bytes") (string packed.Length)
            // Of an empty page some writers pack nothing.
            | _ when whole = 0L -> ReadOnlyMemory.Empty
            | _ ->
                match codecs |> Array.tryFind (fun known -> int64 known = codec) with
                | Some codec ->
                    let page: byte[] = Array.zeroCreate (int whole)

                    if not (unpack codec packed (Memory page)) then
                        damaged (invariant $"{whole} bytes packed by {codec}") "others"

                    ReadOnlyMemory page
                | None ->
                    let known = codecs |> Array.map string |> String.concat ", "

                    damaged
                        $"pages that are not packed, or by {known}"
                        (invariant $"the codec {codec}")

        let within (place: string) (act: unit -> 'V) : Result<'V, Fault list> =
            try
                Ok(act ())
            with Damaged(expected, found) ->
                Error [ Fault.create place expected found ]

        within "" (fun () ->
            let data, footer = footer limit bytes

            let source = {
                Bytes = data
                Walk = budget (int64 data.Length) "of chunks that do not overlap"
                Charge = charge
                Unpack = unpack
            }

            let columns, width =
                match Thrift.structures 2 footer with
                | [] -> damaged "a schema" "none"
                | _ :: elements -> ParquetColumn.ofSchema elements

            let groups = Thrift.structures 4 footer
            let sizes = groups |> List.map (Thrift.integer 3)
            let rows = sizes |> List.sumBy bigint
            let cells = rows * bigint columns.Length

            if List.exists (fun size -> size < 0L) sizes || 8I * cells > bigint limit then
                damaged
                    (invariant $"columns of at most {limit} bytes (Data:MaximumBytes)")
                    $"{string cells} cells"

            if bigint (Thrift.integer 3 footer) <> rows then
                damaged (invariant $"{Thrift.integer 3 footer} rows") $"groups of {string rows}"

            let chunks =
                groups |> List.map (fun group -> Array.ofList (Thrift.structures 1 group))

            if chunks |> List.exists (fun chunks -> chunks.Length <> width) then
                damaged (invariant $"{width} columns in every group of rows") "others"

            columns
            |> List.map (fun (name, chunk, column) ->
                within $"column {name}" (fun () -> {
                    Name = name
                    Cells =
                        match column with
                        | Error found -> Cells.Unreadable(int rows, found)
                        | Ok column ->
                            List.zip sizes chunks
                            |> List.collect (fun (rows, chunks) ->
                                ParquetPages.read source column rows chunks[chunk])
                            |> ParquetPages.join
                            |> named column.Type
                }))
            |> Fault.all
            |> Result.bind Table.create)
        |> Result.bind id
