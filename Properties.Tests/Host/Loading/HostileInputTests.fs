namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.IO.Compression
open System.Numerics
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Properties
open Pipeline.Training
open Xunit
open Xunit.Abstractions

/// Changes to bytes that hurt parsers.
[<RequireQualifiedAccess>]
module private Mutation =
    /// Numbers at which sizes overflow.
    let private numbers = [|
        0L
        1L
        -1L
        127L
        128L
        255L
        32767L
        65535L
        2147483647L
        2147483648L
        4294967295L
        Int64.MaxValue
        Int64.MinValue
    |]

    /// Texts that mean something to some format.
    let private texts = [|
        "\""
        "{"
        "}"
        "["
        "]"
        ","
        ":"
        "null"
        "-1"
        "1e999"
        "NaN"
        "99999999999999999999"
        "\\ud800"
        "\u0000"
        "../"
        "\n"
        "W1"
        "F64"
    |]

    let private splice (at: int) (length: int) (middle: byte[]) (bytes: byte[]) =
        let at = min at bytes.Length
        let rest = min bytes.Length (at + length)
        Array.concat [ bytes[.. at - 1]; middle; bytes[rest..] ]

    /// One change: of a bit, a byte, a word, a cut, a stretch doubled, moved or left out.
    let private one (random: Random) (bytes: byte[]) : byte[] =
        let place () = random.Next(bytes.Length + 1)

        let stretch () =
            1 + random.Next(1 + min 64 bytes.Length)

        let at = place ()

        match random.Next 9 with
        | 0 -> bytes[.. at - 1]
        | 1 ->
            let change = Array.copy bytes

            if at < bytes.Length then
                change[at] <- change[at] ^^^ (1uy <<< random.Next 8)

            change
        | 2 -> splice at 1 [| byte (random.Next 256) |] bytes
        | 3 ->
            let word = BitConverter.GetBytes numbers[random.Next numbers.Length]
            let size = [| 1; 2; 4; 8 |][random.Next 4]

            let word =
                if random.Next 2 = 0 then
                    word[.. size - 1]
                else
                    Array.rev word[.. size - 1]

            splice at size word bytes
        | 4 -> splice at 0 bytes[at .. at + stretch () - 1 |> min (bytes.Length - 1)] bytes
        | 5 -> splice at (stretch ()) [||] bytes
        | 6 ->
            splice at (random.Next 3) (Encoding.UTF8.GetBytes texts[random.Next texts.Length]) bytes
        | 7 ->
            let other = place ()
            splice at 0 bytes[other .. other + stretch () - 1 |> min (bytes.Length - 1)] bytes
        | _ ->
            Array.init (random.Next 64) (fun _ -> byte (random.Next 256))
            |> Array.append bytes

    /// One to four changes.
    let apply (random: Random) (bytes: byte[]) : byte[] =
        Seq.fold (fun bytes _ -> one random bytes) bytes (seq { 0 .. random.Next 4 })

/// What the commands make of a model's file.
[<RequireQualifiedAccess>]
module private ModelCommands =
    /// inspect, export, predict and evaluate, of a model of one precision.
    let all<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (plan: RunConfiguration)
        (path: string)
        (samples: DataFile[])
        (file: ModelFile)
        : (unit -> unit) list =
        let assumed = ModelDefaults.None

        [
            fun () -> InspectCommand.Tables(path, file.ModelOf<'T> assumed) |> ignore
            fun () ->
                for format in [ "onnx"; "npz"; "safetensors" ] do
                    ExportCommand.Write<'T>(file, assumed, format) |> ignore
            fun () ->
                let told =
                    ModelPredictions.Of<'T>(
                        file.ModelOf<'T> assumed,
                        file.Path,
                        samples,
                        plan.Settings.Data,
                        plan.Table.Cells,
                        false,
                        false
                    )

                told.ToJson() + told.ToCsv() + told.ToText 3 |> ignore
            fun () ->
                let report =
                    EvaluateCommand.Report<'T>(plan, file, null, assumed, EvaluationOptions.Default)

                EvaluationJson.Write report |> ignore
                report.ToText() + report.ToMarkdown() |> ignore
        ]

/// Every parser on bytes that were made to hurt it: it gives a value or declared faults, in bounded time
/// and memory.
type HostileInputTests(output: ITestOutputHelper) =
    /// How many inputs each parser gets: a million are a thorough run.
    let inputs = Given.times "HOSTILE_INPUTS" 600

    let seed = Random.Shared.Next 1000000

    /// So many bytes may be taken for a file: some twenty for each of its own, and room for a message of
    /// .NET's.
    let allowed (bytes: byte[]) = 2_000_000L + 20L * int64 bytes.Length

    /// Tries a parser, which says whether it took its input, on what becomes of some sound files, the first of
    /// which it takes as it is. It may use so many bytes besides those allowed for a file.
    let attackWithin (room: int64) (name: string) (sound: byte[] list) (takes: byte[] -> bool) =
        let random = Random seed
        let clock = Stopwatch.StartNew()
        let mutable taken = 0
        let mutable slowest = TimeSpan.Zero
        let mutable most = 0L

        Assert.True(takes sound.Head, $"{name}: a sound file is refused")

        for i in 1..inputs do
            let bytes = Mutation.apply random sound[random.Next sound.Length]
            let start = Stopwatch.GetTimestamp()
            let before = GC.GetAllocatedBytesForCurrentThread()

            try
                if takes bytes then
                    taken <- taken + 1
            with error ->
                Assert.Fail
                    $"{name}, seed {seed}, input {i}: {error}\n{Convert.ToBase64String bytes}"

            let allocated = GC.GetAllocatedBytesForCurrentThread() - before
            let time = Stopwatch.GetElapsedTime start
            slowest <- max slowest time
            most <- max most allocated

            Assert.True(
                allocated <= room + allowed bytes,
                $"{name}, seed {seed}, input {i}: {allocated} bytes for {bytes.Length}"
            )

        Assert.InRange(slowest.TotalSeconds, 0.0, 5.0)

        output.WriteLine
            $"{name}: {inputs} inputs (seed {seed}), {taken} taken, at most {most} bytes and {slowest.TotalMilliseconds:F1} ms, {clock.Elapsed.TotalSeconds:F1} s in all"

    let attack (name: string) (sound: byte[] list) (takes: byte[] -> bool) =
        for bytes in sound do
            Assert.True(takes bytes, $"{name}: a sound file is refused")

        attackWithin 0L name sound takes

    let hasFaults (result: Result<'V, Fault list>) =
        match result with
        | Ok _ -> true
        | Error faults ->
            Assert.NotEmpty faults

            for fault in faults do
                Assert.EndsWith(".", string fault)

            false

    /// Whether the host's part takes it, or refuses it with sentences.
    let isTaken (act: unit -> unit) =
        try
            act ()
            true
        with :? RefusedException as refused ->
            Assert.NotEmpty refused.Reasons
            false

    let images = {
        Count = 3
        Size = ImageSize.Grey(2, 2)
        Pixels = ReadOnlyMemory [| 0uy; 255uy; 3uy; 4uy; 0uy; 0uy; 7uy; 8uy; 9uy; 1uy; 2uy; 3uy |]
    }

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Optimizer = OptimizerSpec.create (OptimizerSpec.named "Adam") |> orFail
        }
        |> orFail

    let architecture = Architecture.dense Activation.Tanh [ 2; 3; 2 ]
    let state: TrainingState<float32> = Trainer.start settings architecture

    /// A model of a table, as the commands take it, and samples for it.
    let modelOfTable: Model<float32> = {
        Network = state.Network
        Preprocessing =
            Preprocessing.Table {
                Numbers = []
                Categories = [
                    {
                        Name = "colour"
                        Values = [ "red"; "blue" ]
                        Fill = ""
                    }
                ]
                Format = CellFormat.Default
            }
        Classes = [ "yes"; "no" ]
        Decision = ValueNone
        Conformal = ValueNone
        Statistics = ValueNone
        Notes = [ "seed", "1" ]
    }

    /// Gives the commands a changed model: what they print is thrown away.
    let attackCommands (name: string) (ending: string) (sound: byte[] list) =
        use scratch = new Scratch()
        let path = scratch.Sub $"model{ending}"
        let rows = scratch.Sub "rows.csv"
        File.WriteAllText(rows, "colour,answer\nred,yes\nblue,no\nred,no\nblue,yes\n")

        let settings =
            PipelineSettings(Data = DataSettings(Train = rows, Test = rows, Header = Nullable true))

        let mutable faults: Collections.Generic.IReadOnlyList<string> = []
        let plan = nonNull (RunConfiguration.Create(settings, &faults))
        let samples = [| DataFile.Read(rows, 1000L) |]

        let commands (file: ModelFile) =
            if file.IsDouble then
                ModelCommands.all<float> plan path samples file
            else
                ModelCommands.all<float32> plan path samples file

        attackWithin 20_000_000L name sound (fun bytes ->
            File.WriteAllBytes(path, bytes)
            let mutable taken = false

            isTaken (fun () ->
                let file = ModelFile.Read path
                // Each command by itself: what one refuses another may take.
                for command in commands file do
                    if isTaken command then
                        taken <- true

                if not taken then
                    raise (RefusedException [ "no command takes it." ])))

    /// The model, in both precisions, and one that names its classes oddly.
    let soundModels (write: TensorFile -> byte[]) = [
        write (Model.toTensors modelOfTable)
        write (
            Model.toTensors {
                Model.ofNetwork (Network.convert state.Network: Network<float>) with
                    Preprocessing = modelOfTable.Preprocessing
                    Classes = [ "yes"; "no" ]
            }
        )
        write (
            Model.toTensors {
                Model.ofNetwork state.Network with
                    Preprocessing = Preprocessing.Numbers
            }
        )
    ]

    [<Fact>]
    member _.``IDX images``() =
        attack "IDX images" [ Idx.writeImages images ] (fun bytes ->
            Idx.declaredLength (ReadOnlyMemory bytes) |> ignore
            Idx.parseImages (ReadOnlyMemory bytes) |> hasFaults)

    [<Fact>]
    member _.``IDX labels``() =
        attack "IDX labels" [ Idx.writeLabels [| 0; 9; 3 |]; Idx.writeLabels [||] ] (fun bytes ->
            Idx.parseLabels 10 (ReadOnlyMemory bytes) |> hasFaults)

    [<Fact>]
    member _.``IDX files of every type``() =
        let sound = [
            Idx.writeImages images
            [|
                0uy
                0uy
                13uy
                3uy
                0uy
                0uy
                0uy
                1uy
                0uy
                0uy
                0uy
                1uy
                0uy
                0uy
                0uy
                1uy
                63uy
                0uy
                0uy
                0uy
            |]
        ]

        attack "IDX images of every type" sound (fun bytes ->
            Idx.parseImageTensor (ReadOnlyMemory bytes)
            |> Result.bind (fun images ->
                Pixels.scaleOf images |> Result.bind (fun scale -> Pixels.ofTensor scale images))
            |> hasFaults)

        let sound = [
            Idx.writeLabels [| 0; 9; 3 |]
            [|
                0uy
                0uy
                12uy
                2uy
                0uy
                0uy
                0uy
                1uy
                0uy
                0uy
                0uy
                1uy
                0uy
                0uy
                0uy
                7uy
            |]
        ]

        attack "IDX labels of every type" sound (fun bytes ->
            Idx.parseLabelTensor (ReadOnlyMemory bytes)
            |> Result.bind ClassLabels.ofTensor
            |> Result.bind (fun column -> ClassLabels.classes 10 column.Labels)
            |> hasFaults)

    [<Fact>]
    member _.``safetensors``() =
        attack
            "safetensors"
            [
                Safetensors.write {
                    Model.ofNetwork state.Network with
                        Decision = ValueNone
                        Notes = [ "note", "x" ]
                }
            ]
            (fun bytes ->
                let model: Result<Model<float32>, _> = Safetensors.read (ReadOnlyMemory bytes)
                hasFaults model)

    [<Fact>]
    member _.``evaluate, predict, inspect and export of changed safetensors``() =
        attackCommands "models in safetensors" ".safetensors" (soundModels Safetensors.format)

    [<Fact>]
    member _.``evaluate, predict, inspect and export of changed archives``() =
        attackCommands "models in NPZ" ".npz" (soundModels (Npz.toArrays >> NpzFile.Write))

    /// Another value in the place of one of the metadata's, the rest of the file as it was.
    [<Fact>]
    member _.``evaluate, predict, inspect and export of models with other metadata``() =
        let random = Random seed
        let sound = Model.toTensors modelOfTable

        let strange () =
            let json = [|
                "[]"
                "{}"
                "null"
                "[\"yes\",\"yes\"]"
                "[\"a\\u0001\",\"\\ufffe\"]"
                "[\"\",\"\\n\"]"
                "[1,2]"
                "Softmax"
                "Identity"
                "Sigmoid"
                "Tanh"
                "Relu,Relu"
                ","
                """{"kind":"numbers"}"""
                """{"kind":"pixels","rows":1,"columns":2}"""
                """{"kind":"pixels","rows":2147483647,"columns":2147483647}"""
                """{"kind":"table","numbers":[{"name":"colour","fill":null,"centre":0,"scale":1e-300},{"name":"answer","fill":1e999,"centre":0,"scale":1}],"categories":[]}"""
                """{"kind":"table","numbers":[{"name":"colour","fill":1,"centre":1e308,"scale":1e-308}],"categories":[{"name":"answer","fill":"","values":["yes"]}]}"""
                """{"kind":"table","numbers":[],"categories":[{"name":"colour","fill":"","values":["red"]},{"name":"colour","fill":"","values":["red"]}]}"""
                """{"kind":"table","numbers":[],"categories":[{"name":"","fill":"","values":["",""]}]}"""
                String('x', 5000)
            |]

            json[random.Next json.Length]

        let changed () : byte[] =
            Safetensors.format {
                sound with
                    Metadata =
                        sound.Metadata
                        |> List.map (fun (name, text) ->
                            if random.Next 3 = 0 then name, strange () else name, text)
            }

        attackCommands "metadata of models" ".safetensors" [
            yield Safetensors.format sound
            yield! List.init 200 (fun _ -> changed ())
        ]

    [<Fact>]
    member _.``NPY arrays``() =
        let tensor elements = {
            Name = "x"
            Shape = [ 2; 3 ]
            Elements = elements
        }

        let sound = [
            Npy.write (tensor (Elements.Singles [| 1f; 2f; 3f; 4f; 5f; 6f |]))
            Npy.write (tensor (Elements.Integers [| 1L; 2L; 3L; 4L; 5L; 6L |]))
            Array.concat<byte> [
                [| 0x93uy; yield! "NUMPY"B; 1uy; 0uy; 58uy; 0uy |]
                "{'descr': '<U2', 'fortran_order': True, 'shape': (2, 1), }"B
                [|
                    97uy
                    0uy
                    0uy
                    0uy
                    0uy
                    0uy
                    0uy
                    0uy
                    98uy
                    0uy
                    0uy
                    0uy
                    99uy
                    0uy
                    0uy
                    0uy
                |]
            ]
        ]

        attack "NPY" sound (fun bytes -> Npy.parse "x" (ReadOnlyMemory bytes) |> hasFaults)

    [<Fact>]
    member _.``NPZ archives``() =
        let sound =
            NpzFile.Write(Npz.toArrays (Model.toTensors (Model.ofNetwork state.Network)))

        attack "NPZ" [ sound ] (fun bytes ->
            isTaken (fun () -> NpzFile.Parse(ReadOnlyMemory bytes, 100_000L, "x.npz") |> ignore))

    [<Fact>]
    member _.``separated values``() =
        attack "CSV" [ Encoding.UTF8.GetBytes "a,b\n1,\"x, y\"\n2,z\n" ] (fun bytes ->
            isTaken (fun () ->
                CsvFile.Parse(ReadOnlyMemory bytes, CsvLayout(Nullable(), 0), "x.csv") |> ignore))

    [<Theory>]
    [<InlineData("""[{"age": 1, "b": 2}, {"aeg": 3, "b": 4}]""", "row 2", "age", "aeg")>]
    [<InlineData("{\"a\": 1}\n{\"b\": 1}", "line 2", "a", "b")>]
    [<InlineData("[{\"a\": 1}, [2]]", "row 2", "an object", "a list")>]
    [<InlineData("[1, 2]\n{\"0\": 1, \"1\": 2}", "line 2", "a list", "an object")>]
    member _.``JSON rows that differ from the first one in their names or their form are refused``
        (text: string, place: string, expected: string, found: string)
        =
        let refused =
            Assert.Throws<RefusedException>(fun () ->
                JsonRows.Parse(Encoding.UTF8.GetBytes text, 1_000_000L, "x.json") |> ignore)

        let sentence = Assert.Single refused.Reasons
        Assert.StartsWith($"x.json, {place}: ", sentence)
        Assert.Contains(expected, sentence)
        Assert.Contains(found, sentence)

    [<Fact>]
    member _.``JSON rows may lack names of the first one, or have more, in any order``() =
        let table =
            JsonRows.Parse(
                """[{"a": 1, "b": 2}, {"b": 3}, {"c": 4, "b": 5, "a": 6}]"""B,
                1_000_000L,
                "x.json"
            )

        let texts =
            table.Columns
            |> List.map (fun column -> column.Name, List.ofSeq (Interop.Tables.TextsOf column))

        Assert.Equal<(string * string list) list>(
            [ "a", [ "1"; ""; "6" ]; "b", [ "2"; "3"; "5" ]; "c", [ ""; ""; "4" ] ],
            texts
        )

    [<Fact>]
    member _.``rows in JSON``() =
        let sound =
            [ """[{"a": 1, "b": "x"}, {"a": null}]"""; "[1, 2]\n[3, 4]\n" ]
            |> List.map Encoding.UTF8.GetBytes

        attack "JSON rows" sound (fun bytes ->
            isTaken (fun () ->
                JsonRows.Parse(ReadOnlyMemory bytes, 1_000_000L, "x.json") |> ignore))

    [<Fact>]
    member _.``Parquet files``() =
        let table =
            Table.create [
                {
                    Name = "number"
                    Cells = Cells.Numbers [| 1.0; nan; 0.5 |]
                }
                {
                    Name = "text"
                    Cells = Cells.Texts [| "a"; "b"; "a" |]
                }
            ]
            |> orFail

        let sound = [
            ParquetFiles.arrow 1
            ParquetFiles.arrow 2
            ParquetFiles.write Parquet.CompressionMethod.None 2 table
        ]

        attack "Parquet" sound (fun bytes ->
            isTaken (fun () -> ParquetFiles.read 100_000L bytes |> ignore))

    [<Fact>]
    member _.``preprocessing in JSON``() =
        let sound =
            [
                Preprocessing.Numbers
                Preprocessing.Pixels(ImageSize.Grey(2, 3))
                Preprocessing.Table {
                    Numbers = [
                        {
                            Name = "x"
                            Fill = nan
                            Centre = 1.0
                            Scale = 2.0
                        }
                    ]
                    Categories = [
                        {
                            Name = "y"
                            Values = [ "a"; "b" ]
                            Fill = "a"
                        }
                    ]
                    Format = {
                        MissingValues = [ "-" ]
                        DecimalSeparator = ','
                        ThousandsSeparator = ValueSome '.'
                    }
                }
            ]
            |> List.map (Preprocessing.toJson >> Encoding.UTF8.GetBytes)

        attack "preprocessing" sound (fun bytes ->
            Preprocessing.ofJson (Encoding.UTF8.GetString bytes) |> hasFaults)

    [<Fact>]
    member _.``PNG images``() =
        let sound = PngWriter.OfBytes(ByteImage(ImageSize.Grey(3, 5), Array.init 15 byte))

        let isRead isChecked (bytes: byte[]) =
            isTaken (fun () ->
                PngReader.Parse(ReadOnlyMemory bytes, 1, true, 100_000L, "x.png", isChecked)
                |> ignore)

        attack "PNG" [ sound ] (isRead false)

        // A checksum finds every changed byte.
        Assert.True(isRead true sound)

        for place in 0 .. sound.Length - 1 do
            let changed = Array.copy sound
            changed[place] <- changed[place] ^^^ 1uy
            Assert.False(isRead true changed, $"byte %d{place} of %d{sound.Length}")

        Assert.False(isRead true (Array.append sound sound[sound.Length - 12 ..]))

    [<Fact>]
    member _.``a PNG whose zlib stream asks for a dictionary is refused``() =
        let bytes =
            Convert.FromBase64String(
                "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAYAAABbNsX4AAAACXBIWXMAAA7DAAAOwwHHb6hkAAAASklEQVQIPAE/AMD/"
                + "AP/////+/v7//f39//z8/P/7+/v/APr6+v/5+fn/+Pj4//f39//29vb/APX19f/09PT/8/Pz//Ly8v/x8fH/QZw6iqcE"
                + "5GQAAAAASUVORK5CYII="
            )

        let refused =
            Assert.Throws<RefusedException>(fun () ->
                PngReader.Parse(ReadOnlyMemory bytes, 1, true, 100_000L, "x.png", false)
                |> ignore)

        Assert.Equal(
            "x.png: expected a PNG image, found one whose pixels cannot be decompressed.",
            Assert.Single refused.Reasons
        )

    [<Fact>]
    member _.``a PNG's last chunk that claims much and is not there takes nothing``() =
        let header =
            (PngWriter.OfBytes(ByteImage(ImageSize.Grey(3, 5), Array.init 15 byte)))[..32]

        let bytes = Array.append header [| 0uy; 255uy; 255uy; 255uy; yield! "IDAT"B |]
        let before = GC.GetAllocatedBytesForCurrentThread()

        let isTaken =
            isTaken (fun () ->
                PngReader.Parse(ReadOnlyMemory bytes, 1, true, 100_000L, "x.png") |> ignore)

        Assert.False isTaken
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0L, allowed bytes)

    [<Fact>]
    member _.``checkpoints``() =
        attack "checkpoints" [ Checkpoint.write state ] (fun bytes ->
            let state: Result<TrainingState<float32>, _> =
                Checkpoint.read settings architecture (ReadOnlyMemory bytes)

            hasFaults state)

    [<Fact>]
    member _.``manifests of checkpoints``() =
        let manifest =
            CheckpointManifest.Create(
                7L,
                TimeSpan.FromSeconds 1.0,
                [| 1uy |],
                "s",
                dict [ "file", "hash" ] |> Collections.Generic.Dictionary
            )

        attack "manifests" [ manifest.ToJson() ] (fun bytes ->
            isTaken (fun () ->
                let mutable fault = ""

                match CheckpointManifest.Parse(ReadOnlySpan bytes, "manifest", &fault) with
                | null ->
                    Assert.Matches("^manifest(, line \\d+, column \\d+)?: expected ", fault)
                    raise (RefusedException [ fault ])
                | manifest ->
                    manifest.FaultOf(ReadOnlySpan bytes, "payload") |> ignore
                    manifest.IsOf("s", manifest.DataSha256) |> ignore))

    [<Fact>]
    member _.``settings of a run with a number beyond all bounds are refused``() =
        use scratch = new Scratch()
        Directory.CreateDirectory(scratch.Sub "run") |> ignore

        File.WriteAllText(
            scratch.Sub "run/settings.json",
            """{"settings": {"training": {"learning_rate": 1e999}}, "data_sha256": {}}"""
        )

        let refused =
            Assert.Throws<RefusedException>(fun () -> StoredRun.Read(scratch.Sub "run") |> ignore)

        Assert.Contains("expected a run's settings", Assert.Single refused.Reasons)

    [<Fact>]
    member _.``gzip streams in a data folder``() =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let path = Path.Combine(folder, "train-labels-idx1-ubyte")

        let zip (bytes: byte[]) =
            use memory = new MemoryStream()

            using (new GZipStream(memory, CompressionLevel.Optimal)) (fun zipped ->
                zipped.Write(ReadOnlySpan bytes))

            memory.ToArray()

        let sound = File.ReadAllBytes path
        File.Delete path

        attack "gzip" [ zip sound ] (fun bytes ->
            File.WriteAllBytes(path + ".gz", bytes)
            isTaken (fun () -> DataFiles.LoadFolder<float32>(folder, 10) |> ignore))

    [<Fact>]
    member _.``a small stream that holds much is not unpacked``() =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let path = Path.Combine(folder, "train-images-idx3-ubyte")
        File.Delete path

        // 400 MB in 400 kB: of zeros; and of images, as many as its header claims but not its end.
        let bomb (start: byte[]) =
            use file = File.Create(path + ".gz")

            using (new GZipStream(file, CompressionLevel.Optimal, true)) (fun zipped ->
                zipped.Write(ReadOnlySpan start)

                for _ in 1..400 do
                    zipped.Write(ReadOnlySpan(Array.zeroCreate<byte> 1_000_000)))

        for start, claims in
            [
                [||], "the magic number"
                Idx.writeImages images,
                "one whole gzip stream, found one that is cut short, or more"
            ] do
            bomb start
            let before = GC.GetTotalAllocatedBytes true

            let refused =
                Assert.Throws<RefusedException>(fun () ->
                    DataFiles.LoadFolder<float32>(folder, 10) |> ignore)

            Assert.Contains(claims, Assert.Single refused.Reasons)
            let allocated = GC.GetTotalAllocatedBytes true - before
            Assert.InRange(allocated, 0L, 40_000_000L)

    [<Fact>]
    member _.``rows of JSON that share one name alone make no table of their square``() =
        let rows = [ for i in 2..4000 -> $"""{{"a": 1, "c{i}": 1}}""" ]
        let text = String.concat "\n" ("{\"a\": 1}" :: rows)
        let bytes = ReadOnlyMemory(Encoding.UTF8.GetBytes text)
        let before = GC.GetAllocatedBytesForCurrentThread()

        let refused =
            Assert.Throws<RefusedException>(fun () ->
                JsonRows.Parse(bytes, 50_000_000L, "x.json") |> ignore)

        Assert.Contains("found 4000 rows of 4000 columns", Assert.Single refused.Reasons)
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0L, 20_000_000L)

    [<Fact>]
    member _.``files of settings``() =
        use scratch = new Scratch()
        let path = scratch.Sub "preset.json"

        let sound = [
            for name in Presets.Names ->
                let preset = Presets.Find(name, name)

                use file =
                    (nonNull preset.FileProvider)
                        .GetFileInfo(nonNull preset.Path)
                        .CreateReadStream()

                use bytes = new MemoryStream()
                file.CopyTo bytes
                bytes.ToArray()
        ]

        // Building a host takes its time.
        attack "settings" sound (fun bytes ->
            File.WriteAllBytes(path, bytes)

            isTaken (fun () ->
                ServiceRegistration.CreateBuilder(
                    CommandLineSettings(Collections.Generic.Dictionary(), path)
                )
                |> ignore))

    [<Fact>]
    member _.``settings of a run to go on with``() =
        use scratch = new Scratch()
        Directory.CreateDirectory(scratch.Sub "run") |> ignore
        let path = scratch.Sub "run/settings.json"

        let sound =
            Encoding.UTF8.GetBytes
                """{"settings": {"data": {"directory": "d", "classes": 10}, "model": {"hidden": [50], "normalised": false}, "training": {"iterations": 100, "learning_rate": 0.1, "seed": 1}}, "data_sha256": {"a": "b"}}"""

        attack "a run's settings" [ sound ] (fun bytes ->
            File.WriteAllBytes(path, bytes)

            isTaken (fun () ->
                let earlier = StoredRun.Find(scratch.Sub "run", scratch.Path)
                earlier.Values() |> Seq.length |> ignore))

    [<Fact>]
    member _.``logs of a run to go on with``() =
        use scratch = new Scratch()
        let files: IFiles = DiskFiles()
        let progress = scratch.Sub "progress.csv"
        let epochs = scratch.Sub "epochs.csv"
        let logs () = RunLogs(files, scratch.Path)
        (logs ()).Continue null
        let header = File.ReadAllBytes progress
        let epochsHeader = File.ReadAllBytes epochs
        let lines = "1,0,2.5,0.1,0.01\n2,0,2.4,0.1,0.02\n3,1,NaN,0.1,0.03\n"B
        let evaluations = "0,0,2.5,0.1,2.5,0.1,0.01,,\n1,2,2.4,0.1,2.5,0.1,0.02,2.5,0.1\n"B
        let sound = [ Array.append header lines; Array.append epochsHeader evaluations ]

        attack "logs" sound (fun bytes ->
            // One of the two files is the changed one.
            let isProgress = bytes.Length > 9 && bytes[0] = 'i'B

            File.WriteAllBytes(progress, (if isProgress then bytes else sound[0]))
            File.WriteAllBytes(epochs, (if isProgress then sound[1] else bytes))
            isTaken (fun () -> (logs ()).Find(3L, 2L, Cadence.Automatic, []) |> ignore))
