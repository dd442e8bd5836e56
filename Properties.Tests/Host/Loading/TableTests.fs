namespace Pipeline.Properties.Host

open System
open System.IO
open System.IO.Compression
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// What the service makes of tables and arrays in files, whole or damaged.
module TableTests =
    let private memory (text: string) =
        ReadOnlyMemory(Encoding.UTF8.GetBytes text)

    let private csv layout (text: string) =
        CsvFile.Parse(memory text, layout, "x.csv")

    let private json (text: string) =
        JsonRows.Parse(memory text, 1000L, "x.json")

    let private usual = CsvLayout(Nullable(), 0)

    /// A table's names and cells.
    let private plain (table: Table) = [
        for column in table.Columns -> column.Name, List.ofArray (Cells.texts column.Cells)
    ]

    [<Fact>]
    let ``separated values are read with quotes, line feeds in cells, other separators and a header``
        ()
        =
        let expected = [ "a", [ "1"; "3" ]; "b c", [ "x, \"y\"\nz"; "" ] ]

        Assert.Equal<(string * string list) list>(
            expected,
            plain (csv usual "a,b c\r\n1,\"x, \"\"y\"\"\nz\"\r\n3,\r\n")
        )

        Assert.Equal<(string * string list) list>(
            [ "0", [ "1"; "2" ]; "1", [ "4"; "5" ] ],
            plain (csv usual "1;4\n2;5\n")
        )

        Assert.Equal<(string * string list) list>(
            [ "0", [ "a"; "b" ]; "1", [ "x"; "y" ] ],
            plain (csv (CsvLayout(Nullable false, 1)) "a comment, it seems\na,x\nb,y\n")
        )

    [<Fact>]
    let ``rows of another length are refused, each with its line, and so are broken quotes`` () =
        let said = refusal (fun () -> csv usual "a,b\n1,2\n3\n4,5,6\n")
        Assert.Contains("line 3: expected 2 cells, as in line 1, found 1", said)
        Assert.Contains("line 4: expected 2 cells, as in line 1, found 3", said)
        Assert.Contains("x.csv: expected", refusal (fun () -> csv usual ""))
        Assert.Contains("expected a name once", refusal (fun () -> csv usual "a,a\n1,2\n"))
        Assert.Contains("x.csv", refusal (fun () -> csv usual "a,b\n"))

    /// Where the rows of a table stand in their file.
    let private places (table: Table) = List.init table.Rows table.PlaceOf

    [<Fact>]
    let ``rows are counted as an editor counts lines, with the header, skipped lines and cells of several lines``
        ()
        =
        let text = "skipped\r\na,b\r\n1,\"x\ny\r\nz\"\r\n2,w\r\n"
        Assert.Equal<string>([ "line 3"; "line 6" ], places (csv (CsvLayout(Nullable(), 1)) text))
        Assert.Equal<string>([ "line 1"; "line 2" ], places (csv usual "1,2\n3,4\n"))

        Assert.Equal<string>(
            [ "line 1"; "line 3"; "line 4" ],
            places (json "{\"a\": 1}\n\n{\"a\":\n2} {\"a\": 3}")
        )

        Assert.Equal<string>([ "row 1"; "row 2" ], places (json "[{\"a\": 1},\n\n{\"a\": 2}]"))

    [<Law>]
    let ``any text is a table or refused, and never an exception``
        (text: string)
        (cells: string[])
        =
        for text in [ text; String.concat "," cells; String.concat "\n" cells; $"a,\"{text}" ] do
            try
                csv usual (string text) |> ignore
            with :? RefusedException as refused ->
                Assert.NotEmpty refused.Reasons

    [<Fact>]
    let ``JSON rows are objects or lists, in a list or one a line`` () =
        let expected = [ "a", [ "1"; "250E-2" ]; "b", [ "x"; "" ] ]

        for text in
            [
                """[{"a": 1, "b": "x"}, {"b": null, "a": 2.50}]"""
                "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2.50}\n"
            ] do
            Assert.Equal<(string * string list) list>(expected, plain (json text))

        Assert.Equal<(string * string list) list>(
            [ "0", [ "1"; "3" ]; "1", [ "2"; "4" ] ],
            plain (json "[[1, 2], [3, 4]]")
        )

    [<Theory>]
    [<InlineData("")>]
    [<InlineData("7")>]
    [<InlineData("{\"a\": [1]}")>]
    [<InlineData("[{\"a\": 1}, 3]")>]
    [<InlineData("[{\"a\": 1}")>]
    [<InlineData("[{\"a\": 1}, {\"b\": 1, \"a\": 1, \"b\": 2}]")>]
    let ``JSON that is no rows is refused`` (text: string) =
        Assert.StartsWith("x.json", refusal (fun () -> json text))

    [<Theory>]
    [<InlineData("[{\"a\": 1},\n {\"a\": 2},]",
                 "line 2, column 11",
                 "']', which is not valid JSON here")>]
    [<InlineData("{\"é\": 1,}", "line 1, column 9", "'}', which is not valid JSON here")>]
    [<InlineData("{\"a\": 1", "line 1, column 8", "the end of the text inside of the JSON")>]
    let ``broken JSON is refused with its line and column``
        (text: string, place: string, found: string)
        =
        Assert.Equal(
            $"x.json, {place}: expected rows as JSON objects, or lists of values, found {found}.",
            refusal (fun () -> json text)
        )

    [<Fact>]
    let ``half of a surrogate pair in JSON is refused with its row`` () =
        for text, place in
            [
                """[{"a": "x"}, {"a": "\ud800"}]""", "row 2"
                """[["x"], ["\udc00"]]""", "row 2"
                """[{"a": "x"}, {"\ud800": 1}]""", "row 2"
                "{\"a\": 1}\n\n{\"a\": \"\\ud800\"}", "line 3"
            ] do
            Assert.Equal(
                $"x.json, {place}: expected text of whole characters, found half of a surrogate pair.",
                refusal (fun () -> json text)
            )

    let private tensor name (values: float list) = {
        Name = name
        Shape = [ values.Length ]
        Elements = Elements.Doubles(Array.ofList values)
    }

    let private npz (tensors: Tensor list) = NpzFile.Write tensors

    let private readNpz limit (bytes: byte[]) =
        NpzFile.Parse(ReadOnlyMemory bytes, limit, "x.npz")

    [<Fact>]
    let ``archives of arrays are read as they were written, compressed or not`` () =
        let tensors = [ tensor "x" [ 1.0; 2.0 ]; tensor "y" [ 3.0 ] ]
        let plain = npz tensors
        Assert.Equal<byte>(plain, npz tensors)

        let compressed =
            use bytes = new MemoryStream()

            (use archive = new ZipArchive(bytes, ZipArchiveMode.Create)

             for tensor in tensors do
                 use stream = (archive.CreateEntry $"{tensor.Name}.npy").Open()
                 stream.Write(ReadOnlySpan(Npy.write tensor)))

            bytes.ToArray()

        for bytes in [ plain; compressed ] do
            let found = readNpz 1000L bytes
            Assert.Equal<string>([ "x"; "y" ], found |> Seq.map _.Name)
            Assert.Equal<float>([| 1.0; 2.0 |], Tensor.toDoubles found[0])

        Assert.Contains("at most 100 bytes", refusal (fun () -> readNpz 100L plain))

    [<Fact>]
    let ``damaged archives are refused, and never an exception`` () =
        let bytes = npz [ tensor "x" [ 1.0; 2.0 ]; tensor "y" [ 3.0 ] ]

        for length in 0 .. bytes.Length - 1 do
            Assert.StartsWith("x.npz", refusal (fun () -> readNpz 1000L bytes[.. length - 1]))

        for place in 0 .. bytes.Length - 1 do
            for value in [ 0uy; 0xFFuy; bytes[place] ^^^ 1uy ] do
                let changed = Array.copy bytes
                changed[place] <- value

                try
                    readNpz 1000L changed |> ignore
                with :? RefusedException as refused ->
                    Assert.NotEmpty refused.Reasons

    [<Fact>]
    let ``a file beyond the limit is refused before it is read`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "x.csv"
        File.WriteAllText(path, String.replicate 100 "1,2\n")

        Assert.Contains(
            "at most 399 bytes (Data:MaximumBytes), found 400",
            refusal (fun () -> DataFile.Read(path, 399L))
        )

        Given.zip path
        Assert.Equal(400, DataFile.Read(path + ".gz", 400L).Content.Length)

        Assert.Contains(
            "at most 399 bytes (Data:MaximumBytes), found 400, once it is unzipped",
            refusal (fun () -> DataFile.Read(path + ".gz", 399L))
        )

        Assert.Equal(".csv", DataFile.Read(path + ".gz", 400L).Kind)

    [<Fact>]
    let ``a folder and a file that is not there are called that`` () =
        use scratch = new Scratch()

        Assert.Equal(
            $"{scratch.Path}: expected a file, found a folder.",
            refusal (fun () -> DataFile.Read(scratch.Path, 10L))
        )

        for missing in [ "x.csv"; "nowhere/x.csv" ] do
            Assert.Equal(
                $"{scratch.Sub missing}: expected a file that can be read, found none.",
                refusal (fun () -> DataFile.Read(scratch.Sub missing, 10L))
            )

    [<Fact>]
    let ``a first row of as many cells as the model takes is not taken for counts`` () =
        let text = "1,2,3\n0.1,0.2,0.3\n"
        let known = CsvLayout(Known = [| "0"; "1"; "2" |])
        Assert.Contains("1, 2, 3, which can be either", refusal (fun () -> csv known text))
        Assert.Contains("the counts of 1 rows", refusal (fun () -> csv usual text))

    [<Fact>]
    let ``a model's columns are found by name, or by place where it knows no names`` () =
        let table = csv usual "a, b ,c\n1,2,3\n4,5,6\n"

        let find (names: string list) =
            TableFile.WithColumns(names, table, DataFile.Of("x.csv", ReadOnlyMemory()))

        Assert.Same(table, find [ "c"; "d" ])
        Assert.Same(table, find [])
        Assert.Same(table, find [ "b"; "d" ])
        Assert.Same(table, find [ " a"; "d" ])
        Exactly.equal [ "0"; "1"; "2" ] ((find [ "0"; "1" ]).Columns |> List.map _.Name)
        Exactly.equal [ "line 2"; "line 3" ] (places (find [ "1" ]))

        Assert.Equal(
            "x.csv: expected a header with the names d, e, found none of them.",
            refusal (fun () -> find [ "d"; "e" ])
        )

        // Of what has no header, none is asked for.
        for kind in [ "x.npy"; "x.json"; "x.parquet" ] do
            Assert.Equal(
                $"{kind}: expected columns named d, e, found a,  b , c.",
                refusal (fun () ->
                    TableFile.WithColumns([ "d"; "e" ], table, DataFile.Of(kind, ReadOnlyMemory())))
            )

        for key in [ "b"; " b "; " b" ] do
            Exactly.equal " b " (Table.find key table |> orFail).Name

    [<Fact>]
    let ``a fault of the test file is said of it, and its header is that of the training file`` () =
        use scratch = new Scratch()
        let train, test = scratch.Sub "train.csv", scratch.Sub "test.csv"
        let runs = scratch.Sub "runs"
        let rows = String.replicate 10 "1,red,a\n2,blue,b\n"
        File.WriteAllText(train, "size,colour,label\n" + rows)

        let errors (text: string) =
            File.WriteAllText(test, text)

            (Given.host [
                "train"
                $"--Data:Train={train}"
                $"--Data:Test={test}"
                "--Training:Iterations=1"
                $"--Run:Directory={runs}"
            ])
                .Errors

        let said = errors "size,colour,label\n1,red,a\n1,green,b\n"
        Assert.Contains(test, said)
        Assert.Contains("line 3", said)
        Assert.DoesNotContain(train, said)

        // Other separators are none that are looked for.
        File.WriteAllText(train, (File.ReadAllText train).Replace(',', ':'))
        Assert.StartsWith($"{train}: expected columns beside the label (Data:Separator", errors "")
        File.WriteAllText(train, (File.ReadAllText train).Replace(':', ','))

        Assert.StartsWith(
            $"{test}: expected a header with the names size, colour, label, found none of them",
            errors rows
        )

    let private gzip (bytes: byte[]) =
        use zipped = new MemoryStream()

        using (new GZipStream(zipped, CompressionLevel.Optimal, true)) (fun stream ->
            stream.Write(ReadOnlySpan bytes))

        zipped.ToArray()

    [<Law>]
    let ``gzip streams of several members are read whole, and no cut of them is taken for whole``
        (members: byte[] list)
        =
        use scratch = new Scratch()
        let path = scratch.Sub "x.csv.gz"
        // .NET writes nothing at all for no bytes.
        let members = members |> List.filter (fun bytes -> bytes.Length > 0)

        if not members.IsEmpty then
            let zipped = Array.concat (List.map gzip members)

            let read (bytes: byte[]) =
                File.WriteAllBytes(path, bytes)
                DataFile.Read(path, 1_000_000L).Content.ToArray()

            Exactly.equal (Array.concat members) (read zipped)

            let ends = members |> List.map (gzip >> Array.length) |> List.scan (+) 0

            for cut in [ 1 .. zipped.Length - 1 ] |> List.except ends do
                Assert.Contains("gzip stream", refusal (fun () -> read zipped[.. cut - 1]))

            Assert.Contains(
                "more that follows",
                refusal (fun () -> read (Array.append zipped (Array.create 9 7uy)))
            )

    [<Fact>]
    let ``the empty member at the end of bgzip's streams is one`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "x.csv.gz"

        let empty =
            Convert.FromHexString "1f8b08040000000000ff0600424302001b0003000000000000000000"

        File.WriteAllBytes(path, Array.append (gzip "1,2\n"B) empty)
        Assert.Equal<byte>("1,2\n"B, DataFile.Read(path, 100L).Content.ToArray())

    [<Fact>]
    let ``data that do not fit in memory are refused`` () =
        let said =
            refusal (fun () -> MemoryBudget.Require("x.csv", "7 cells", Int64.MaxValue))

        Assert.Contains("x.csv: expected data that fit in memory", said)
        MemoryBudget.Require("x.csv", "7 cells", 1000L)

        Assert.Contains(
            "x.csv: expected data that fit in memory",
            refusal (fun () ->
                MemoryBudget.Guard("x.csv", fun () -> raise (OutOfMemoryException())))
        )

        use scratch = new Scratch()
        let path = scratch.Sub "large.csv"
        // Some 100 MB are needed for 10 MB of cells.
        File.WriteAllText(path, String.replicate 400_000 "1,2,3,4,5,6,7,8,9,0,1,2,3\n")

        let ended =
            Given.startWith [ "DOTNET_GCHeapHardLimit", "0x4000000" ] [
                "train"
                $"--Data:Train={path}"
                $"--Run:Directory={scratch.Path}"
            ]
            |> Given.finish

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("large.csv: expected data that fit in memory", ended.Errors)
        Assert.Equal(1, Directory.GetFileSystemEntries(scratch.Path).Length)

    /// The rows of the small images as a table, or as arrays.
    let private train scratch (changes: (string * string) list) =
        Given.options scratch changes
        |> List.filter (fun option -> not (option.StartsWith "--Data:Directory"))
        |> Given.host

    [<Fact>]
    let ``images in an archive of arrays train the network that IDX files do`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch

        let tensors = [
            for half, name in [ "train", "train"; "t10k", "test" ] do
                let read kind =
                    ReadOnlyMemory(File.ReadAllBytes(Path.Combine(folder, $"{half}-{kind}-ubyte")))

                let images =
                    Idx.parseImages (read "images-idx3")
                    |> Result.defaultWith (fun _ -> failwith "no images")

                let labels =
                    Idx.parseLabels 10 (read "labels-idx1")
                    |> Result.defaultWith (fun _ -> failwith "no labels")

                {
                    Name = $"x_{name}"
                    Shape = [ images.Count; images.Size.Rows; images.Size.Columns ]
                    Elements = Elements.Bytes images.Pixels
                }

                {
                    Name = $"y_{name}"
                    Shape = [ labels.Length ]
                    Elements = Elements.Integers(labels |> Array.map int64)
                }
        ]

        File.WriteAllBytes(scratch.Sub "images.npz", npz tensors)

        let hash (ended: Ended) folder =
            Assert.True((ended.ExitCode = 0), ended.Errors)
            let summary = File.ReadAllText(Path.Combine(folder, "summary.json"))

            Text.Json.JsonDocument.Parse(summary).RootElement.GetProperty("parameters_sha256")
            |> string

        let idx = Given.host (Given.options scratch [ "Run:Directory", scratch.Sub "idx" ])

        let arrays =
            train scratch [
                "Data:Train", scratch.Sub "images.npz"
                "Run:Directory", scratch.Sub "npz"
            ]

        Assert.Equal(
            hash idx (Directory.GetDirectories(scratch.Sub "idx")[0]),
            hash arrays (Directory.GetDirectories(scratch.Sub "npz")[0])
        )
