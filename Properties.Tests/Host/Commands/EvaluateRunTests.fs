namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Xunit
open Pipeline.Training
open Pipeline.Learning.Laws

/// Runs evaluated on their own samples and on others, from anywhere, finished or not.
module EvaluateRunTests =
    /// Rows of three classes, some of them wrong, so that no two samples give the same figures.
    let private rows (path: string) (seed: int) (count: int) =
        let random = Random seed

        File.WriteAllLines(
            path,
            [
                for i in 0 .. count - 1 ->
                    let k = i % 3
                    let x, y = float k + random.NextDouble(), float k - random.NextDouble()
                    FormattableString.Invariant $"{x},{y},c{(if random.Next 5 = 0 then 0 else k)}"
            ]
        )

    let private onRows (scratch: Scratch) =
        ResumedRuns.settingsIn scratch "runs" "" [ "Data:Train", scratch.Sub "rows.csv" ]
        |> List.filter (fst >> (<>) "Data:Directory")

    /// A run on those rows, stopped after some of its 50 steps or not at all.
    let private trained (scratch: Scratch) (stopAfter: int64) : string =
        rows (scratch.Sub "rows.csv") 1 150

        ResumedRuns.run ResumedRuns.onDisk (ResumedRuns.plan (onRows scratch)) stopAfter
        |> ignore

        ResumedRuns.folderOf scratch "runs"

    let private evaluate (arguments: string list) =
        let ended = Given.host ("evaluate" :: arguments @ [ "--format"; "json" ])
        Assert.True((ended.ExitCode = 0), ended.Errors)
        let json = JsonDocument.Parse(ended.Output).RootElement
        json, ended.Errors

    let private otherData (json: JsonElement) =
        json.GetProperty("other_data").GetString()

    let private figures (json: JsonElement) =
        json.GetProperty("figures").GetRawText()

    let private hasReport (folder: string) =
        RunFolder.EvaluationFiles
        |> Array.exists (fun name -> File.Exists(Path.Combine(folder, name)))

    [<Fact>]
    let ``samples that are not the run's own are called that, and the run's report stays`` () =
        use scratch = new Scratch()
        let folder = trained scratch -1L
        let own, _ = evaluate [ folder ]
        Assert.Null(otherData own)
        Assert.True(hasReport folder)
        let report = Path.Combine(folder, "evaluation.json")
        let before = File.ReadAllText report
        rows (scratch.Sub "new.csv") 7 60
        let original = File.ReadAllLines(scratch.Sub "rows.csv")

        let isOther arguments says =
            let json, errors = evaluate (folder :: arguments)
            Assert.Contains("not those of the run", otherData json)
            Assert.Contains(says, otherData json)
            Assert.Contains("No report is written to the run folder", errors)
            Assert.Equal(before, File.ReadAllText report)

        isOther [ "--Data:TestShare"; "0.5" ] "Data:TestShare is 0.5 and was 0.2"
        isOther [ "--Training:Seed"; "5" ] "Training:Seed is 5 and was 1"
        isOther [ "--Data:Test"; scratch.Sub "new.csv" ] "new.csv"
        // The same rows in another order are split otherwise.
        File.WriteAllLines(scratch.Sub "rows.csv", Array.rev original)
        isOther [] "rows.csv"

        // A report on others is written where that is asked for, and tells so in every form.
        let output = scratch.Sub "report"
        let _, errors = evaluate [ folder; "--output"; output ]
        Assert.DoesNotContain("No report", errors)

        for name in RunFolder.EvaluationFiles do
            Assert.Contains("not those of the run", File.ReadAllText(Path.Combine(output, name)))

        let text = Given.host [ "evaluate"; folder ]
        Assert.Contains("not those of the run", text.Output)

        // The run's own rows may be elsewhere, and have another name.
        File.WriteAllLines(scratch.Sub "moved.csv", original)
        File.Delete(scratch.Sub "rows.csv")
        let moved, _ = evaluate [ folder; "--Data:Train"; scratch.Sub "moved.csv" ]
        Assert.Null(otherData moved)
        Assert.Equal(figures own, figures moved)
        let gone = Given.host [ "evaluate"; folder ]
        Assert.Equal(2, gone.ExitCode)
        Assert.Contains("--Data:Train gives their present path", gone.Errors)
        // And are not needed where there are rows to test with.
        let fresh, _ = evaluate [ folder; "--Data:Test"; scratch.Sub "new.csv" ]
        Assert.Equal(60, fresh.GetProperty("figures").GetProperty("samples").GetInt32())

    [<Fact>]
    let ``a model's file is evaluated with test rows alone`` () =
        use scratch = new Scratch()
        let folder = trained scratch -1L
        rows (scratch.Sub "new.csv") 7 60
        let model = Path.Combine(folder, "model.safetensors")
        let alone, _ = evaluate [ model; "--Data:Test"; scratch.Sub "new.csv" ]

        let beside, _ =
            evaluate [
                model
                "--Data:Train"
                scratch.Sub "rows.csv"
                "--Data:Test"
                scratch.Sub "new.csv"
            ]

        Assert.Equal(60, alone.GetProperty("figures").GetProperty("samples").GetInt32())
        Assert.Equal(figures beside, figures alone)
        Assert.Equal(JsonValueKind.Null, alone.GetProperty("leakage").ValueKind)
        // Training rows are needed for training.
        let refused = Given.host [ "train"; "--Data:Test"; scratch.Sub "new.csv" ]
        Assert.Equal(2, refused.ExitCode)
        Assert.Contains("Data:Test: expected a file beside Data:Train", refused.Errors)

    [<Fact>]
    let ``a run begun with a relative path is evaluated and resumed from any folder`` () =
        use scratch = new Scratch()
        Directory.CreateDirectory(scratch.Sub "here/in") |> ignore
        Directory.CreateDirectory(scratch.Sub "there") |> ignore
        rows (scratch.Sub "here/in/rows.csv") 1 150

        let host (folder: string) (arguments: string list) =
            let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

            Process.Start(
                ProcessStartInfo(
                    "dotnet",
                    program :: arguments,
                    WorkingDirectory = scratch.Sub folder,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true
                )
            )
            |> nonNull
            |> Given.finish

        let first =
            host "here" [
                "--Data:Train=in/rows.csv"
                "--Run:Directory=../runs"
                "--Training:Iterations=20"
                "--Model:Hidden=4"
            ]

        Assert.True((first.ExitCode = 0), first.Errors)
        let folder = Assert.Single(Given.runs scratch)

        for arguments in
            [
                [ "evaluate"; folder ]
                [ "train"; "--resume"; folder; "--Training:Iterations=30" ]
                [ "evaluate"; folder; "--Data:Train=../here/in/rows.csv" ]
                [
                    "train"
                    "--resume"
                    folder
                    "--Training:Iterations=40"
                    "--Data:Train=../here/in/rows.csv"
                ]
            ] do
            let ended = host "there" arguments
            Assert.True((ended.ExitCode = 0), ended.Errors)
            Assert.DoesNotContain("not those of the run", ended.Output)

    [<Fact>]
    let ``a run without a model is taken by its newest whole checkpoint, which is that model`` () =
        use scratch = new Scratch()
        let folder = trained scratch 30L
        let model = Path.Combine(folder, "model.safetensors")
        let expected = File.ReadAllBytes model
        // As it is when it was killed there.
        File.Delete model
        File.Delete(Path.Combine(folder, "summary.json"))
        let output = scratch.Sub "out.safetensors"

        let says =
            "has no model.safetensors: the model is that of its checkpoint of iteration 30"

        let exported = Given.host [ "export"; folder; "--output"; output ]
        Assert.True((exported.ExitCode = 0), exported.Errors)
        Assert.Contains(says, exported.Errors)
        Assert.Equal<byte>(expected, File.ReadAllBytes output)

        for command, out in
            [
                [ "evaluate"; folder ], "correctly"
                [ "predict"; folder; scratch.Sub "rows.csv" ], "rows.csv row 150: "
                [ "inspect"; folder ], "Model 2-5-4-3"
            ] do
            let ended = Given.host command
            Assert.True((ended.ExitCode = 0), ended.Errors)
            Assert.Contains(says, ended.Errors)
            Assert.Contains(out, ended.Output)

        // What is found now is not what is to be found at the run's end.
        Assert.False(hasReport folder)
        // The slash that shells add changes nothing.
        Assert.Contains("has not ended", (Given.host [ "evaluate"; folder + "/" ]).Errors)

        // Its preprocessing follows from the run's rows.
        File.AppendAllText(scratch.Sub "rows.csv", "1,1,c1\n")
        let refused = Given.host [ "predict"; folder; scratch.Sub "rows.csv" ]
        Assert.Equal(2, refused.ExitCode)
        Assert.Contains("rows.csv: expected the data of the run in", refused.Errors)

        // With no checkpoint that is whole there is nothing.
        for path in Directory.GetFiles(Path.Combine(folder, "checkpoints"), "0*.safetensors") do
            File.WriteAllBytes(path, [||])

        rows (scratch.Sub "rows.csv") 1 150
        let refused = Given.host [ "inspect"; folder ]
        Assert.Equal(2, refused.ExitCode)

        Assert.Contains(
            "expected a model.safetensors or a whole checkpoint of the run, found neither",
            refused.Errors
        )

    [<Fact>]
    let ``a model that its run has left behind is called that`` () =
        use scratch = new Scratch()
        let folder = trained scratch 30L
        let model = Path.Combine(folder, "model.safetensors")
        let stale = File.ReadAllBytes model

        let inspect () =
            (Given.host [ "inspect"; folder ]).Errors

        Assert.Equal("", inspect ())

        ResumedRuns.run ResumedRuns.onDisk (ResumedRuns.plan [ "Run:Resume", folder ]) 41L
        |> ignore
        // As if it had been killed on its way.
        File.WriteAllBytes(model, stale)
        File.Delete(Path.Combine(folder, "summary.json"))

        Assert.Contains(
            "is of iteration 30. The run has continued since, and its newest checkpoint is of iteration 41.",
            inspect ()
        )

    [<Fact>]
    let ``evaluating a table model without data asks for rows, and a fault of all rows is reported once``
        ()
        =
        use scratch = new Scratch()
        let folder = trained scratch -1L
        let model = Path.Combine(folder, "model.safetensors")
        let named, other = scratch.Sub "named.csv", scratch.Sub "other.csv"
        File.WriteAllLines(named, "a,b,y" :: [ for i in 1..60 -> $"{i},{i % 7},c{i % 3}" ])
        File.WriteAllLines(other, "a,d,y" :: [ for i in 1..60 -> $"{i},{i % 7},c{i % 3}" ])

        ResumedRuns.run
            ResumedRuns.onDisk
            (ResumedRuns.plan (
                ResumedRuns.settingsIn scratch "named" "" [ "Data:Train", named ]
                |> List.filter (fst >> (<>) "Data:Directory")
            ))
            -1L
        |> ignore

        let ofNamed = ResumedRuns.folderOf scratch "named"

        for arguments, says in
            [
                [ model ], $"Data:Test: expected a table to evaluate {model} on"
                [ ofNamed; "--Data:Train"; other ], "column b"
            ] do
            let ended = Given.host ("evaluate" :: arguments)
            Assert.Equal(2, ended.ExitCode)
            let said = ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            Assert.Contains(says, Assert.Single said)

    [<Fact>]
    let ``a model that was trained with another seed is not tested on rows that it learned without a word``
        ()
        =
        use scratch = new Scratch()
        let model = Path.Combine(trained scratch -1L, "model.safetensors")
        let train = "--Data:Train=" + scratch.Sub "rows.csv"
        let own, _ = evaluate [ model; train ]
        Assert.Equal(JsonValueKind.Null, (own.GetProperty "other_data").ValueKind)
        let other, _ = evaluate [ model; train; "--Training:Seed=99" ]
        Assert.Contains("rows that it learned from are among them", otherData other)

    [<Fact>]
    let ``a run that chooses a threshold says the accuracy that its model has`` () =
        use scratch = new Scratch()
        rows (scratch.Sub "rows.csv") 1 150

        let trained =
            Given.host [
                "train"
                "--Data:Train=" + scratch.Sub "rows.csv"
                "--Training:Iterations=50"
                "--Training:Decision=c1:threshold=0.05"
                "--Run:Directory=" + scratch.Sub "runs"
            ]

        Assert.True((trained.ExitCode = 0), trained.Errors)
        let json, _ = evaluate [ Assert.Single(Given.runs scratch) ]
        let accuracy = json.GetProperty("figures").GetProperty("accuracy").GetDouble()
        let summary = Told.summary scratch

        Exactly.equal accuracy (summary.GetProperty("decision_test_accuracy").GetDouble())
        Assert.NotEqual(accuracy, summary.GetProperty("final_test_accuracy").GetDouble())

        Assert.Contains(
            FormattableString.Invariant $"at least 0.0500: test accuracy {accuracy:F4}.",
            trained.Output + trained.Errors
        )

    [<Fact>]
    let ``the label of rows is no input of the model, and an assumed one is named`` () =
        use scratch = new Scratch()

        let write name header row =
            File.WriteAllLines(
                scratch.Sub name,
                header
                :: [
                    for i in 0..59 ->
                        let kind = if i % 3 = 0 then "a" else "b"
                        row $"%d{i % 3 + i % 2}.5" $"%d{i % 7}.25" kind
                ]
            )

            scratch.Sub name

        let train = write "train.csv" "x,y,kind" (fun x y kind -> $"{x},{y},{kind}")
        let first = write "first.csv" "kind,x,y" (fun x y kind -> $"{kind},{x},{y}")
        let more = write "more.csv" "x,y,kind,guess" (fun x y kind -> $"{x},{y},{kind},b")

        let trained =
            Given.host [
                "train"
                $"--Data:Train={train}"
                "--Training:Iterations=5"
                "--Run:Directory=" + scratch.Sub "runs"
            ]

        Assert.True((trained.ExitCode = 0), trained.Errors)
        let run = Assert.Single(Given.runs scratch)
        let model = Path.Combine(run, "model.safetensors")

        let refused = Given.host [ "evaluate"; model; $"--Data:Test={first}" ]
        Assert.Equal(2, refused.ExitCode)
        Assert.Contains("Data:Label: expected the label's column", refused.Errors)
        Assert.Contains("found y, an input of the model", refused.Errors)

        let accuracy source arguments =
            let json, errors = evaluate (source :: arguments)
            (json.GetProperty "figures").GetProperty("accuracy").GetDouble(), errors

        let expected, silent = accuracy model [ $"--Data:Test={train}" ]
        Assert.DoesNotContain("the label is", silent)

        for source, settings in [ model, [ "--Data:Label=kind" ]; run, [] ] do
            let named, silent = accuracy source ($"--Data:Test={first}" :: settings)
            Assert.Equal(expected, named)
            Assert.DoesNotContain("the label is", silent)

        let _, said = accuracy model [ $"--Data:Test={more}" ]

        Assert.Contains(
            "more.csv: the label is the last column, guess. Data:Label names another.",
            said
        )
