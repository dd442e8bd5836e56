namespace Pipeline.Properties.Host

open System
open System.IO
open MathNet.Numerics.LinearAlgebra
open Parquet
open Parquet.Schema
open Pipeline.Learning
open Pipeline.Learning.Formats
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
                | _ -> DataField<string>(column.Name)
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
                    | Cells.Unreadable _ -> failwith "expected cells"
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

/// A value of Thrift's compact protocol, to be written.
[<RequireQualifiedAccess>]
type Written =
    | Flag of bool
    | Integer of int64
    | Text of byte[]
    | Items of Written list
    | Fields of (int * Written) list

/// Files of one column and one page, written here byte by byte.
[<RequireQualifiedAccess>]
module Handmade =
    let rec private unsigned (value: uint64) : byte list =
        if value < 128UL then
            [ byte value ]
        else
            byte ((value &&& 127UL) ||| 128UL) :: unsigned (value >>> 7)

    let private signed (value: int64) =
        unsigned (uint64 ((value <<< 1) ^^^ (value >>> 63)))

    let private kind (value: Written) =
        match value with
        | Written.Flag flag -> if flag then 1uy else 2uy
        | Written.Integer _ -> 6uy
        | Written.Text _ -> 8uy
        | Written.Items _ -> 9uy
        | Written.Fields _ -> 12uy

    let rec thrift (value: Written) : byte list =
        match value with
        | Written.Flag flag -> [ if flag then 1uy else 2uy ]
        | Written.Integer integer -> signed integer
        | Written.Text bytes -> unsigned (uint64 bytes.Length) @ List.ofArray bytes
        | Written.Items items -> [
            0xF0uy ||| kind items.Head
            yield! unsigned (uint64 items.Length)
            yield! List.collect thrift items
          ]
        | Written.Fields fields -> [
            for number, value in fields do
                kind value
                yield! signed (int64 number)

                match value with
                | Written.Flag _ -> ()
                | _ -> yield! thrift value
            0uy
          ]

    let text (text: string) =
        Written.Text(Text.Encoding.UTF8.GetBytes text)

    let integers (fields: (int * int64) list) = [
        for number, value in fields -> number, Written.Integer value
    ]

    /// Fields, some of them others or new; those of an empty list are left out.
    let but (others: (int * Written) list) (fields: (int * Written) list) =
        Map.foldBack (fun number value map -> Map.add number value map) (Map others) (Map fields)
        |> Map.toList
        |> List.filter (fun (_, value) -> value <> Written.Items [])

    /// What the parts of a file say: the defaults are two rows of a 32-bit column, 5 and 6.
    type Parts = {
        Element: (int * Written) list
        Header: (int * Written) list
        Page: (int * Written) list
        Payload: byte[]
        About: (int * Written) list
        Chunk: (int * Written) list
        Rows: int64
        Groups: int
    }

    let sound = {
        Element = []
        Header = []
        Page = []
        Payload = [| 5uy; 0uy; 0uy; 0uy; 6uy; 0uy; 0uy; 0uy |]
        About = []
        Chunk = []
        Rows = 2L
        Groups = 1
    }

    let write (parts: Parts) : byte[] =
        let page = [
            yield! integers [ 1, 0L; 2, int64 parts.Payload.Length; 3, int64 parts.Payload.Length ]
            5, Written.Fields(integers [ 1, 2L; 2, 0L; 3, 3L; 4, 3L ] |> but parts.Page)
        ]

        let about = [
            yield! integers [ 1, 1L; 4, 0L; 5, 2L; 9, 4L ]
            3, Written.Items [ text "x" ]
        ]

        let chunk = [ 3, Written.Fields(about |> but parts.About) ] |> but parts.Chunk

        let group =
            Written.Fields [ 1, Written.Items [ Written.Fields chunk ]; 3, Written.Integer 2L ]

        let element = [ yield! integers [ 1, 1L; 3, 0L ]; 4, text "x" ] |> but parts.Element

        let footer =
            thrift (
                Written.Fields [
                    2, Written.Items [ Written.Fields [ 4, text "root" ]; Written.Fields element ]
                    3, Written.Integer parts.Rows
                    4, Written.Items(List.replicate parts.Groups group)
                ]
            )

        [|
            yield! "PAR1"B
            yield! thrift (Written.Fields(page |> but parts.Header))
            yield! parts.Payload
            yield! footer
            yield! BitConverter.GetBytes footer.Length
            yield! "PAR1"B
        |]

    /// A file whose footer is these bytes.
    let ofFooter (footer: byte[]) : byte[] =
        Array.concat [ "PAR1"B; footer; BitConverter.GetBytes footer.Length; "PAR1"B ]

/// What the service makes of Parquet files, whole or damaged.
module ParquetTests =
    let private refusal (bytes: byte[]) : string =
        let refused =
            Assert.Throws<RefusedException>(fun () -> ParquetFiles.read 100_000L bytes |> ignore)

        String.concat "\n" refused.Reasons

    let private plain (table: Table) = [
        for column in table.Columns -> column.Name, List.ofArray (Cells.texts column.Cells)
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
            name, [ for i in 0..11 -> Cells.text (cell i) ]

        let texts name (cell: int -> string) = name, [ for i in 0..11 -> cell i ]
        let unlessMissing (missing: 'V) (cell: int -> 'V) i = if i % 3 = 2 then missing else cell i

        let expected = [
            texts "flag runs" (fun i -> if i / 4 = 1 then "true" else "false")
            texts "flag bits" (unlessMissing "" (fun i -> if i % 2 = 0 then "true" else "false"))
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
            // A double does not hold these.
            texts
                "uint 64 places"
                (unlessMissing "" (fun i -> string (UInt64.MaxValue - 4096UL * uint64 (i / 4))))
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

    /// A table with columns of kinds that are not read among its own.
    let private withOthers (table: Table) : byte[] =
        let own = [
            for column in table.Columns ->
                match column.Cells with
                | Cells.Numbers _ -> DataField<Nullable<float>>(column.Name) :> DataField
                | _ -> DataField<string>(column.Name)
        ]

        let day, raw, item =
            DataField<DateTime>("day"), DataField<byte[]>("bytes"), DataField<int>("item")

        let fields: Field list = [
            day
            yield! Seq.cast<Field> own
            raw
            ListField("some", item)
            StructField("pair", DataField<int>("one"), DataField<int>("other"))
            DataField<float>("last")
        ]

        let schema = ParquetSchema fields
        let leaves = schema.GetDataFields()
        use bytes = new MemoryStream()

        (task {
            use! writer = ParquetWriter.CreateAsync(schema, bytes)
            use group = writer.CreateRowGroup()
            let rows = table.Rows

            for leaf in leaves do
                match leaf.Name with
                | "day" ->
                    do!
                        group.WriteAsync<DateTime>(
                            leaf,
                            ReadOnlyMemory(Array.create rows DateTime.UnixEpoch)
                        )
                | "bytes" -> do! group.WriteAsync(leaf, Array.create rows [| 1uy |])
                | "item"
                | "one"
                | "other" ->
                    // Every list of one item, every group there.
                    let levels (level: int) =
                        Nullable(ReadOnlyMemory(Array.create rows level))

                    let repetitions = if leaf.MaxRepetitionLevel = 0 then Nullable() else levels 0

                    do!
                        group.WriteAllPartsAsync<int>(
                            leaf,
                            ReadOnlyMemory(Array.create rows 7),
                            levels leaf.MaxDefinitionLevel,
                            repetitions,
                            Threading.CancellationToken.None
                        )
                | "last" -> do! group.WriteAsync<float>(leaf, ReadOnlyMemory(Array.init rows float))
                | name ->
                    match (Table.find name table |> orFail).Cells with
                    | Cells.Numbers numbers ->
                        let cells =
                            numbers
                            |> Array.map (fun x ->
                                if Double.IsNaN x then Nullable() else Nullable x)

                        do! group.WriteAsync<float>(leaf, ReadOnlyMemory cells)
                    | cells -> do! group.WriteAsync(leaf, Cells.texts cells)

            group.CompleteValidate()
        })
            .Wait()

        bytes.ToArray()

    let private others = [ "day"; "bytes"; "some"; "pair" ]

    [<Law(MaxTest = 30)>]
    let ``columns of kinds that are not read matter only where they are used`` (AnyTable table) =
        let found = ParquetFiles.read 1_000_000L (withOthers table)

        Exactly.equal
            [
                "day"
                yield! table.Columns |> List.map _.Name
                "bytes"
                "some"
                "pair"
                "last"
            ]
            (found.Columns |> List.map _.Name)

        plain found
        |> List.filter (fun (name, _) -> name <> "last" && not (List.contains name others))
        |> Exactly.equal (plain table)

        // The chunks behind those of a group of columns are found.
        plain found
        |> List.last
        |> Exactly.equal ("last", [ for i in 0 .. table.Rows - 1 -> Cells.text (float i) ])

        let choice ignored = {
            SmallTables.plainChoice with
                Label = ValueSome "last"
                Ignored = ignored
                Missing = Missing.Median
                Scaling = Scaling.Standard
        }

        // A column without a value is at fault for itself.
        let own = [
            for column in table.Columns do
                if Cells.texts column.Cells |> Array.forall ((=) "") then
                    column.Name
        ]

        let encoding = TableEncoding.fit (choice (own @ others)) found

        if own.Length < table.Columns.Length then
            let encoding = orFail encoding
            let inputs: Matrix<float> = TableEncoding.encode encoding found |> orFail
            Exactly.equal (encoding.Features, table.Rows) (inputs.RowCount, inputs.ColumnCount)

        // Used as an input, as a number, as a label, as another model's column.
        for name, kind in
            [
                "day", "dates or times"
                "bytes", "bytes that are not marked as a text"
                "some", "a group of columns"
                "pair", "a group of columns"
            ] do
            let says = [
                $"column {name} holds {kind} instead of one number, truth value or text a row; Data:Ignored leaves a column out."
            ]

            let rest = own @ List.filter ((<>) name) others
            TableEncoding.fit (choice rest) found |> Exactly.faulted says

            TableLayout.label
                {
                    choice [] with
                        Label = ValueSome name
                }
                found
            |> Exactly.faulted says

            (TableEncoding.encode
                {
                    Numbers = []
                    Categories = [
                        {
                            Name = name
                            Values = [ "a" ]
                            Fill = "a"
                        }
                    ]
                    Format = CellFormat.Default
                }
                found
            : Result<Matrix<float>, _>)
            |> Exactly.faulted says

    /// A file of one column, in groups of two rows.
    let private ofValues (field: DataField) (values: Array list) : byte[] =
        use bytes = new MemoryStream()

        (task {
            use! writer = ParquetWriter.CreateAsync(ParquetSchema([ field :> Field ]), bytes)

            for values in values do
                use group = writer.CreateRowGroup()

                match values with
                | :? (Nullable<int64>[]) as values ->
                    do! group.WriteAsync<int64>(field, ReadOnlyMemory values)
                | :? (uint64[]) as values ->
                    do! group.WriteAsync<uint64>(field, ReadOnlyMemory values)
                | values ->
                    do! group.WriteAsync<decimal>(field, ReadOnlyMemory(values :?> decimal[]))

                group.CompleteValidate()
        })
            .Wait()

        bytes.ToArray()

    [<Fact>]
    let ``whole numbers that double precision rounds stay different`` () =
        let limit = 9007199254740992L

        let signed (values: int64 option list) : Array = [|
            for value in values -> Option.toNullable value
        |]

        for field, values, expected in
            [
                DataField<Nullable<int64>>("n") :> DataField,
                [
                    signed [ Some 7L; None ]
                    signed [ Some limit; Some(limit + 1L) ]
                    signed [ Some -limit; Some Int64.MinValue ]
                    signed [ Some 1000000000000000L; Some(limit - 1L) ]
                ],
                [
                    "7"
                    ""
                    "9007199254740992"
                    "9007199254740993"
                    "-9007199254740992"
                    "-9223372036854775808"
                    "1000000000000000"
                    "9007199254740991"
                ]
                DataField<uint64>("n"),
                [ [| 1UL; 2UL |]; [| UInt64.MaxValue; UInt64.MaxValue - 1UL |] ],
                [ "1"; "2"; "18446744073709551615"; "18446744073709551614" ]
                DecimalDataField("n", 28, 0),
                [ [| 1M; -2M |]; [| 9007199254740993M; -1234567890123456789012345678M |] ],
                [ "1"; "-2"; "9007199254740993"; "-1234567890123456789012345678" ]
            ] do
            match (ParquetFiles.read 100000L (ofValues field values)).Columns with
            | [ { Cells = Cells.Texts texts } ] -> Exactly.equal expected (List.ofSeq texts)
            | other -> failwith $"expected texts, found %A{other}"

            let small =
                match (ParquetFiles.read 100000L (ofValues field [ values.Head ])).Columns with
                | [ { Cells = Cells.Numbers numbers } ] -> Array.length numbers
                | other -> failwith $"expected numbers, found %A{other}"

            Exactly.equal 2 small

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

    /// Files that are wrong in one thing, and what is said of them.
    let private wrong: (string * byte[] * string) list =
        let file change = Handmade.write (change Handmade.sound)
        let text = Written.Text [| 255uy |]
        let byteArray = Handmade.integers [ 1, 6L ]

        [
            "lists without end", Handmade.ofFooter (Array.create 20_000 0x19uy), "at most 32 deep"
            "structures without end",
            Handmade.ofFooter (Array.create 20_000 0x1Cuy),
            "at most 32 deep"
            "a thousand fields", Handmade.ofFooter (Array.create 1000 0x11uy), "at most 64 fields"
            "a field twice",
            Handmade.ofFooter [| 0x11uy; 0x01uy; 0x02uy; 0uy |],
            "fields with rising numbers"
            "more items than bytes",
            Handmade.ofFooter [| 0x19uy; 0xF1uy; 0xFFuy; 0xFFuy; 0x7Fuy |],
            "2097151 items, found 0 bytes"
            "a footer longer than the file",
            Array.concat [ "PAR1"B; [| 0uy; 0uy; 0uy; 1uy |]; "PAR1"B ],
            "a footer of at most 0 bytes, found 16777216"
            "levels beyond their bits",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 3, 1L ]
                    Payload = [| 2uy; 0uy; 0uy; 0uy; 4uy; 255uy |]
            }),
            "a number of 1 bits, found 255"
            "truth values beyond their bits",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 1, 0L ]
                    About = Handmade.integers [ 1, 0L ]
                    Page = Handmade.integers [ 2, 3L ]
                    Payload = [| 2uy; 0uy; 0uy; 0uy; 4uy; 255uy |]
            }),
            "a number of 1 bits, found 255"
            "a dictionary of truth values",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 1, 0L ]
                    About = Handmade.integers [ 1, 0L ]
                    Header = [
                        1, Written.Integer 2L
                        7, Written.Fields(Handmade.integers [ 1, 2L; 2, 0L ])
                    ]
            }),
            "a dictionary of other values"
            "a dictionary of more values than bytes",
            file (fun parts -> {
                parts with
                    Header = [
                        1, Written.Integer 2L
                        7, Written.Fields(Handmade.integers [ 1, 3L; 2, 0L ])
                    ]
            }),
            "0 to 2 values, found 3"
            "a page of a negative size",
            file (fun parts -> {
                parts with
                    Header = Handmade.integers [ 2, -(1L <<< 60) ]
            }),
            "at most 100000 bytes of values and pages"
            "a count of more than 32 bits",
            file (fun parts -> {
                parts with
                    Page = Handmade.integers [ 1, (1L <<< 32) + 1L ]
            }),
            "0 to 2 values, found 4294967297"
            "chunks that overlap",
            file (fun parts -> { parts with Rows = 40L; Groups = 20 }),
            "bytes of chunks that do not overlap"
            "values that share more than there is room for",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 1, 6L; 6, 0L ]
                    About = byteArray
                    Page = Handmade.integers [ 2, 7L ]
                    // Blocks of 128 in four parts: what is shared is 0 and 70,000, what follows is
                    // 70,000 and 0 long.
                    Payload = [|
                        yield! [ 0x80uy; 1uy; 4uy; 2uy; 0uy ]
                        yield! [ 0xE0uy; 0xC5uy; 8uy; 0uy; 0uy; 0uy; 0uy ]
                        yield! [ 0x80uy; 1uy; 4uy; 2uy; 0xE0uy; 0xC5uy; 8uy ]
                        yield! [ 0xDFuy; 0xC5uy; 8uy; 0uy; 0uy; 0uy; 0uy ]
                        yield! Array.create 70_000 (byte 'x')
                    |]
            }),
            "at most 100000 bytes of values and pages"
            "a page of another checksum",
            file (fun parts -> {
                parts with
                    Header = Handmade.integers [ 4, 7L ]
            }),
            "a page of the checksum 7, found "
            "columns in another file",
            file (fun parts -> {
                parts with
                    Chunk = [ 1, Handmade.text "part-0.parquet" ]
            }),
            "found one in part-0.parquet"
            "nothing said of missing values",
            file (fun parts -> {
                parts with
                    Element = [ 3, Written.Items [] ]
            }),
            "says whether values may be missing"
            "values of no length",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 1, 7L; 6, 5L ]
            }),
            "values of 1 bytes or more, found 0"
            "a decimal in old times",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 1, 3L; 6, 5L ]
            }),
            "holds Int96 values of another kind"
            "other rows than the groups have",
            file (fun parts -> { parts with Rows = 3L }),
            "expected 3 rows, found groups of 2"
            "a text that is no UTF-8",
            file (fun parts -> {
                parts with
                    Element = Handmade.integers [ 1, 6L; 6, 0L ]
                    About = byteArray
                    Payload = [| 1uy; 0uy; 0uy; 0uy; 255uy; 0uy; 0uy; 0uy; 0uy |]
            }),
            "a text in UTF-8"
            "a name that is no UTF-8",
            file (fun parts -> { parts with Element = [ 4, text ] }),
            "a text in UTF-8"
        ]

    [<Fact>]
    let ``a file made by hand is read`` () =
        Handmade.write Handmade.sound
        |> ParquetFiles.read 100_000L
        |> plain
        |> Exactly.equal [ "x", [ "5"; "6" ] ]

    let names () =
        TheoryData<string>(wrong |> Seq.map (fun (name, _, _) -> name))

    [<Theory>]
    [<MemberData(nameof names)>]
    let ``what is wrong in one thing is refused for that`` (name: string) =
        let _, bytes, words = wrong |> List.find (fun (other, _, _) -> other = name)
        // A column of another kind is at fault where it is used.
        let said =
            try
                (ParquetFiles.read 100_000L bytes).Columns
                |> List.map Column.readable
                |> Fault.all
                |> function
                    | Ok _ -> "nothing"
                    | Error faults ->
                        faults |> List.map (sprintf "x.parquet, %O") |> String.concat ""
            with :? RefusedException as refused ->
                String.concat "\n" refused.Reasons

        Assert.StartsWith("x.parquet", said)
        Assert.Contains(words, said)
