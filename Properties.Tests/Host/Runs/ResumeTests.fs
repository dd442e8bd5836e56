namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Xunit
open FsCheck
open FsCheck.FSharp
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Spectre.Console

/// Keeps what the program's own classes log.
type LogKeeper() =
    member val Lines = List<string>()

    /// Makes it the only logger of a program.
    member keeper.Replace(logging: ILoggingBuilder) =
        logging
            .ClearProviders()
            .AddProvider(keeper)
            .AddFilter<LogKeeper>(fun category level ->
                (string category).StartsWith "Pipeline.Training"
                && level >= LogLevel.Information)
        |> ignore

    interface ILoggerProvider with
        member keeper.CreateLogger _ = keeper
        member _.Dispose() = ()

    interface ILogger with
        member _.BeginScope _ = null
        member _.IsEnabled level = level >= LogLevel.Information

        member keeper.Log(_, _, state, error, format) =
            lock keeper.Lines (fun () -> keeper.Lines.Add(format.Invoke(state, error)))

/// Calls back when a step has been made.
type private AtStep(act: int64 -> unit) =
    interface IRunObserver with
        member _.Stepped(step: inref<StepFigures>) = act step.Iteration

/// A run that is stopped and gone on with is the run undisturbed: in process, from the data to the run
/// folder, without a host.
module ResumeTests =
    /// These settings as a command line gives them, once they have been judged.
    let plan (settings: (string * string) list) : CommandLineSettings =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        let given = CommandLineSettings values
        ServiceRegistration.CreateBuilder given |> ignore
        given

    /// What a run came to: its outcome, or that it was refused, and what it logged.
    type Came = {
        Outcome: Outcome
        Refusals: string list
        Logged: string list
    }

    let private runOf (host: IHost) (logger: LogKeeper) (stop: CancellationToken) : Came =
        let came outcome refusals = {
            Outcome = outcome
            Refusals = refusals
            Logged = List.ofSeq logger.Lines
        }

        try
            came (host.Services.GetRequiredService<SingleRun>().RunAsync(stop).Result) []
        with :? AggregateException as error ->
            match error.InnerException with
            | :? RefusedException as refused -> came Outcome.Refused (List.ofSeq refused.Reasons)
            | :? OperationCanceledException -> came Outcome.Interrupted []
            | other -> raise (nonNull other)

    /// One run with those files, stopped after a step if that is asked for; `told` hears each step, and
    /// `add` may put other parts in the service's places.
    let runWith
        (add: IServiceCollection -> unit)
        told
        (files: IFiles)
        (given: CommandLineSettings)
        stopAfter
        =
        use stop = new CancellationTokenSource()
        let logger = new LogKeeper()

        let watch =
            AtStep(fun iteration ->
                told iteration

                if iteration = stopAfter then
                    stop.Cancel())

        let builder = ServiceRegistration.CreateTrainingBuilder given

        builder.Services
            .AddSingleton<IFiles>(files)
            .AddSingleton<IRunObserver>(watch)
            .AddSingleton(
                ConsoleReport(
                    AnsiConsole.Console,
                    TextWriter.Null,
                    TextWriter.Null,
                    TimeProvider.System
                )
            )
        |> ignore

        logger.Replace builder.Logging
        add builder.Services
        use host = builder.Build()
        runOf host logger stop.Token

    /// The same with the service's own parts.
    let runTelling told files given stopAfter =
        runWith ignore told files given stopAfter

    let run files plan stopAfter = runTelling ignore files plan stopAfter

    let onDisk: IFiles = DiskFiles()

    let settingsIn (scratch: Scratch) (name: string) (data: string) settings =
        [
            "Data:Directory", data
            "Run:Directory", scratch.Sub name
            "Model:Hidden", "5,4"
            "Model:WeightInitStd", "0.5"
            "Training:BatchSize", "20"
            "Training:Iterations", "50"
            "Training:LearningRate", "0.1"
            "Run:CheckpointEvery", "7"
        ]
        @ settings
        |> Map.ofList
        |> Map.toList

    let folderOf (scratch: Scratch) name =
        Assert.Single(Directory.GetDirectories(scratch.Sub name))

    /// Settings of everything that a state remembers.
    let settings: Gen<(string * string) list> = gen {
        let! optimizer =
            Gen.elements [
                []
                [ "Training:Optimizer", "Momentum" ]
                [ "Training:Optimizer", "Adam"; "Training:LearningRate", "0.01" ]
                [ "Training:Optimizer", "Lion"; "Training:LearningRate", "0.003" ]
                [ "Training:Optimizer", "RmsProp"; "Training:LearningRate", "0.01" ]
            ]

        let! around =
            Gen.elements [
                []
                [ "Training:AverageDecay", "0.9" ]
                [ "Training:Accumulate", "3" ]
                [ "Training:WeightDecay", "0.1"; "Training:ClipNorm", "0.5" ]
            ]

        let! schedule =
            Gen.elements [
                []
                [ "Training:Schedule", "Cosine" ]
                [ "Training:Schedule", "OneCycle"; "Training:WarmUp", "5" ]
                [
                    "Training:Schedule", "Plateau"
                    "Training:SchedulePatience", "1"
                    "Training:ScheduleFactor", "0.5"
                    "Data:Validation", "0.2"
                ]
                [ "Training:EarlyStopping", "2"; "Data:Validation", "0.2" ]
            ]

        let! dropout = Gen.elements [ []; [ "Training:Dropout", "0.3" ] ]
        let! sampling = Gen.elements [ "Replacement"; "Epoch" ]
        let! precision = Gen.elements [ "Single"; "Double" ]
        let! normalised = Gen.elements [ "false"; "true" ]
        let! augmentation = Gen.elements [ []; [ "Augmentation:Shift", "1" ] ]
        // Some of these rates diverge.
        let! rate = Gen.elements [ []; []; [ "Training:LearningRate", "300" ] ]

        return
            optimizer
            @ around
            @ schedule
            @ dropout
            @ augmentation
            @ rate
            @ [
                "Training:Sampling", sampling
                "Training:Precision", precision
                "Model:Normalised", normalised
            ]
    }

    /// The lines of a run's summary, but for its seconds: among them the best figures and the findings,
    /// which follow from all epochs.
    let private summaryOf (folder: string) : string[] =
        File.ReadAllLines(Path.Combine(folder, "summary.json"))
        |> Array.filter (fun line -> not (line.Contains "_seconds"))

    [<Law(MaxTest = 40)>]
    let ``a run stopped anywhere, as often as may be, and gone on with is the run undisturbed``
        (PositiveInt first)
        (PositiveInt second)
        =
        Prop.forAll (Arb.fromGen settings) (fun settings ->
            use scratch = new Scratch()
            let data = Given.data scratch
            let whole = run onDisk (plan (settingsIn scratch "whole" data settings)) -1L
            let cut = settingsIn scratch "cut" data (("Run:Resume", "Auto") :: settings)
            let mutable last = Outcome.Interrupted

            for stopAfter in List.sort [ int64 (first % 50 + 1); int64 (second % 50 + 1) ] do
                if last = Outcome.Interrupted then
                    last <- (run onDisk (plan cut) stopAfter).Outcome

            if last = Outcome.Interrupted then
                last <- (run onDisk (plan cut) -1L).Outcome

            Assert.Equal(whole.Outcome, last)

            Assert.Equal(
                Left.behind (folderOf scratch "whole"),
                Left.behind (folderOf scratch "cut")
            )

            Assert.Equal<string>(
                summaryOf (folderOf scratch "whole"),
                summaryOf (folderOf scratch "cut")
            ))

    /// A table whose label is a number.
    let private numbers (scratch: Scratch) : string =
        let path = scratch.Sub "rows.csv"

        File.WriteAllLines(
            path,
            [
                for i in 0..79 ->
                    let x, y = float (i % 9) / 9.0, float (i % 7) / 7.0
                    FormattableString.Invariant $"{x},{y},{x - 2.0 * y + x * y}"
            ]
        )

        path

    [<Fact>]
    let ``a run that predicts numbers is gone on with like any other, and draws its own loss`` () =
        use scratch = new Scratch()
        let data = numbers scratch

        let settings name =
            settingsIn scratch name "" [
                "Data:Train", data
                "Data:Validation", "0.2"
                "Model:Head", "Identity"
            ]
            |> List.filter (fst >> (<>) "Data:Directory")

        let file folder name =
            File.ReadAllText(Path.Combine(folderOf scratch folder, name))

        Assert.Equal(Outcome.Completed, (run onDisk (plan (settings "whole")) -1L).Outcome)
        let cut = ("Run:Resume", "Auto") :: settings "cut"
        Assert.Equal(Outcome.Interrupted, (run onDisk (plan cut) 31L).Outcome)
        Assert.Equal(Outcome.Completed, (run onDisk (plan cut) -1L).Outcome)

        Assert.Equal(Left.behind (folderOf scratch "whole"), Left.behind (folderOf scratch "cut"))

        let curves = file "whole" "curves.svg"
        Assert.Equal(curves, file "cut" "curves.svg")
        Assert.Contains("half the squared error", curves)
        Assert.Contains("validation samples", curves)
        Assert.DoesNotContain("accuracy", curves)
        use summary = Text.Json.JsonDocument.Parse(file "cut" "summary.json")

        let losses =
            (file "cut" "epochs.csv").Split '\n'
            |> Array.filter (fun line -> line.Length > 0)
            |> Array.skip 1
            |> Array.map (fun line -> float (line.Split(',')[4]), int64 (line.Split(',')[1]))

        let best = summary.RootElement.GetProperty "best_iteration"

        let reached = [|
            yield! losses
            summary.RootElement.GetProperty("final_test_loss").GetDouble(), 50L
        |]

        Assert.Equal(snd (Array.minBy fst reached), best.GetInt64())
        Assert.NotEqual(0L, best.GetInt64())

    [<Theory>]
    [<InlineData("Identity", "3", "is no longer a finite number")>]
    [<InlineData("Sigmoid", "1000", "is above ten times the first loss")>]
    let ``a run that diverges keeps the same network wherever it was stopped before``
        (activation: string)
        (rate: string)
        (says: string)
        =
        use scratch = new Scratch()
        let data = Given.data scratch

        let settings name =
            settingsIn scratch name data [
                "Model:Activation", activation
                "Training:LearningRate", rate
                "Run:CheckpointEvery", "4"
                "Run:Resume", "Auto"
            ]

        Assert.Equal(Outcome.Diverged, (run onDisk (plan (settings "whole")) -1L).Outcome)
        let whole = folderOf scratch "whole"
        Assert.Contains(says, File.ReadAllText(Path.Combine(whole, "summary.json")))
        let _, progress, _ = Left.behind whole
        Assert.True(progress.Length > 6, $"{progress.Length}")

        for stopAfter in 1 .. progress.Length - 1 do
            let cut = settings $"cut{stopAfter}"
            run onDisk (plan cut) (int64 stopAfter) |> ignore
            Assert.Equal(Outcome.Diverged, (run onDisk (plan cut) -1L).Outcome)
            Assert.Equal(Left.behind whole, Left.behind (folderOf scratch $"cut{stopAfter}"))

    /// The folder of a run stopped after 30 of its 50 steps, and the settings that go on with it.
    let stopped (scratch: Scratch) settings =
        let data = Given.data scratch
        let settings = settingsIn scratch "runs" data settings
        let came = run onDisk (plan settings) 30L
        Assert.Equal(Outcome.Interrupted, came.Outcome)
        settings @ [ "Run:Resume", folderOf scratch "runs" ]

    let whole settings =
        use scratch = new Scratch()
        let settings = settingsIn scratch "runs" (Given.data scratch) settings
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Left.behind (folderOf scratch "runs")

    let set key value settings =
        settings |> List.filter (fst >> (<>) key) |> List.append [ key, value ]

    [<Fact>]
    let ``settings that decide the bits may not change, and those that may are named`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let kept = Left.behind (folderOf scratch "runs")

        for key, value in
            [
                "Training:LearningRate", "0.2"
                "Training:Seed", "2"
                "Training:Optimizer", "Adam"
                "Model:Hidden", "5,5"
                "Training:Precision", "Double"
                "Training:Sampling", "Epoch"
            ] do
            let came = run onDisk (plan (set key value settings)) -1L
            Assert.Equal(Outcome.Refused, came.Outcome)
            Assert.Equal(2, came.Refusals.Length)
            Assert.StartsWith($"{key}: expected ", came.Refusals[0])
            Assert.EndsWith($"found {value}.", came.Refusals[0])
            Assert.Contains("Training:Threads", came.Refusals[1])
            Assert.Contains("Training:Iterations", came.Refusals[1])
            Assert.Contains("Run:Resume=Never", came.Refusals[1])

        // Nothing was written.
        Assert.Equal(kept, Left.behind (folderOf scratch "runs"))

    [<Fact>]
    let ``a run may go on for longer, and is the longer run`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let longer = settings |> set "Training:Iterations" "80"
        Assert.Equal(Outcome.Completed, (run onDisk (plan longer) -1L).Outcome)
        let longest = settings |> set "Training:Iterations" "95"
        Assert.Equal(Outcome.Completed, (run onDisk (plan longest) -1L).Outcome)
        Assert.Equal(whole [ "Training:Iterations", "95" ], Left.behind (folderOf scratch "runs"))

        // But not be shorter than it is.
        let came = run onDisk (plan (settings |> set "Training:Iterations" "94")) -1L
        Assert.Contains("expected 95 iterations or more", Assert.Single came.Refusals)

    [<Fact>]
    let ``a setting that is as it would be unless set has no part in the checkpoints' hash`` () =
        let hash settings =
            use host = ServiceRegistration.CreateBuilder(plan settings).Build()
            host.Services.GetRequiredService<RunConfiguration>().AffectingResultSha256

        Assert.Equal(hash [], hash [ "Training:Dropout", "0"; "Training:Threads", "1" ])
        Assert.Equal(hash [], hash [ "Training:Iterations", "7"; "Run:Name", "x" ])
        Assert.NotEqual<string>(hash [], hash [ "Training:Dropout", "0.1" ])
        Assert.NotEqual<string>(hash [], hash [ "Model:Hidden", "51" ])

    [<Fact>]
    let ``under a schedule that looks ahead a run's length decides its bits`` () =
        use scratch = new Scratch()
        let settings = stopped scratch [ "Training:Schedule", "Cosine" ]
        let came = run onDisk (plan (settings |> set "Training:Iterations" "80")) -1L
        Assert.StartsWith("Training:Iterations: expected 50", came.Refusals[0])
        Assert.DoesNotContain("Training:Iterations", came.Refusals[1])

    [<Fact>]
    let ``other data are refused, file by file`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let labels = Path.Combine(scratch.Sub "data", "train-labels-idx1-ubyte")
        let bytes = File.ReadAllBytes labels
        bytes[20] <- (bytes[20] + 1uy) % 10uy
        File.WriteAllBytes(labels, bytes)
        let came = run onDisk (plan settings) -1L
        let reason = Assert.Single came.Refusals
        Assert.StartsWith("train-labels-idx1-ubyte: expected the data of the run in", reason)

    [<Fact>]
    let ``a damaged newest checkpoint is named and the one before taken; with none the run begins again``
        ()
        =
        for damaged in [ 1; 2; 10 ] do
            use scratch = new Scratch()
            let settings = stopped scratch []
            let checkpoints = Path.Combine(folderOf scratch "runs", "checkpoints")

            let payloads =
                Directory.GetFiles(checkpoints, "*.safetensors")
                |> Array.sortDescending
                |> Array.truncate damaged

            Assert.EndsWith("30.safetensors", payloads[0])

            for path in payloads do
                let bytes = File.ReadAllBytes path
                bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 4uy
                File.WriteAllBytes(path, bytes)

            let came = run onDisk (plan settings) -1L
            Assert.Equal(Outcome.Completed, came.Outcome)

            for path in payloads do
                Assert.Contains(
                    came.Logged,
                    fun line -> line.Contains "Skipped a damaged checkpoint" && line.Contains path
                )

            Assert.Equal(whole [], Left.behind (folderOf scratch "runs"))

    [<Fact>]
    let ``a whole checkpoint of another run or a later version is refused, and nothing is deleted``
        ()
        =
        let checkpoints scratch =
            Path.Combine(folderOf scratch "runs", "checkpoints")

        let ofAnother (folder: string) =
            use other = new Scratch()
            stopped other [ "Training:Seed", "7" ] |> ignore

            for path in Directory.GetFiles(checkpoints other, "*30.*") do
                File.Copy(path, Path.Combine(folder, string (Path.GetFileName path)), true)

        let ofLater (folder: string) =
            let payload = Path.Combine(folder, "000000030.safetensors")
            let manifest = Path.Combine(folder, "000000030.json")
            let latin = Text.Encoding.Latin1
            let text = latin.GetString(File.ReadAllBytes payload)

            let later =
                latin.GetBytes(text.Replace("\"checkpoint\":\"1\"", "\"checkpoint\":\"9\""))

            let hash (bytes: byte[]) =
                Convert.ToHexStringLower(Security.Cryptography.SHA256.HashData bytes)

            let said = File.ReadAllText manifest
            let before = hash (File.ReadAllBytes payload)
            Assert.Contains(before, said)
            File.WriteAllText(manifest, said.Replace(before, hash later))
            File.WriteAllBytes(payload, later)

        for change, says in
            [
                ofAnother, "expected a checkpoint of this run, found one of another run"
                ofLater, "checkpoint: expected version 1 or below, found '9'"
            ] do
            use scratch = new Scratch()
            let settings = stopped scratch []
            change (checkpoints scratch)
            let files = Directory.GetFiles(checkpoints scratch).Length
            let came = run onDisk (plan settings) -1L
            Assert.Contains(says, Assert.Single came.Refusals)
            Assert.Equal(files, Directory.GetFiles(checkpoints scratch).Length)

    [<Fact>]
    let ``logs that lack what should be in them are refused`` () =
        for name, change, says in
            [
                "progress.csv", (fun (lines: string[]) -> Array.removeAt 9 lines), "line 10: "
                "progress.csv", (fun lines -> lines[..20]), "found the end of the file"
                "progress.csv", (fun lines -> Array.removeAt 0 lines), "line 1: "
                "progress.csv",
                (fun lines -> Array.updateAt 5 "5,0,none,0.1,1" lines),
                "line 6: expected the 5 numbers of iteration 5, found '5,0,none,0.1,1'"
                "epochs.csv", (fun lines -> Array.removeAt 2 lines), "the 9 numbers of epoch 1"
            ] do
            use scratch = new Scratch()
            let settings = stopped scratch []
            let path = Path.Combine(folderOf scratch "runs", name)
            File.WriteAllLines(path, change (File.ReadAllLines path))
            let came = run onDisk (plan settings) -1L
            let reason = Assert.Single came.Refusals
            Assert.StartsWith(path, reason)
            Assert.Contains(says, reason)

    [<Fact>]
    let ``a run folder whose settings are gone or damaged is refused`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let path = Path.Combine(folderOf scratch "runs", "settings.json")

        for text, place, found in
            [
                "", ", line 1, column 1", "an empty file."
                "null", "", "null."
                "{}", ", line 1, column 3", "JSON of another form."
                "[]", ", line 1, column 2", "JSON of another form."
                "{\"settings\": 3}", ", line 1, column 15", "another value at settings."
                "{\"settings\": {}}", ", line 1, column 17", "JSON of another form."
                "{\n\"settings\": {},}", ", line 2, column 16", "'}', which is not valid JSON here."
            ] do
            File.WriteAllText(path, text)
            let refused = Assert.Throws<RefusedException>(fun () -> plan settings |> ignore)

            Assert.Equal(
                $"{path}{place}: expected a run's settings, found {found}",
                Assert.Single refused.Reasons
            )

        File.Delete path
        let refused = Assert.Throws<RefusedException>(fun () -> plan settings |> ignore)
        Assert.StartsWith("Run:Resume: expected a run folder", Assert.Single refused.Reasons)

    [<Fact>]
    let ``a run goes on with the settings it had, named by its folder alone`` () =
        use scratch = new Scratch()
        stopped scratch [ "Training:Optimizer", "Adam" ] |> ignore
        let folder = folderOf scratch "runs"

        for settings in
            [
                [ "Run:Resume", folder ]
                [
                    "Run:Resume", string (Path.GetFileName folder)
                    "Run:Directory", scratch.Sub "runs"
                ]
            ] do
            let came = run onDisk (plan settings) -1L
            Assert.Equal(Outcome.Completed, came.Outcome)
            Assert.Equal(whole [ "Training:Optimizer", "Adam" ], Left.behind folder)

    [<Fact>]
    let ``a checkpoint of a later version is refused, and nothing of it is lost`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let checkpoints = Path.Combine(folderOf scratch "runs", "checkpoints")

        for path in Directory.GetFiles(checkpoints, "*.json") do
            let text = File.ReadAllText(path).Replace("\"version\": 1", "\"version\": 2")
            File.WriteAllText(path, text.Replace("{\n", "{\n  \"new\": [],\n"))

        let kept = Directory.GetFiles checkpoints
        let came = run onDisk (plan settings) -1L
        let reason = Assert.Single came.Refusals
        Assert.EndsWith("version 2, of a later program.", reason)
        Assert.Equal<string>(kept, Directory.GetFiles checkpoints)

    [<Fact>]
    let ``what was said of the model before is gone once a run goes on`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let page = Path.Combine(folderOf scratch "runs", "evaluation.html")
        File.WriteAllText(page, "of the model of iteration 30")
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.False(File.Exists page)
        // A run that has come to its end has the model that it had.
        File.WriteAllText(page, "of the model of iteration 50")
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.True(File.Exists page)

    [<Fact>]
    let ``a log that is gone is told, and the checkpoints stay`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let folder = folderOf scratch "runs"
        File.Delete(Path.Combine(folder, "progress.csv"))
        let kept = Directory.GetFiles(Path.Combine(folder, "checkpoints"))
        let came = run onDisk (plan settings) -1L
        Assert.Contains("the log of the run to resume", Assert.Single came.Refusals)
        Assert.Equal<string>(kept, Directory.GetFiles(Path.Combine(folder, "checkpoints")))

    [<Fact>]
    let ``runs are listed by when they began, newest first, whatever else lies beside them`` () =
        use scratch = new Scratch()

        for name in
            [
                "20300101T000000Z-a"
                "20300101T000000Z-a-2"
                "20300101T000000Z-a-10"
                "20291231T235959Z-z"
                "best"
                "zz-20310101T000000Z"
            ] do
            Directory.CreateDirectory(scratch.Sub name) |> ignore

            File.WriteAllText(
                Path.Combine(scratch.Sub name, "settings.json"),
                """{"settings": {}, "data_sha256": {}}"""
            )

        Assert.Equal<string | null>(
            [
                "20300101T000000Z-a-10"
                "20300101T000000Z-a-2"
                "20300101T000000Z-a"
                "20291231T235959Z-z"
            ],
            StoredRun.Folders scratch.Path
            |> Seq.map (fun (path: string) -> Path.GetFileName path)
        )

    [<Fact>]
    let ``two cannot work on one folder`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        use _ = RunFolder.Open(onDisk, folderOf scratch "runs")
        let came = run onDisk (plan settings) -1L
        Assert.Contains("no other process works on", Assert.Single came.Refusals)

    [<Fact>]
    let ``runs that start at one moment have a folder each`` () =
        use scratch = new Scratch()

        let settings =
            PipelineSettings(Run = RunSettings(Directory = scratch.Path, Name = "same"))

        let mutable faults: IReadOnlyList<string> = []
        let plan = nonNull (RunConfiguration.Create(settings, &faults))
        use start = new Barrier(8)

        let folders =
            Array.init 8 (fun _ ->
                let create () =
                    start.SignalAndWait()
                    RunFolder.Create(onDisk, plan, plan.ArchitectureFor(4, 2), StandingClock())

                Tasks.Task.Factory.StartNew(create, Tasks.TaskCreationOptions.LongRunning))
            |> Array.map _.Result

        for folder in folders do
            folder.Dispose()

        Assert.Equal(8, (folders |> Array.distinctBy _.Path).Length)
        Assert.Equal(8, Directory.GetDirectories(scratch.Path).Length)

    [<Fact>]
    let ``Auto goes on with the newest run unless that has come to its end`` () =
        use scratch = new Scratch()
        let settings = stopped scratch [] |> set "Run:Resume" "Auto"
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.Equal(whole [], Left.behind (folderOf scratch "runs"))
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.Equal(2, Directory.GetDirectories(scratch.Sub "runs").Length)

    /// A run on a disk that fails where `fails` says so, of the number of a call and the steps done so far;
    /// and whether it did. Whatever came of it, with a sound disk the run goes on to its end.
    let private failing extra fault (fails: int -> int64 -> bool) =
        use scratch = new Scratch()
        let settings = settingsIn scratch "runs" (Given.data scratch) extra
        let step = ref 0L
        let failed = ref false

        let files =
            FaultyFiles(fun call _ ->
                if fails call (Volatile.Read &step.contents) then
                    failed.Value <- true
                    Some fault
                else
                    None)

        let came =
            try
                runTelling
                    (fun i ->
                        Volatile.Write(&step.contents, i)
                        // Time enough for checkpoints on the way.
                        Thread.Sleep 2)
                    files
                    (plan settings)
                    -1L
            with error when AtomicFile.IsDiskError error -> {
                Outcome = Outcome.Failed
                Refusals = []
                Logged = []
            }

        let folder = Directory.GetDirectories(scratch.Sub "runs")

        if folder.Length > 0 && File.Exists(Path.Combine(folder[0], "settings.json")) then
            let settings = settings @ [ "Run:Resume", folder[0] ]
            Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
            Assert.Equal(whole [], Left.behind folder[0])

        came, failed.Value

    let private faults = [
        DiskFault.Full
        DiskFault.Broken
        DiskFault.ReadOnly
        DiskFault.Vanished
    ]

    [<Fact>]
    let ``a disk that fails in the middle of a run costs nothing`` () =
        for fault in faults do
            for extra in [ []; [ "Run:TensorBoard", "true" ] ] do
                let came, _ = failing extra fault (fun _ step -> step >= 10L && step < 45L)
                Assert.Equal(Outcome.Completed, came.Outcome)

                Assert.Equal(
                    not extra.IsEmpty,
                    came.Logged
                    |> List.exists
                        _.Contains("The event file for TensorBoard cannot be written and ends here")
                )

    [<Fact>]
    let ``a disk that fails to the end leaves what was saved before, and the run says so`` () =
        for fault in faults do
            for first in [ 1L; 8L; 20L; 50L ] do
                let came, failed = failing [] fault (fun _ step -> step >= first)
                Assert.True failed
                Assert.Equal(Outcome.Failed, came.Outcome)

                Assert.Contains(
                    came.Logged,
                    fun line -> line.Contains "Some results could not be saved"
                )

    [<Fact>]
    let ``a folder that cannot be begun is told`` () =
        for fault in faults do
            for first in 0..10 do
                let came, failed = failing [] fault (fun call _ -> call >= first)
                Assert.True failed
                Assert.True((came.Outcome = Outcome.Failed || came.Outcome = Outcome.Refused))

    [<Law(MaxTest = 5)>]
    let ``a run that an exception ends is saved as it stands, and goes on from there``
        (PositiveInt step)
        =
        let step = int64 (step % 50 + 1)
        use scratch = new Scratch()

        let settings =
            settingsIn scratch "runs" (Given.data scratch) [
                "Run:CheckpointEvery", "0"
                "Run:Resume", "Auto"
            ]

        let slip iteration =
            if iteration = step then
                failwith "an observer's slip"

        Assert.ThrowsAny<exn>(fun () -> runTelling slip onDisk (plan settings) -1L |> ignore)
        |> ignore

        let folder = folderOf scratch "runs"
        let newest = Path.Combine(folder, "checkpoints", $"{step:D9}.safetensors")
        Assert.True(File.Exists newest)
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.Equal(whole [], Left.behind folder)

    [<Fact>]
    let ``a resumed run keeps its Run:ProgressEvery, and says so where another is given`` () =
        let expected = whole [ "Run:ProgressEvery", "4" ]
        let _, progress, _ = expected
        // The header, and iterations 4 to 48.
        Assert.Equal(13, progress.Length)

        for given, isTold in [ [ "Run:ProgressEvery", "3" ], true; [], false ] do
            use scratch = new Scratch()
            let settings = stopped scratch [ "Run:ProgressEvery", "4" ]

            let resumed =
                given |> List.fold (fun all (key, value) -> set key value all) settings

            let again = run onDisk (plan resumed) 40L

            let words =
                "is resumed with its own Run:ProgressEvery, 4; the given value, 3, applies to new runs only"

            Assert.Equal(isTold, again.Logged |> List.exists _.Contains(words))
            Assert.Equal(Outcome.Completed, (run onDisk (plan resumed) -1L).Outcome)
            Assert.Equal(expected, Left.behind (folderOf scratch "runs"))
