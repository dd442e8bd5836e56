namespace Pipeline.Properties.Host

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open System.Text.RegularExpressions
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// The service as its users meet it: a process, its exit code, what it prints and leaves.
module ProcessTests =
    /// Options but for those that only a run has.
    let private notOfRun =
        List.filter (fun (option: string) -> not (option.StartsWith "--Run:"))

    [<Fact>]
    let ``a run prints a line an epoch and leaves a whole run folder`` () =
        use scratch = new Scratch()
        let ended = Given.host (Given.options scratch [])
        Assert.Equal(0, ended.ExitCode)

        let epochs =
            Regex.Matches(
                ended.Output,
                @"^epoch (\d+) \| train acc: [01]\.\d{4}, test acc: [01]\.\d{4}\r?$",
                RegexOptions.Multiline
            )

        Assert.Equal<int>([ 0..13 ], epochs |> Seq.map (fun line -> int line.Groups[1].Value))
        let folder = Assert.Single(Given.runs scratch)
        Assert.EndsWith("-16-8-10", folder)
        Assert.Contains($"run folder: {folder}", ended.Output)

        Assert.Equal<string>(
            [
                "curves.svg"
                "epochs.csv"
                "model.safetensors"
                "progress.csv"
                "settings.json"
                "summary.json"
            ],
            Directory.GetFiles folder
            |> Array.map (fun file -> string (Path.GetFileName file))
            |> Array.sort
        )

        let progress = File.ReadAllLines(Path.Combine(folder, "progress.csv"))
        Assert.Equal("iteration,epoch,loss,learning_rate,seconds", progress[0])
        Assert.Equal(201, progress.Length)
        Assert.Equal(15, File.ReadAllLines(Path.Combine(folder, "epochs.csv")).Length)
        let summary = Told.summary scratch
        Assert.Equal("completed", Told.text "outcome" summary)
        Assert.Equal(200, summary.GetProperty("iterations").GetInt32())
        Assert.True(summary.GetProperty("final_test_accuracy").GetDouble() > 0.9)

        let model: Result<Model<float32>, Fault list> =
            Safetensors.read (
                ReadOnlyMemory(File.ReadAllBytes(Path.Combine(folder, "model.safetensors")))
            )

        match model with
        | Error faults -> Assert.Fail $"{faults}"
        | Ok model ->
            let hash =
                Security.Cryptography.SHA256.HashData(Parameters.toBytes model.Network.Parameters)
                |> Convert.ToHexStringLower

            Assert.Equal(Told.text "parameters_sha256" summary, hash)

    [<Fact>]
    let ``the log counts the samples that are used`` () =
        use scratch = new Scratch()

        let ended =
            Given.host (Given.options scratch [ "Data:Samples", "100"; "Data:Validation", "0.2" ])

        Assert.Equal(0, ended.ExitCode)
        let pattern = @"Loaded (\d+) training, (\d+) validation and 60 test samples"
        let said = Regex.Match(ended.Errors, pattern)
        Assert.True(said.Success, ended.Errors)
        let train, validation = int said.Groups[1].Value, int said.Groups[2].Value
        Assert.InRange(train + validation, 95, 105)
        Assert.InRange(validation, 15, 25)

    [<Fact>]
    let ``a seed decides every byte of the parameters`` () =
        let hash seed threads precision =
            use scratch = new Scratch()

            let ended =
                Given.host (
                    Given.options scratch [
                        "Training:Seed", $"{seed}"
                        "Training:Threads", $"{threads}"
                        "Training:Precision", precision
                    ]
                )

            Assert.Equal(0, ended.ExitCode)
            Told.text "parameters_sha256" (Told.summary scratch)

        let one = hash 1 1 "Single"
        Assert.Equal(one, hash 1 2 "Single")
        Assert.NotEqual<string>(one, hash 2 1 "Single")
        Assert.NotEqual<string>(one, hash 1 1 "Double")

    [<Fact>]
    let ``refused settings end with code 2, their reasons on standard error, and nothing written``
        ()
        =
        use scratch = new Scratch()

        let ended =
            Given.host (
                Given.options scratch [ "Training:LearningRate", "-1"; "Trainin:Seed", "3" ]
            )

        Assert.Equal(2, ended.ExitCode)
        Assert.Equal("", ended.Output)
        Assert.Equal(2, ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length)
        Assert.Empty(Given.runs scratch)

    [<Fact>]
    let ``refused data end with code 2, and nothing is written`` () =
        use scratch = new Scratch()
        let options = Given.options scratch []
        File.Delete(Path.Combine(scratch.Sub "data", "t10k-labels-idx1-ubyte"))
        let ended = Given.host options
        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("t10k-labels-idx1-ubyte: expected", ended.Errors)
        Assert.Empty(Given.runs scratch)

    [<Fact>]
    let ``what cannot be done is refused in a sentence, and nothing is written`` () =
        use scratch = new Scratch()
        let data = $"--Data:Directory={Given.data scratch}"
        let table = scratch.Sub "rows.csv"
        let runs = scratch.Sub "runs"
        File.WriteAllLines(table, [ for i in 0..59 -> $"{i % 7},{i % 5},{i % 2}" ])
        let cut = scratch.Sub "cut.csv.gz"

        using (File.Create cut) (fun file ->
            use zipped = new GZipStream(file, CompressionLevel.Optimal)
            zipped.Write(ReadOnlySpan(File.ReadAllBytes table)))

        // What is last now would be a length of two gigabytes.
        let bytes = File.ReadAllBytes cut
        File.WriteAllBytes(cut, [| yield! bytes[.. bytes.Length - 9]; 1uy; 2uy; 3uy; 0x7Fuy |])

        let model = scratch.Sub "model.safetensors"
        let arguments = scratch.Sub "arguments.txt"
        File.WriteAllText(arguments, model)

        let network: State<float32> =
            Trainer.start Hyperparameters.book (Architecture.dense Activation.Sigmoid [ 2; 3; 2 ])

        File.WriteAllBytes(model, Safetensors.write (Model.ofNetwork network.Network))

        let bare = scratch.Sub "bare.npz"
        let tensors = Model.toTensors (Model.ofNetwork network.Network)
        File.WriteAllBytes(bare, NpzFile.Write tensors.Tensors)

        for arguments, words in
            [
                [ "inspect"; bare ],
                "expected 1 activation in the metadata, or the activation given by --activation, found neither."
                [ "check"; data; "--samples"; "301" ],
                "--samples: expected a whole number of 1 to 300, found 301."
                [ "sanity"; data; "--samples"; "301" ],
                "--samples: expected a whole number of 1 to 300, found 301."
                [ "find-rate"; data; "--steps"; "1" ], "--steps: expected a whole number of 2 to"
                [ "find-rate"; data; "--Training:LearningRate"; "1" ],
                "Training:LearningRate: expected a setting that find-rate uses"
                [ "train"; data; "--Data:Samples"; "1" ],
                "Data:Samples: expected enough for a sample of a class"
                [ "train"; data; "--Training:BatchSize"; "140000000" ],
                "Training:BatchSize: expected at most"
                [ "train"; "--Data:Train"; table; "--Augmentation:Shift"; "2" ],
                "Augmentation: expected images to vary, found numbers."
                [ "regularisers"; "--Data:Train"; table ],
                "Augmentation: expected images to vary, found numbers."
                [ "train"; "--Data:Train"; cut ], "expected one whole gzip stream"
                [ "export"; model; "--to"; "onnx"; "--output"; scratch.Path ],
                "expected a file that can be written"
                [ "predict"; model; "-"; "-" ], "expected standard input once"
                [ "evaluate"; model; "--output"; "" ], "--output: expected a folder, found nothing."
                [ "diff"; ""; "" ], "the run: expected a run folder, found nothing."
                [ "regularisers"; "--preset"; "book" ],
                "preset: expected a setting that regularisers uses"
                [ "inspect"; "" ], "the model: expected a run folder or a file, found nothing."
                [ "train"; "--preset"; "book"; "--preset"; "book" ],
                "--preset: expected one value, found 2 ('book', 'book')."
                [ "train"; "--Training:Seed"; "1"; "--Training:Seed=2" ],
                "--Training:Seed: expected one value, found 2 ('1', '2')."
                [ "train"; "--resume"; "a"; "--Run:Resume"; "b" ], "expected one value, found 2"
                [ "check"; "--Training:Seed" ], "--Training:Seed: expected a value, found none."
                [ "check"; "--samples"; "1"; "--samples"; "2" ],
                "--samples: expected one value, found 2 ('1', '2')."
                [ "predict"; model; table; "--format"; "csv"; "--format"; "json" ],
                "--format: expected one value, found 2"
                [ "export"; model; "--output"; "a.npz"; "--output"; "b.npz" ],
                "--output: expected one value, found 2"
                [ "trian" ], "trian: expected a command (train is the nearest)"
                [ "sweep" ], "sweep: expected a command (train, check,"
                [ "" ], "'': expected a command"
                [ "inspect"; model; "more" ], "more: expected an option of inspect"
                [ "predict"; model; table; "--dark-in" ], "(dark-ink is the nearest)"
                [ "evaluate"; model; "--bins"; "100000000" ],
                "--bins: expected a whole number of 1 to 1000"
                [ "find-rate"; "--steps"; "2000000000" ],
                "--steps: expected a whole number of 2 to 1000000"
                [ "train"; data; "--Run:Name"; "a\027[31m\nb" ], @"found 'a\u001B[31m\nb'"
                [ "train"; data; "--Trainin:Seed"; "1" ],
                "(Training:Seed is the nearest), found an unknown one (option --Trainin:Seed)."
                [ "train"; data; "--training:seed"; "1" ],
                "training:seed: expected --Training:Seed, as option names are case-sensitive, found another name (option --training:seed)."
                [ "check"; data; "--Samples"; "1" ],
                "Samples: expected --samples, as option names are case-sensitive"
                [ "find-rate"; "--Training:LearningRate"; "1" ],
                "found one that it does not (option --Training:LearningRate)."
                [ "evaluate"; model; "--activation"; "Foo" ],
                "--activation: expected one of Sigmoid"
                [ "inspect"; model; "--head"; "1" ], "--head: expected one of Softmax"
                [ "evaluate"; model; "--head"; "Identity"; "--activation"; "Sigmoid" ],
                "head: expected Softmax, as the file says, or no --head, found Identity."
                [ "predict"; model; table; "--activation"; "Relu" ],
                "activation: expected Sigmoid, as the file says, or no --activation, found Relu."
                [ "train"; data; "--Model:Hidden"; "," ], "Model:Hidden"
                [ "train"; data; "--Model:Hidden"; "0,0" ], "Model:Hidden"
                [ "train"; "--Data:Train"; table; "--Data:Ignored"; "zz,zz" ], "Data:Ignored"
                [ "inspect"; model; "--layers"; "a,,b" ], "--layers: expected names"
                [ "diff"; "x" ], "other: expected a run folder, found nothing."
                [ "inspect" ], "model: expected a run folder"
                [ "predict"; model ], "files: expected images (PNG, IDX) or rows"
                [ "export"; model ], "--output: expected the file to write, found nothing."
                [ "evaluate"; scratch.Path ],
                $"{scratch.Path}: expected a run folder, which holds settings.json, summary.json and model.safetensors, found a folder without settings.json."
                [ "diff"; scratch.Path; scratch.Path ],
                $"{scratch.Path}: expected a run folder, which holds settings.json"
                [ "diff"; scratch.Sub "gone"; scratch.Path ], "found no such folder."
                [ "check"; data; "--samples"; "1"; "--Model:Normalised"; "true" ],
                "--samples: expected a whole number of 2 to 300, as a layer that is normalised over one sample has no gradient, found 1."
                [ "train"; "--Data:Train"; table; "--Data:Label"; "7" ],
                $"{table}, Data:Label: expected one of 0, 1, 2, or a place of 0 to 2, found '7'."
                [ "train"; "--Data:Train"; table; "--Data:Ignored"; "7" ],
                $"{table}, Data:Ignored: expected one of 0, 1, 2"
                [ "train"; "--Data:Train"; table; "--Data:Numeric"; "7" ],
                $"{table}, Data:Numeric: expected one of 0, 1, 2"
                [ "train"; "--Data:Train"; table; "--Data:Categorical"; "size" ],
                $"{table}, Data:Categorical: expected one of 0, 1, 2"
                [ "train"; "--Data:Train"; scratch.Sub "no.csv" ],
                $"""Data:Train, {scratch.Sub "no.csv"}: expected a file that can be read, found none."""
                [ "train"; "--Data:Train"; table; "--Data:Test"; scratch.Path ],
                $"Data:Test, {scratch.Path}: expected a file, found a folder."
                [ "train"; "--Data:Directory"; scratch.Sub "no" ],
                $"""Data:Directory, {scratch.Sub "no"}: expected a folder with the four IDX files, found no such folder."""
                // A file of arguments is no more than a name.
                [ "inspect"; "@" + arguments ], $"@{arguments}: expected"
            ] do
            let run =
                if arguments.Head = "train" then
                    [ $"--Run:Directory={runs}" ]
                else
                    []

            let ended = Given.host (arguments @ run)
            Assert.True((2 = ended.ExitCode), $"%A{arguments}: {ended.ExitCode} {ended.Errors}")
            Assert.Contains(words, ended.Errors)
            Assert.DoesNotContain("   at ", ended.Errors)
            let said = ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            Assert.Equal<string>(Array.distinct said, said)

        Assert.Empty(Given.runs scratch)
        Assert.False(File.Exists(scratch.Path + ".tmp"))

    [<Fact>]
    let ``settings of the environment are named by their variables, and may name a file`` () =
        use scratch = new Scratch()
        let file = scratch.Sub "service.json"
        File.WriteAllText(file, """{"Pipeline": {"Training": {"Iterations": 3}}}""")

        let run environment =
            Given.startWith
                environment
                (Given.options scratch []
                 |> List.filter (fun option -> not (option.Contains "Training:")))
            |> Given.finish

        for name, value, words in
            [
                "Pipeline__Training__LearningRate",
                "0,05",
                "found '0,05' (environment variable Pipeline__Training__LearningRate)."
                "PIPELINE__TRAINING__DROPOUT",
                "1",
                "(environment variable PIPELINE__TRAINING__DROPOUT)."
                "Pipeline__Trainin__Seed", "1", "(environment variable Pipeline__Trainin__Seed)."
                "Pipeline__Preset",
                "nowhere.json",
                "found 'nowhere.json' (environment variable Pipeline__Preset)."
                "Pipeline",
                "x",
                "Pipeline: expected a section of settings, found 'x' (environment variable Pipeline)."
                "Pipeline__Model", "x", "found 'x' (environment variable Pipeline__Model)."
                "Pipeline__Data__Ignored__1", "b", "(environment variable Pipeline__Data__Ignored)."
                "Logging",
                "foo",
                "Logging: expected a section of settings, found 'foo' (environment variable Logging)."
                "Logging__Console", "foo", "(environment variable Logging__Console)."
                "Logging__Console__MaxQueueLength",
                "-5",
                "(environment variable Logging__Console__MaxQueueLength)."
                "Logging__LogLevel__Default", "99", "expected one of Trace"
            ] do
            let ended = run [ name, value ]
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(words, ended.Errors)

            Assert.Single(ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            |> ignore

        Assert.Empty(Given.runs scratch)

        // One that an option stands above is refused no less.
        let ended =
            Given.startWith
                [ "Pipeline__Preset", "nope" ]
                (Given.options scratch [] @ [ "--preset"; "book" ])
            |> Given.finish

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("found 'nope' (environment variable Pipeline__Preset).", ended.Errors)
        let ended = run [ "Pipeline__Preset", file; "Pipeline__Run__Name", "service" ]
        Assert.True((ended.ExitCode = 0), ended.Errors)
        Assert.Equal(3, (Told.summary scratch).GetProperty("iterations").GetInt32())

        let again =
            Given.startWith
                [ "Pipeline__Preset", file ]
                (Given.options scratch [ "Training:Iterations", "4" ])
            |> Given.finish

        Assert.Contains("completed: 4 iterations", again.Output)

    [<Fact>]
    let ``help lists the commands first, in lines that can be read`` () =
        let help arguments =
            let ended = Given.host arguments
            Assert.Equal(0, ended.ExitCode)
            ended.Output

        let root = help [ "--help" ]
        Assert.DoesNotContain("--Training", root)
        Assert.Contains("train --help lists them", root)
        let commands = root.IndexOf("Commands:", StringComparison.Ordinal)
        Assert.InRange(commands, 0, root.IndexOf("Options:", StringComparison.Ordinal))
        let train = help [ "train"; "--help" ]
        Assert.All(SettingCatalog.All, (fun setting -> Assert.Contains($"--{setting.Key} ", train)))

        for line in (root + train).Split '\n' do
            Assert.InRange(line.Length, 0, 100)

    [<Fact>]
    let ``a model of one class is not evaluated`` () =
        use scratch = new Scratch()
        let one = scratch.Sub "one"
        Directory.CreateDirectory one |> ignore

        let images = {
            Count = 3
            Rows = 1
            Columns = 2
            Pixels = ReadOnlyMemory [| 1uy; 2uy; 3uy; 4uy; 5uy; 6uy |]
        }

        for name in [ "train"; "t10k" ] do
            let write kind (bytes: byte[]) =
                File.WriteAllBytes(Path.Combine(one, $"{name}-{kind}-ubyte"), bytes)

            write "images-idx3" (Idx.writeImages images)
            write "labels-idx1" (Idx.writeLabels [| 0; 0; 0 |])

        // Images of one class train no network.
        let model = {
            Model.ofNetwork (
                Architecture.ofHidden Head.Sigmoid 2 [] 1
                |> orFail
                |> Network.initialise Initialiser.XavierNormal 1UL
                : Network<float32>
            ) with
                Preprocessing = Preprocessing.Pixels(1, 2)
        }

        let path = scratch.Sub "model.safetensors"
        File.WriteAllBytes(path, Safetensors.write model)

        let options = [ "--Data:Directory"; one; "--Data:Classes"; "1" ]
        let environment = [ "Pipeline__Model__Head", "Sigmoid" ]

        let ended =
            Given.startWith environment ([ "evaluate"; path ] @ options) |> Given.finish

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("expected a model of two classes or more, or of numbers", ended.Errors)

    [<Fact>]
    let ``training and test rows may come from files of one name`` () =
        use scratch = new Scratch()

        let rows =
            [ "a"; "b" ]
            |> List.map (fun folder ->
                let path = scratch.Sub $"{folder}/rows.csv"
                Directory.CreateDirectory(scratch.Sub folder) |> ignore
                File.WriteAllLines(path, [ for i in 0..59 -> $"{i % 7},{i % 5},{i % 2}" ])
                path)

        let ended =
            Given.host (
                Given.options scratch [ "Data:Train", rows[0]; "Data:Test", rows[1] ]
                |> List.filter (fun option -> not (option.Contains "Data:Directory"))
            )

        Assert.Equal(0, ended.ExitCode)

        let settings =
            File.ReadAllText(Path.Combine((Given.runs scratch)[0], "settings.json"))

        Assert.Contains("\"train/rows.csv\"", settings)
        Assert.Contains("\"test/rows.csv\"", settings)

    [<Theory; InlineData "Once"; InlineData "Watch">]
    let ``a run folder that cannot be made ends with code 2`` (mode: string) =
        use scratch = new Scratch()
        let options = Given.options scratch [ "Run:Mode", mode ]
        File.WriteAllText(scratch.Sub "runs", "a file where a folder should be")
        let ended = Given.host options
        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("Run:Directory: expected a folder that can be written", ended.Errors)

    [<Fact>]
    let ``a diverging run ends with code 3, the iteration and advice`` () =
        use scratch = new Scratch()
        let ended = Given.host (Given.options scratch [ "Training:LearningRate", "1000" ])
        Assert.Equal(3, ended.ExitCode)

        Assert.Matches(
            @"diverged at iteration \d+: .*Lower the learning rate, now 1000",
            ended.Errors
        )

        Assert.Equal("diverged", Told.text "outcome" (Told.summary scratch))
        Assert.True(File.Exists(Path.Combine((Given.runs scratch)[0], "model.safetensors")))

    [<Fact>]
    let ``the numerical gradient trains the same network`` () =
        use scratch = new Scratch()

        let ended =
            Given.host (
                Given.options scratch [
                    "Training:Gradient", "Numerical"
                    "Training:Precision", "Double"
                ]
            )

        Assert.Equal(0, ended.ExitCode)
        Assert.Matches(@"numerical gradient: [\d,]+ loss evaluations an iteration, ", ended.Output)
        Assert.True((Told.summary scratch).GetProperty("final_test_accuracy").GetDouble() > 0.9)

    [<Fact>]
    let ``check holds the gradient to its definition`` () =
        use scratch = new Scratch()

        let ended =
            Given.host [
                "check"
                "--samples=3"
                "--Model:Hidden=7,5"
                "--Model:Activation=Tanh"
                "--Data:Directory"
                Given.data scratch
            ]

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("agrees: the worst is", ended.Output)
        Assert.Contains("W3", ended.Output)
        Assert.Contains(", 3 samples, ", ended.Output)

        let one =
            Given.host [ "check"; "--samples=1"; "--Data:Directory"; scratch.Sub "data" ]

        Assert.Contains(", 1 sample, ", one.Output)

    [<Fact>]
    let ``arithmetic answers the chapter's questions`` () =
        let ended = Given.host [ "arithmetic" ]
        Assert.Equal(0, ended.ExitCode)

        Assert.Equal<string>(
            [
                "10,000 samples in batches of 100: 100 iterations an epoch"
                "10 epochs: 1,000 iterations"
                "1,000 iterations: 10 epochs"
            ],
            ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.map _.TrimEnd()
        )

        for wrong in [ [ "--batch"; "0" ]; [ "--sample"; "500" ]; [ "more" ] ] do
            Assert.Equal(2, (Given.host ("arithmetic" :: wrong)).ExitCode)

    [<Theory>]
    [<InlineData("")>]
    [<InlineData("train")>]
    [<InlineData("check")>]
    [<InlineData("arithmetic")>]
    [<InlineData("evaluate")>]
    [<InlineData("predict")>]
    [<InlineData("export")>]
    [<InlineData("inspect")>]
    [<InlineData("diff")>]
    let ``every command helps`` (command: string) =
        let ended =
            Given.host [
                if command <> "" then
                    command
                "--help"
            ]

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("Usage:", ended.Output)

    [<Fact>]
    let ``find-rate draws the sweep and suggests a rate that is within it`` () =
        use scratch = new Scratch()
        let picture = scratch.Sub "rates.svg"

        let options =
            Given.options scratch []
            |> List.filter (fun option -> not (option.Contains "LearningRate"))

        let ended = Given.host ("find-rate" :: "--output" :: picture :: options)
        Assert.Equal(0, ended.ExitCode)

        let said =
            Regex.Match(ended.Output, @"suggested: --Training:LearningRate ([0-9.E+-]+),")

        let rate = float said.Groups[1].Value
        Assert.InRange(rate, 1e-3, 100.0)
        Assert.Contains("suggested", File.ReadAllText picture)
        Assert.Empty(Given.runs scratch)

    [<Fact>]
    let ``sanity passes at a sound rate and fails at one of next to nothing`` () =
        use scratch = new Scratch()
        let fine = Given.host ("sanity" :: (Given.options scratch [] |> notOfRun))
        Assert.Contains("over-fitted: the settings can learn", fine.Output)
        Assert.Equal(0, fine.ExitCode)

        let slow = Given.options scratch [ "Training:LearningRate", "0.000001" ] |> notOfRun
        let slow = Given.host ("sanity" :: slow)
        Assert.Contains("NOT LEARNED", slow.Output)
        Assert.Equal(1, slow.ExitCode)

    [<Fact>]
    let ``regularisers trains once with each and prints their gaps`` () =
        use scratch = new Scratch()

        let ended =
            Given.host [
                "regularisers"
                "--Data:Directory"
                Given.data scratch
                "--Training:Epochs"
                "2"
                "--Model:Hidden"
                "8"
            ]

        Assert.Equal("", ended.Errors)
        Assert.Equal(0, ended.ExitCode)

        let rows =
            Regex.Matches(ended.Output, @"^(.+?)( +-?\d\.\d{3}){6} *\r?$", RegexOptions.Multiline)

        Assert.Equal("none", rows[0].Groups[1].Value)
        Assert.Equal(11, rows.Count)

        // Each run is another one.
        let figures = rows |> Seq.map (fun row -> row.Value.Substring 21) |> Seq.distinct
        Assert.InRange(Seq.length figures, 5, 11)
