namespace Pipeline.Properties.Host

open System
open System.IO
open Parquet
open Parquet.Schema
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Parquet files as two other libraries write them.
[<RequireQualifiedAccess>]
module ParquetFiles =
    /// A table as Parquet.Net writes it, in groups of so many rows.
    let write (codec: CompressionMethod) (size: int) (table: Table) : byte[] =
        let fields = [
            for column in table.Columns ->
                match column.Cells with
                | Cells.Numbers _ -> DataField<Nullable<float>>(column.Name) :> DataField
                | Cells.Texts _ -> DataField<string>(column.Name)
        ]

        use bytes = new MemoryStream()
        let options = ParquetOptions(CompressionMethod = codec)

        (task {
            use! writer =
                ParquetWriter.CreateAsync(ParquetSchema(Seq.cast<Field> fields), bytes, options)

            for rows in [ 0 .. table.Rows - 1 ] |> List.chunkBySize size do
                use group = writer.CreateRowGroup()

                for field, column in Seq.zip fields table.Columns do
                    match column.Cells with
                    | Cells.Numbers numbers ->
                        let cells = [|
                            for row in rows ->
                                if Double.IsNaN numbers[row] then
                                    Nullable()
                                else
                                    Nullable numbers[row]
                        |]

                        do! group.WriteAsync<float>(field, ReadOnlyMemory cells)
                    | Cells.Texts texts ->
                        do! group.WriteAsync(field, [| for row in rows -> texts[row] |])

                group.CompleteValidate()
        })
            .Wait()

        bytes.ToArray()

    /// <summary>A file of Apache Arrow's, by the version of its pages.</summary>
    /// <remarks>Written by ParquetSharp 25.0.1.2, which calls Arrow's C++ library: twelve rows in two
    /// groups, every column in an encoding and a codec of its own.</remarks>
    let arrow (version: int) : byte[] =
        Path.Combine(AppContext.BaseDirectory, "Fixtures", $"arrow-pages-{version}.parquet")
        |> File.ReadAllBytes

    let read (limit: int64) (bytes: byte[]) : Table =
        ParquetFile.Parse(ReadOnlyMemory bytes, limit, "x.parquet")

/// What the service makes of Parquet files, whole or damaged.
module ParquetTests =
    let private refusal (bytes: byte[]) : string =
        let refused =
            Assert.Throws<RefusedException>(fun () -> ParquetFiles.read 100_000L bytes |> ignore)

        String.concat "\n" refused.Reasons

    let private plain (table: Table) = [
        for column in table.Columns -> column.Name, List.ofArray (Table.texts column.Cells)
    ]

    [<Law>]
    let ``a table that another library wrote is read as it was`` (AnyTable table) (size: int) =
        for codec in
            [
                CompressionMethod.None
                CompressionMethod.Snappy
                CompressionMethod.Gzip
                CompressionMethod.Brotli
                CompressionMethod.Zstd
                CompressionMethod.Lz4Raw
            ] do
            ParquetFiles.write codec (1 + abs size) table
            |> ParquetFiles.read 100_000L
            |> plain
            |> Exactly.equal (plain table)

    [<Theory>]
    [<InlineData 1>]
    [<InlineData 2>]
    let ``every type, encoding and codec of Arrow's is read`` (version: int) =
        let numbers name (cell: int -> float) =
            name, [ for i in 0..11 -> Table.text (cell i) ]

        let texts name (cell: int -> string) = name, [ for i in 0..11 -> cell i ]
        let unlessMissing (missing: 'V) (cell: int -> 'V) i = if i % 3 = 2 then missing else cell i

        let expected = [
            numbers "flag runs" (fun i -> if i / 4 = 1 then 1.0 else 0.0)
            numbers "flag bits" (unlessMissing nan (fun i -> float (1 - i % 2)))
            numbers "int 8 places" (fun i -> if i % 2 = 0 then -128.0 else 127.0)
            numbers
                "int 32 differences"
                (unlessMissing nan (fun i ->
                    if i % 2 = 0 then
                        -2147483648.0 + float i
                    else
                        2147483647.0 - float i))
            numbers "int 64 differences" (fun i -> float (i * i * i - 100))
            numbers "uint 32 plain" (fun i -> 4294967295.0 - float i)
            numbers
                "uint 64 places"
                (unlessMissing nan (fun i -> float (UInt64.MaxValue - 4096UL * uint64 (i / 4))))
            numbers "half split" (fun i -> float i / 4.0)
            numbers "single split" (fun i -> float i / 8.0)
            numbers "double plain" (unlessMissing nan (fun i -> float i / 3.0))
            numbers "decimal plain" (fun i -> 1.25 * float (i - 5))
            texts "text places" (unlessMissing "" (fun i -> $"é{i / 4}"))
            texts "text lengths" (fun i -> String('x', i))
            texts "text prefixes" (unlessMissing "" (fun i -> $"prefix {i * i}"))
            numbers "none" (fun _ -> nan)
        ]

        ParquetFiles.arrow version
        |> ParquetFiles.read 100_000L
        |> plain
        |> Exactly.equal expected

    [<Fact>]
    let ``columns that are no cells are refused by name`` () =
        let fields: Field list = [
            DataField<DateTime>("day")
            DataField<byte[]>("bytes")
            ListField("some", DataField<int>("item"))
        ]

        use bytes = new MemoryStream()

        (task {
            use! _ = ParquetWriter.CreateAsync(ParquetSchema fields, bytes)
            ()
        })
            .Wait()

        Assert.Equal(
            [
                "day", "dates or times"
                "bytes", "bytes that are not marked as a text"
                "some", "a group of columns"
            ]
            |> List.map (fun (name, found) ->
                $"x.parquet, column {name}: expected numbers, truth values or texts, one a row, found {found}.")
            |> String.concat "\n",
            refusal (bytes.ToArray())
        )

    [<Fact>]
    let ``every cut of a file is refused, and so are columns beyond the limit`` () =
        let bytes = ParquetFiles.arrow 1

        for length in 0 .. bytes.Length - 1 do
            Assert.StartsWith("x.parquet", refusal bytes[.. length - 1])

        let refused =
            Assert.Throws<RefusedException>(fun () -> ParquetFiles.read 1439L bytes |> ignore)

        // Twelve rows of fifteen cells.
        Assert.Equal(
            "x.parquet: expected columns of at most 1439 bytes (Data:MaximumBytes), found 180 cells.",
            Assert.Single refused.Reasons
        )
