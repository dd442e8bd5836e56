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

/// Settings, data and command lines that are refused by a process: code 2, a sentence for each reason, and
/// nothing written.
module RefusalTests =
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

        let network: TrainingState<float32> =
            Trainer.start
                Hyperparameters.Default
                (Architecture.dense Activation.Sigmoid [ 2; 3; 2 ])

        File.WriteAllBytes(model, Safetensors.write (Model.ofNetwork network.Network))

        let bare = scratch.Sub "bare.npz"
        let tensors = Model.toTensors (Model.ofNetwork network.Network)
        File.WriteAllBytes(bare, NpzFile.Write tensors.Tensors)

        for arguments, words in
            [
                [ "inspect"; bare ],
                "needs 1 activation in the metadata, or the activation given by --activation."
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
                [ "brew" ], "brew: expected a command (train, check,"
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
                "found another setting (option --Training:LearningRate)."
                [ "evaluate"; model; "--activation"; "Foo" ],
                "--activation: expected one of Sigmoid"
                [ "inspect"; model; "--head"; "1" ], "--head: expected one of Softmax"
                [ "evaluate"; model; "--head"; "Identity"; "--activation"; "Sigmoid" ],
                "head: expected Softmax, as in the file, or no --head, found Identity."
                [ "predict"; model; table; "--activation"; "Relu" ],
                "activation: expected Sigmoid, as in the file, or no --activation, found Relu."
                [ "train"; data; "--Model:Hidden"; "," ], "Model:Hidden"
                [ "train"; data; "--Model:Hidden"; "0,0" ], "Model:Hidden"
                [ "train"; "--Data:Train"; table; "--Data:Ignored"; "zz,zz" ], "Data:Ignored"
                [ "inspect"; model; "--layers"; "a,,b" ], "--layers: expected names"
                [ "diff"; "x" ], "other: expected a run folder, found nothing."
                [ "inspect" ], "model: expected a run folder"
                [ "predict"; model ], "files: expected images (PNG or IDX) or rows"
                [ "export"; model ], "--output: expected the file to write, found nothing."
                [ "evaluate"; scratch.Path ],
                $"{scratch.Path}: expected a run folder, which holds settings.json, summary.json and model.safetensors, found a folder without settings.json."
                [ "diff"; scratch.Path; scratch.Path ],
                $"{scratch.Path}: expected a run folder, which holds settings.json"
                [ "diff"; scratch.Sub "gone"; scratch.Path ], "found no such folder."
                [ "check"; data; "--samples"; "1"; "--Model:Normalised"; "true" ],
                "--samples: expected a whole number of 2 to 300, as a layer that is normalised over one sample has no gradient, found 1."
                [ "train"; "--Data:Train"; table; "--Data:Label"; "7" ],
                $"{table}, Data:Label: expected a place of 0 to 2, as the table has no header, found '7'."
                [ "train"; "--Data:Train"; table; "--Data:Ignored"; "7" ],
                $"{table}, Data:Ignored: expected a place of 0 to 2, as the table has no header"
                [ "train"; "--Data:Train"; table; "--Data:Numeric"; "7" ],
                $"{table}, Data:Numeric: expected a place of 0 to 2, as the table has no header"
                [ "train"; "--Data:Train"; table; "--Data:Categorical"; "size" ],
                $"{table}, Data:Categorical: expected a place of 0 to 2, as the table has no header"
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
    let ``a model of one class is not evaluated`` () =
        use scratch = new Scratch()
        let one = scratch.Sub "one"
        Directory.CreateDirectory one |> ignore

        let images = {
            Count = 3
            Size = ImageSize.Grey(1, 2)
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
                Preprocessing = Preprocessing.Pixels(ImageSize.Grey(1, 2))
        }

        let path = scratch.Sub "model.safetensors"
        File.WriteAllBytes(path, Safetensors.write model)

        let options = [ "--Data:Directory"; one; "--Data:Classes"; "1" ]
        let environment = [ "Pipeline__Model__Head", "Sigmoid" ]

        let ended =
            Given.startWith environment ([ "evaluate"; path ] @ options) |> Given.finish

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("expected a model of two classes or more, or of numbers", ended.Errors)
