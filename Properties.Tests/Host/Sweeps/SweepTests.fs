namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Security.Cryptography
open System.Text.Json
open System.Text.RegularExpressions
open System.Threading
open Pipeline.Training
open Xunit

/// The command <c>sweep</c>: whatever number of trials runs at the same time and whatever is killed in between, it ends
/// in the same table and the same models.
module SweepTests =
    /// A plan of a method, the others of its parts changed.
    let planWith (changes: (string * string) list) : string =
        [
            "settings",
            """{ "Data": { "Validation": 0.2 }, "Model": { "WeightInitStd": 0.5 },
                "Training": { "BatchSize": 20, "Iterations": 150 } }"""
            "space",
            """{ "Training:LearningRate": { "from": 0.05, "to": 3, "scale": "Log" },
                "Model:Hidden": [4, 8, [8, 4]], "Model:Activation": ["Sigmoid", "Relu"] }"""
            "method", "\"TPE\""
            "lag", "4"
            "trials", "16"
            "rungs", "[2, 5]"
        ]
        @ changes
        |> Map.ofList
        |> Map.filter (fun _ value -> value <> "")
        |> Seq.map (fun part -> $"\"{part.Key}\": {part.Value}")
        |> String.concat ", "
        |> fun parts -> $"{{ {parts} }}"

    let write (scratch: Scratch) (plan: string) : string =
        let path = scratch.Sub "digits.json"
        File.WriteAllText(path, plan)
        path

    /// The arguments of a sweep in a folder of its own.
    let arguments (scratch: Scratch) (folder: string) (plan: string) (more: string list) =
        let data = scratch.Sub "data"

        if not (Directory.Exists data) then
            Given.data scratch |> ignore

        [
            "sweep"
            plan
            $"--Data:Directory={data}"
            $"--Run:Directory={scratch.Sub folder}"
        ]
        @ more

    let folderOf (scratch: Scratch) (folder: string) =
        Path.Combine(scratch.Sub folder, "digits")

    let private hash (path: string) =
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes path))

    let private rowsOf (folder: string) =
        File.ReadAllLines(Path.Combine(folder, "trials.csv"))
        // A list of widths is one cell with commas, in quotation marks.
        |> Array.map (fun line ->
            Regex.Split(line, ",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
            |> Array.map (fun cell -> cell.Trim '"'))

    /// The table but for the columns that may differ, and the best model's hash.
    let left (folder: string) =
        let rows = rowsOf folder
        let titles = rows[0]

        let kept =
            [| 0 .. titles.Length - 1 |]
            |> Array.filter (fun i ->
                not (Array.contains titles[i] [| "seconds"; "worker"; "attempts" |]))

        rows
        |> Array.map (fun row -> kept |> Array.map (fun i -> row[i]) |> String.concat ","),
        hash (Path.Combine(folder, "best.safetensors"))

    let private cell (titles: string[]) (name: string) (row: string[]) =
        row[Array.IndexOf(titles, name)]

    /// The small data set has equal images on both sides, which the program says.
    let errorsOf (ended: Ended) =
        ended.Errors.Split '\n'
        |> Array.filter (fun line -> not (line.StartsWith "Leakage: "))
        |> String.concat "\n"

    let completed (ended: Ended) =
        Assert.Equal("", errorsOf ended)
        Assert.Equal(0, ended.ExitCode)
        ended.Output

    let same (expected: string[] * string) (found: string[] * string) =
        Assert.Equal<string>(fst expected, fst found)
        Assert.Equal(snd expected, snd found)

    [<Fact>]
    let ``1, 2 and 4 slots, and a sweep killed again and again, end in one table and one model``
        ()
        =
        use scratch = new Scratch()
        let plan = write scratch (planWith [])

        let ofSlots slots =
            let folder = $"runs{slots}"

            Given.host (arguments scratch folder plan [ $"--Sweep:Slots={slots}" ])
            |> completed
            |> ignore

            left (folderOf scratch folder)

        let expected = ofSlots 1
        same expected (ofSlots 2)
        same expected (ofSlots 4)

        let random = Random.Shared
        let again = arguments scratch "killed" plan [ "--Sweep:Slots=2" ]

        for _ in 1 .. Given.times "KILLS" 4 do
            use started = Given.start again
            let output = started.StandardOutput.ReadToEndAsync()
            let errors = started.StandardError.ReadToEndAsync()
            // Sooner than a sweep takes, and later than one starts.
            if
                not (
                    started.WaitForExit(TimeSpan.FromMilliseconds(random.Next(300, 2500) |> float))
                )
            then
                started.Kill()

            started.WaitForExit()
            Assert.DoesNotContain("fail:", errors.Result)
            output.Wait()

        Given.host again |> completed |> ignore
        same expected (left (folderOf scratch "killed"))

    [<Theory>]
    [<InlineData "Grid">]
    [<InlineData "Random">]
    [<InlineData "Sobol">]
    let ``27 trials of a method end in one table and one model for 1, 2 and 4 slots``
        (searched: string)
        =
        use scratch = new Scratch()
        let isGrid = (searched = "Grid")
        let steps = if isGrid then ", \"steps\": 3" else ""

        let plan =
            write
                scratch
                (planWith [
                    "space",
                    $"""{{ "Training:LearningRate": {{ "from": 0.05, "to": 3, "scale": "Log"{steps} }},
                           "Model:Hidden": [4, 8, [8, 4]], "Model:Activation": ["Sigmoid", "Tanh", "Relu"] }}"""
                    "method", $"\"{searched}\""
                    "lag", ""
                    "trials", (if isGrid then "" else "27")
                ])

        let tables = [
            for slots in [ 1; 2; 4 ] ->
                let folder = $"runs{slots}"

                Given.host (arguments scratch folder plan [ $"--Sweep:Slots={slots}" ])
                |> completed
                |> ignore

                left (folderOf scratch folder)
        ]

        Assert.Equal(28, (fst tables.Head).Length)
        tables.Tail |> List.iter (same tables.Head)

    [<Fact>]
    let ``each trial is the run that train makes of its settings, and its row says what its folder holds``
        ()
        =
        use scratch = new Scratch()

        let plan =
            write scratch (planWith [ "method", "\"Sobol\""; "lag", ""; "trials", "6" ])

        Given.host (arguments scratch "runs" plan []) |> completed |> ignore
        let folder = folderOf scratch "runs"
        let rows = rowsOf folder
        let titles = rows[0]
        Assert.Equal(7, rows.Length)

        for row in Array.tail rows do
            let run = Path.Combine(folder, "trials", (int row[0]).ToString "D4")

            Assert.Equal(
                hash (Path.Combine(run, "model.safetensors")),
                cell titles "model_sha256" row
            )

        let ended = rows |> Array.filter (fun row -> cell titles "state" row = "done")
        Assert.NotEmpty ended

        for row in ended do
            let alone = $"alone{row[0]}"
            let data = scratch.Sub "data"

            Given.host (
                [
                    "train"
                    $"--Data:Directory={data}"
                    $"--Run:Directory={scratch.Sub alone}"
                    "--Data:Validation=0.2"
                    "--Model:WeightInitStd=0.5"
                    "--Training:BatchSize=20"
                    "--Training:Iterations=150"
                ]
                @ [
                    for name in [ "Training:LearningRate"; "Model:Hidden"; "Model:Activation" ] ->
                        $"--{name}={cell titles name row}"
                ]
            )
            |> _.ExitCode
            |> fun code -> Assert.Equal(0, code)

            let run = Assert.Single(Directory.GetDirectories(scratch.Sub alone))

            Assert.Equal(
                hash (Path.Combine(run, "model.safetensors")),
                cell titles "model_sha256" row
            )

    [<Fact>]
    let ``another terminal pauses, continues and stops a sweep, and the same command resumes it``
        ()
        =
        use scratch = new Scratch()
        // Long enough to be interrupted.
        let long =
            """{ "Data": { "Validation": 0.2 }, "Training": { "BatchSize": 20, "Iterations": 100000 } }"""

        let plan =
            write
                scratch
                (planWith [
                    "settings", long
                    "method", "\"Random\""
                    "lag", ""
                    "trials", "4"
                    "rungs", ""
                ])

        let again = arguments scratch "runs" plan [ "--Sweep:Slots=2" ]
        let folder = folderOf scratch "runs"

        let ask request = Given.host [ "sweep"; request; folder ]

        let waitFor (what: string) =
            let found () =
                let ended = ask "status"
                ended.ExitCode = 0 && ended.Output.Contains what

            Assert.True(SpinWait.SpinUntil(found, TimeSpan.FromMinutes 2.0), what)

        use started = Given.start again
        let output = started.StandardOutput.ReadToEndAsync()
        let errors = started.StandardError.ReadToEndAsync()
        waitFor "digits: running"
        completed (ask "pause") |> ignore
        waitFor "digits: paused"
        let second = Given.host again
        Assert.Equal(2, second.ExitCode)
        Assert.Contains("another process works on this sweep", second.Errors)
        completed (ask "continue") |> ignore
        waitFor "digits: running"
        completed (ask "stop") |> ignore
        Assert.True(started.WaitForExit(TimeSpan.FromMinutes 2.0))
        Assert.Equal(143, started.ExitCode)
        Assert.DoesNotContain("fail:", errors.Result)
        Assert.Contains("to resume: the same command again", output.Result)
        waitFor "digits: stopped"
        let refused = ask "pause"
        Assert.Equal(2, refused.ExitCode)

        Assert.Contains(
            "expected a sweep that a process works on, found a stopped one",
            refused.Errors
        )

        Given.host again |> completed |> ignore
        waitFor "digits: completed: 4 of 4 trials settled; best: trial"
        let undisturbed = arguments scratch "whole" plan []
        Given.host undisturbed |> completed |> ignore
        same (left (folderOf scratch "whole")) (left folder)

    [<FactWithSignals>]
    let ``a sweep that gets SIGTERM saves its trials and ends with code 143`` () =
        use scratch = new Scratch()

        let long =
            """{ "Data": { "Validation": 0.2 }, "Training": { "BatchSize": 20, "Iterations": 20000000 } }"""

        let plan =
            write
                scratch
                (planWith [
                    "settings", long
                    "method", "\"Random\""
                    "lag", ""
                    "trials", "2"
                    "rungs", ""
                ])

        use started =
            Tools.startHost [] (arguments scratch "runs" plan [ "--Run:CheckpointEvery=500" ])

        let output = started.StandardOutput.ReadToEndAsync()
        let errors = started.StandardError.ReadToEndAsync()

        let checkpoints () =
            let folder = Path.Combine(folderOf scratch "runs", "trials", "0000", "checkpoints")
            Directory.Exists folder && Directory.GetFiles(folder, "*.json").Length > 1

        Assert.True(SpinWait.SpinUntil(checkpoints, TimeSpan.FromMinutes 2.0))
        Process.Start("kill", [ "-TERM"; string started.Id ]).WaitForExit()
        Assert.True(started.WaitForExit(TimeSpan.FromMinutes 2.0))
        Assert.Equal(143, started.ExitCode)
        Assert.Contains("stopped: 0 of 2 trials settled", output.Result)
        errors.Wait()

        for trial in [ "0000"; "0001" ] do
            let summary =
                File.ReadAllText(
                    Path.Combine(folderOf scratch "runs", "trials", trial, "summary.json")
                )

            Assert.Equal(
                "terminated",
                JsonDocument.Parse(summary).RootElement.GetProperty("outcome").GetString()
            )

    [<Fact>]
    let ``a sweep goes on only with the plan, the settings and the data it began with`` () =
        use scratch = new Scratch()
        let changes = [ "method", "\"Random\""; "lag", ""; "trials", "2"; "rungs", "" ]
        let plan = write scratch (planWith changes)
        let again = arguments scratch "runs" plan
        Given.host (again []) |> completed |> ignore
        let table = left (folderOf scratch "runs")

        let refused arguments (sentence: string) =
            let ended = Given.host arguments
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(sentence, ended.Errors)

        refused
            (again [ "--Training:BatchSize=30" ])
            "Training:BatchSize: expected 20, as the sweep"

        write scratch (planWith (changes @ [ "trials", "3" ])) |> ignore
        refused (again []) "or another name for a new one, found another plan of that name."
        // Blanks change nothing.
        write scratch (planWith changes + "\n") |> ignore
        Given.host (again []) |> completed |> ignore
        same table (left (folderOf scratch "runs"))
        Given.write (scratch.Sub "data") 7UL id
        refused (again []) "the data: expected those of the sweep"

    [<Fact>]
    let ``everything that is wrong with a plan is named, and nothing is written`` () =
        use scratch = new Scratch()

        let faults plan more =
            let ended = Given.host (arguments scratch "runs" (write scratch plan) more)
            Assert.Equal("", ended.Output)
            Assert.Equal(2, ended.ExitCode)
            Assert.False(Directory.Exists(scratch.Sub "runs"))

            (errorsOf ended).TrimEnd().Split '\n'
            |> Array.map (fun line -> line.Replace(scratch.Path + "/", ""))

        Assert.Equal<string>(
            [|
                "digits.json, settings, Trainin:Seed: expected a known setting (Training:Seed is the nearest), found an unknown one."
                "digits.json, settings, Run:Directory: expected a setting that a plan may have there, found one of the machine, the process or the folder."
                "digits.json, space, Training:LearningRate, to: expected a number, found nothing."
                "digits.json, space, Model:Hidden: expected one value or more to try, found none."
                "digits.json, space, Data:Test: expected a setting that a plan may have there, found one that all trials have in common."
                "digits.json, method: expected one of Grid, Random, Sobol, TPE, found 'Guess'."
                "digits.json, trials: expected a whole number, found '9'."
                "digits.json, goal: expected one of ValidationLoss, ValidationAccuracy, ValidationBalancedAccuracy, ValidationMacroF1, ValidationAreaUnderRoc, ValidationLogLoss, ValidationRootMeanSquaredError, ValidationMeanAbsoluteError, ValidationRSquared, found 'Speed'."
                "digits.json, group does not apply without folds."
                "digits.json, trails: expected a known name (trials is the nearest), found an unknown name."
            |],
            faults
                """{ "settings": { "Trainin": { "Seed": 1 }, "Run:Directory": "x" },
                     "space": { "Training:LearningRate": { "from": 1 }, "Model:Hidden": [], "Data:Test": ["x"] },
                     "method": "Guess", "trials": "9", "goal": "Speed", "group": "id", "trails": 3 }"""
                []
        )

        Assert.Equal<string>(
            [|
                "digits.json, factor does not apply without rungs."
                "digits.json, lag does not apply to Grid."
                "digits.json, Training:LearningRate is among the settings and in the space. Remove one of both."
                "digits.json, Training:LearningRate needs steps for a grid, or a list of values."
                "digits.json, trials does not apply to a grid, which tries every combination."
            |]
            |> Array.sort,
            faults
                """{ "settings": { "Training:LearningRate": 1 },
                     "space": { "Training:LearningRate": { "from": 1, "to": 2 } },
                     "method": "grid", "lag": 3, "trials": 9, "factor": 2 }"""
                []
            |> Array.sort
        )

        // Settings that are refused for one of the combinations, each once, and what does not fit the goal.
        Assert.Equal<string>(
            [|
                "--Model:Activation: expected nothing, as digits.json varies it, found a value."
                "Training:LearningRate: expected a finite number greater than 0, found -1 (digits.json, space)."
                "Model:Activation: expected one of Sigmoid, Tanh, Relu, Identity, LeakyRelu, Elu, Gelu, Silu, Softplus, found 'Rel' (digits.json, space)."
                "digits.json, goal: ValidationRSquared does not apply to Model:Head Softmax."
                "digits.json, rungs: expected fewer epochs than the 5 of the runs, found 2, 5."
            |]
            |> Array.sort,
            faults
                (planWith [
                    "settings", """{ "Data:Validation": 0.2, "Training:Epochs": 5 }"""
                    "method", "\"Grid\""
                    "lag", ""
                    "trials", ""
                    "goal", "\"ValidationRSquared\""
                    "space",
                    """{ "Training:LearningRate": [-1, 0.1], "Model:Activation": ["Rel", "Relu"] }"""
                ])
                [ "--Model:Activation=Relu" ]
            |> Array.sort
        )

        Assert.Matches(
            "^digits.json, rungs: expected fewer epochs than the \\d+ of the runs, found 2, 50\\.$",
            faults (planWith [ "rungs", "[2, 50]" ]) [] |> Assert.Single
        )

        Assert.Equal<string>(
            [|
                "digits.json, line 1, column 3: expected a JSON file with the plan of a sweep, found 'x', which is not valid JSON here."
            |],
            faults "{ x }" []
        )

    [<Theory>]
    [<InlineData("TestAccuracy")>]
    [<InlineData("testloss")>]
    let ``a goal on the test set is refused`` (goal: string) =
        use scratch = new Scratch()
        let plan = write scratch (planWith [ "goal", $"\"{goal}\"" ])
        let ended = Given.host (arguments scratch "runs" plan [])
        Assert.Equal(2, ended.ExitCode)

        Assert.Contains(
            $"goal: a figure of the validation samples is expected, found {goal}. Settings that are chosen by the test samples",
            ended.Errors
        )

        Assert.False(Directory.Exists(scratch.Sub "runs"))

    [<Fact>]
    let ``a goal without validation samples is refused`` () =
        use scratch = new Scratch()
        let plan = write scratch (planWith [ "settings", "{}" ])
        let ended = Given.host (arguments scratch "runs" plan [])
        Assert.Equal(2, ended.ExitCode)

        Assert.Contains(
            "goal: ValidationLoss needs validation samples (Data:Validation above 0) or folds.",
            ended.Errors
        )

    let private number (text: string) =
        Double.Parse(text, Globalization.CultureInfo.InvariantCulture)

    [<Fact>]
    let ``the result of a trial with several seeds is the mean of its runs`` () =
        use scratch = new Scratch()

        let changes = [ "method", "\"Random\""; "lag", ""; "trials", "2"; "rungs", "" ]

        let plan = write scratch (planWith (changes @ [ "seeds", "2" ]))

        Given.host (arguments scratch "runs" plan [ "--Sweep:Slots=1" ])
        |> completed
        |> ignore

        let folder = folderOf scratch "runs"
        let rows = rowsOf folder
        let titles = rows[0]

        for row in Array.tail rows do
            let runs = [
                for seed in [ 1; 2 ] ->
                    Path.Combine(folder, "trials", (int row[0]).ToString "D4", $"seed-{seed}")
            ]

            let hashes = [ for run in runs -> hash (Path.Combine(run, "model.safetensors")) ]
            Assert.Equal(String.concat " " hashes, cell titles "model_sha256" row)

            let losses = [
                for run in runs ->
                    let summary = File.ReadAllText(Path.Combine(run, "summary.json"))

                    JsonDocument
                        .Parse(summary)
                        .RootElement.GetProperty("final_validation_loss")
                        .GetDouble()
            ]

            Assert.Equal(List.average losses, number (cell titles "validation_loss" row), 1e-6)

    [<Fact>]
    let ``a trial whose layers let the targets be scaled does not share data with one whose layers do not``
        ()
        =
        use scratch = new Scratch()
        let table = scratch.Sub "rows.csv"

        File.WriteAllLines(
            table,
            "a,b,price"
            :: [ for row in 0..59 -> $"{row % 7},{row % 5},{300 + 10 * (row % 7)}" ]
        )

        let dense, softplus =
            """["dense 4", "tanh", "dense 1"]""", """["dense 4", "tanh", "dense 1", "softplus"]"""

        /// The SHA-256 of each trial's model, in the order of the trials.
        let modelsOf (name: string) (first: string) (second: string) =
            let plan =
                write
                    scratch
                    $$"""{ "space": { "Model:Layers": [{{first}}, {{second}}] }, "method": "Grid",
                         "goal": "ValidationRootMeanSquaredError" }"""

            let ended =
                Given.host [
                    "sweep"
                    plan
                    "--Data:Train"
                    table
                    "--Data:Validation"
                    "0.2"
                    "--Model:Head"
                    "Identity"
                    "--Sweep:Slots"
                    "1"
                    "--Training:Epochs"
                    "2"
                    "--Run:Directory"
                    scratch.Sub name
                ]

            Assert.True((ended.ExitCode = 0), ended.Errors)
            let rows = rowsOf (folderOf scratch name)
            [ for row in Array.tail rows -> cell rows[0] "model_sha256" row ]

        let forwards = modelsOf "forwards" dense softplus
        let backwards = modelsOf "backwards" softplus dense
        Assert.Equal<string list>(forwards, List.rev backwards)

    [<Fact>]
    let ``the result of a trial with folds is that of cross-validate, and the best settings are trained with all rows``
        ()
        =
        use scratch = new Scratch()
        let table = scratch.Sub "rows.csv"

        File.WriteAllLines(
            table,
            "a,b,label"
            :: [
                for row in 0..119 ->
                    let a, b = row * 7 % 50, row * 3 % 11
                    let isYes = a + 2 * b > 35

                    $"""{a},{b},{if isYes then "yes" else "no"}"""
            ]
        )

        let settings = [
            "--Training:Epochs"
            "5"
            "--Training:BatchSize"
            "10"
            "--Training:Precision"
            "Double"
        ]

        let plan =
            write
                scratch
                """{ "space": { "Training:LearningRate": [0.1, 0.5], "Model:Hidden": [4, 8] }, "method": "Grid",
                     "folds": 3, "goal": "ValidationLogLoss" }"""

        let ended =
            Given.host (
                [ "sweep"; plan; "--Data:Train"; table; "--Run:Directory"; scratch.Sub "runs" ]
                @ settings
            )

        Assert.Equal("", ended.Errors)
        Assert.Equal(0, ended.ExitCode)
        // The test samples are rows of Data:Train.
        Assert.Contains("its model on test samples that were in the folds, too", ended.Output)
        let folder = folderOf scratch "runs"
        let rows = rowsOf folder
        let titles = rows[0]
        Assert.Equal(5, rows.Length)

        let expected = [
            for rate, hidden in [ "0.1", "4"; "0.1", "8"; "0.5", "4"; "0.5", "8" ] ->
                let ended =
                    Given.host (
                        [
                            "cross-validate"
                            "--Data:Train"
                            table
                            "--folds"
                            "3"
                            "--format"
                            "json"
                            "--Training:LearningRate"
                            rate
                            "--Model:Hidden"
                            hidden
                        ]
                        @ settings
                    )

                JsonDocument.Parse(ended.Output).RootElement.GetProperty("folds").EnumerateArray()
                |> Seq.averageBy (fun fold ->
                    fold.GetProperty("figures").GetProperty("log_loss").GetDouble())
        ]

        let found = [ for row in Array.tail rows -> number (cell titles "validation_log_loss" row) ]

        for one, other in List.zip expected found do
            Assert.Equal(one, other, 1e-9)

        // The best is trained as train does it.
        let best = List.indexed found |> List.minBy snd |> fst
        let row = rows[best + 1]

        let trained =
            Given.host (
                [
                    "train"
                    "--Data:Train"
                    table
                    "--Run:Directory"
                    scratch.Sub "alone"
                    "--Training:LearningRate"
                    cell titles "Training:LearningRate" row
                    "--Model:Hidden"
                    cell titles "Model:Hidden" row
                ]
                @ settings
            )

        Assert.Equal(0, trained.ExitCode)
        let run = Assert.Single(Directory.GetDirectories(scratch.Sub "alone"))

        Assert.Equal(
            hash (Path.Combine(run, "model.safetensors")),
            hash (Path.Combine(folder, "best.safetensors"))
        )

    /// Rows of which the first ones are of one class, each with a person and a day.
    let private visits (scratch: Scratch) : string =
        let path = scratch.Sub "visits.csv"

        File.WriteAllLines(
            path,
            "a,b,who,day,label"
            :: [
                for row in 0..119 ->
                    let day = DateTime(2024, 1, 1).AddDays(row).ToString "yyyy-MM-dd"
                    let label = if row < 60 || row % 3 = 0 then "yes" else "no"
                    $"{row * 7 % 50},{row * 3 % 11},p{row % 12},{day},{label}"
            ]
        )

        path

    let private sweepOf (scratch: Scratch) (plan: string) =
        Given.host [
            "sweep"
            write scratch plan
            "--Data:Train"
            visits scratch
            "--Run:Directory"
            scratch.Sub "runs"
            "--Training:Epochs"
            "2"
        ]

    [<Theory>]
    [<InlineData("group", "who", "day")>]
    [<InlineData("time", "day", "who")>]
    let ``the column that divides rows into folds is no input of the best model``
        name
        column
        other
        =
        use scratch = new Scratch()

        let ended =
            sweepOf
                scratch
                $$"""{ "settings": { "Data": { "Ignored": ["{{other}}"] } }, "space": { "Model:Hidden": [4] },
                     "method": "Grid", "folds": 3, "{{name}}": "{{column}}", "goal": "ValidationAccuracy" }"""

        Assert.Equal("", ended.Errors)
        Assert.Equal(0, ended.ExitCode)

        let inspected =
            Given.host [ "inspect"; Path.Combine(folderOf scratch "runs", "best.safetensors") ]

        Assert.Contains("2 columns of numbers, 0 of categories", inspected.Output)

    [<Theory>]
    [<InlineData(1, "false", "the test samples, which chose nothing")>]
    [<InlineData(2, "false", "test samples that other seeds learned from")>]
    [<InlineData(1, "true", "the test samples, which chose nothing: loss before calibration ")>]
    let ``the last line says what the test samples had to do with the choice``
        seeds
        calibrates
        words
        =
        use scratch = new Scratch()

        let ended =
            sweepOf
                scratch
                $$"""{ "settings": { "Data": { "Ignored": ["day"], "Validation": 0.2 },
                                   "Training": { "Calibrated": {{calibrates}} } },
                     "space": { "Model:Hidden": [4] }, "method": "Grid", "seeds": {{seeds}} }"""

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains($"its model on {words}", ended.Output)

    [<Theory>]
    [<InlineData("""{ "space": { "Model:Hidden": [4] }, "method": "Grid", "folds": 3, "time": "day", "settings": { "Data": { "Ignored": ["who"] } },
                     "goal": "ValidationAreaUnderRoc" }""",
                 "goal (fold-1): ValidationAreaUnderRoc has no value on 30 validation samples")>]
    [<InlineData("""{ "space": { "Training:Precision": ["Single", "Double"] }, "method": "Grid", "folds": 3 }""",
                 "space, Training:Precision: expected a setting that a plan may have there, found one that all trials have in common.")>]
    [<InlineData("""{ "space": { "Model:Head": ["Softmax", "Sigmoid"] }, "method": "Grid", "folds": 3 }""",
                 "goal: ValidationLoss cannot be compared where Model:Head varies")>]
    let ``what cannot be compared among trials is refused before the first one`` plan sentence =
        use scratch = new Scratch()
        let ended = sweepOf scratch plan
        Assert.Equal(2, ended.ExitCode)
        Assert.Contains(sentence, ended.Errors)

    [<Fact>]
    let ``a sweep of which every trial diverges ends with code 3, and a diverged trial is no one's best``
        ()
        =
        use scratch = new Scratch()

        let plan rates =
            write
                scratch
                (planWith [
                    "settings",
                    """{ "Data:Validation": 0.2, "Model:Activation": "Identity", "Training:BatchSize": 20,
                         "Training:Iterations": 60, "Model:WeightInitStd": 5 }"""
                    "space", $"""{{ "Training:LearningRate": {rates} }}"""
                    "method", "\"Grid\""
                    "lag", ""
                    "trials", ""
                    "rungs", ""
                ])

        let ended = Given.host (arguments scratch "all" (plan "[1e30, 1e35]") [])
        Assert.Equal(3, ended.ExitCode)
        Assert.False(File.Exists(Path.Combine(folderOf scratch "all", "best.safetensors")))

        Given.host (arguments scratch "some" (plan "[1e30, 0.01]") [])
        |> completed
        |> ignore

        let rows = rowsOf (folderOf scratch "some")

        Assert.Equal<string>(
            [| "diverged"; "done" |],
            rows |> Array.tail |> Array.map (cell rows[0] "state")
        )

        Assert.Equal(
            hash (Path.Combine(folderOf scratch "some", "trials", "0001", "model.safetensors")),
            snd (left (folderOf scratch "some"))
        )

    [<Fact>]
    let ``the plan on the page of sweeps is the one that comes with the digits`` () =
        let root = Path.Combine(__SOURCE_DIRECTORY__, "../../..")
        let path = Path.Combine(root, "data/sweeps/digits.json")
        let plan = SweepFile.Read path
        Assert.Equal(27, plan.Plan.Trials)

        Assert.Contains(
            $"```json\n{File.ReadAllText path}```",
            File.ReadAllText(Path.Combine(root, "Host.CSharp/docs/sweeps.md"))
        )
