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

/// Runs as processes: exit codes, output and run folders.
module ProcessTests =
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
