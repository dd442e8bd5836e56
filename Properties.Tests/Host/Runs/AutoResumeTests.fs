namespace Pipeline.Properties.Host

open System
open System.IO
open System.Threading
open Xunit
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Pipeline.Learning
open Pipeline.Learning.Interop
open Pipeline.Training

/// Run:Resume=Auto resumes the newest unfinished run with that run's own settings; one that does not fit is
/// logged and left as it is.
module AutoResumeTests =
    open ResumedRuns

    /// Where runs are and that they are to be resumed, and nothing else.
    let private auto (scratch: Scratch) = [
        "Run:Directory", scratch.Sub "runs"
        "Run:Resume", "Auto"
    ]

    let private runs (scratch: Scratch) =
        Directory.GetDirectories(scratch.Sub "runs") |> Array.sort

    /// Gives a run's folder the name of a run that began at that time.
    let private rename (folder: string) (time: string) : string =
        let renamed =
            Path.Combine(nonNull (Path.GetDirectoryName folder), $"{time}-renamed")

        Directory.Move(folder, renamed)
        renamed

    /// A run stopped after 30 of its 50 steps, as one that began at that time.
    let private stoppedAt (scratch: Scratch) (time: string) settings : string =
        let settings = settingsIn scratch "new" (Given.data scratch) settings
        Assert.Equal(Outcome.Interrupted, (run onDisk (plan settings) 30L).Outcome)
        let folder = rename (folderOf scratch "new") time
        let moved = Path.Combine(scratch.Sub "runs", nonNull (Path.GetFileName folder))
        Directory.CreateDirectory(scratch.Sub "runs") |> ignore
        Directory.Move(folder, moved)
        moved

    let private files (folder: string) =
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        |> Array.sort
        |> Array.map (fun path -> path, Convert.ToBase64String(File.ReadAllBytes path))

    let private notResumed (folder: string) (came: Came) : string =
        Assert.Single(came.Logged, fun line -> line.StartsWith $"{folder} is not resumed.")

    [<Fact>]
    let ``the run has its own settings, though none of them is given now`` () =
        use scratch = new Scratch()
        // The length and the widths are not those unless set.
        let folder = stoppedAt scratch "20260101T000000Z" [ "Training:Optimizer", "Adam" ]
        let came = run onDisk (plan (auto scratch)) -1L
        Assert.Equal(Outcome.Completed, came.Outcome)
        Assert.Equal(whole [ "Training:Optimizer", "Adam" ], Left.behind folder)
        Assert.Equal<string>([| folder |], runs scratch)

    [<Theory>]
    // A later run that has ended; a clock that went back since.
    [<InlineData "20260102T000000Z">]
    [<InlineData "20991231T235959Z">]
    let ``a run is resumed though one that began later has ended`` (later: string) =
        for settings, outcome in
            [
                [], Outcome.Completed
                [ "Model:Activation", "Identity"; "Training:LearningRate", "3" ], Outcome.Diverged
            ] do
            use scratch = new Scratch()
            let stopped = stoppedAt scratch "20260101T000000Z" []
            let settings = settingsIn scratch "new" (scratch.Sub "data") settings
            Assert.Equal(outcome, (run onDisk (plan settings) -1L).Outcome)
            let ended = rename (folderOf scratch "new") later

            Directory.Move(
                ended,
                Path.Combine(scratch.Sub "runs", nonNull (Path.GetFileName ended))
            )

            Assert.Equal(Outcome.Completed, (run onDisk (plan (auto scratch)) -1L).Outcome)
            Assert.Equal(whole [], Left.behind stopped)
            Assert.Equal(2, (runs scratch).Length)

    [<Fact>]
    let ``several unfinished runs are resumed one after the other, newest first`` () =
        use scratch = new Scratch()

        let folders = [
            for day in [ 3; 1; 2 ] ->
                stoppedAt scratch $"2026010{day}T000000Z" [ "Training:Seed", $"{day}" ]
        ]

        for folder in List.sortDescending folders do
            Assert.True(StoredRun.FinishedAs(folder).HasValue |> not)
            Assert.Equal(Outcome.Completed, (run onDisk (plan (auto scratch)) -1L).Outcome)
            Assert.Equal(Nullable Outcome.Completed, StoredRun.FinishedAs folder)

        Assert.Equal(3, (runs scratch).Length)

    [<Fact>]
    let ``a run that has diverged has ended`` () =
        use scratch = new Scratch()

        let settings =
            settingsIn scratch "runs" (Given.data scratch) [
                "Model:Activation", "Identity"
                "Training:LearningRate", "3"
                "Run:Resume", "Auto"
            ]

        for count in 1..2 do
            let came = run onDisk (plan settings) -1L
            Assert.Equal(Outcome.Diverged, came.Outcome)
            Assert.Equal(count, (runs scratch).Length)
            Assert.DoesNotContain(came.Logged, fun line -> line.Contains "Resuming /")

    let private change (path: string) (text: string -> string) =
        File.WriteAllText(path, text (File.ReadAllText path))

    let private inEvery (folder: string) (pattern: string) (act: string -> unit) =
        Directory.GetFiles(folder, pattern, SearchOption.AllDirectories)
        |> Array.iter act

    /// What may be wrong with an unfinished run, and what is said of it.
    let private wrongs
        : (string * (Scratch -> string -> unit) * (string * string) list * string) list = [
        "a setting is given now that differs",
        (fun _ _ -> ()),
        [ "Training:LearningRate", "0.2" ],
        "Training:LearningRate: expected 0.1, as the run in"
        "settings that do not go together",
        (fun _ _ -> ()),
        [ "Training:Momentum", "0.5" ],
        "Training:Momentum"
        "other data",
        (fun scratch _ -> Given.write (scratch.Sub "data") 5UL id),
        [],
        "train-labels-idx1-ubyte: expected the data of the run in"
        "damaged settings",
        (fun _ folder -> change (Path.Combine(folder, "settings.json")) (fun text -> text[..90])),
        [],
        "expected a run's settings, found the end of the text inside of the JSON."
        "a damaged log",
        (fun _ folder -> change (Path.Combine(folder, "progress.csv")) (fun text -> text[..90])),
        [],
        "progress.csv, line 3"
        "checkpoints of another run",
        (fun _ folder ->
            inEvery folder "0*.json" (fun path ->
                change path (fun text ->
                    text.Replace("\"settings_sha256\": \"", "\"settings_sha256\": \"0")))),
        [],
        "expected a checkpoint of this run"
        "a shorter length than it has reached",
        (fun _ _ -> ()),
        [ "Training:Iterations", "20" ],
        "expected 30 iterations or more"
    ]

    let wrongNames: TheoryData<string> =
        TheoryData<string>(wrongs |> Seq.map (fun (name, _, _, _) -> name))

    [<Theory>]
    [<MemberData(nameof wrongNames)>]
    let ``an unfinished run that does not fit is named with the reason and left as it is, and a new one starts``
        (name: string)
        =
        use scratch = new Scratch()
        let _, spoil, given, says = wrongs |> List.find (fun (one, _, _, _) -> one = name)
        let folder = stoppedAt scratch "20260101T000000Z" []
        spoil scratch folder
        let before = files folder

        let settings =
            settingsIn scratch "runs" (scratch.Sub "data") (("Run:Resume", "Auto") :: given)

        let settings =
            // Of a setting that goes with no other the new run is refused as well.
            if name = "settings that do not go together" then
                set "Training:Optimizer" "Momentum" settings
            else
                settings

        let came = run onDisk (plan settings) -1L
        Assert.Equal(Outcome.Completed, came.Outcome)
        let line = notResumed folder came

        Assert.Contains(
            (if name = "settings that do not go together" then
                 "Training:Optimizer"
             else
                 says),
            line
        )

        Assert.Contains($"train --resume {folder}", line)
        Assert.Equal<string * string>(before, files folder)
        let other = Assert.Single(runs scratch |> Array.filter ((<>) folder))
        Assert.Equal(Nullable Outcome.Completed, StoredRun.FinishedAs other)

    [<Fact>]
    let ``a run that another process works on is left to it, and the next one taken`` () =
        use scratch = new Scratch()
        let older = stoppedAt scratch "20260101T000000Z" []
        let newer = stoppedAt scratch "20260102T000000Z" []
        use _ = RunFolder.Open(onDisk, newer)
        Assert.Equal(Outcome.Completed, (run onDisk (plan (auto scratch)) -1L).Outcome)
        Assert.Equal(Nullable Outcome.Completed, StoredRun.FinishedAs older)
        // A second run of the same kind beside it is started on demand alone.
        let came = run onDisk (plan (auto scratch)) -1L
        Assert.Equal(Outcome.Refused, came.Outcome)
        Assert.Contains("no other process works on", came.Refusals[0])
        Assert.Contains("Run:Resume=Never", came.Refusals[1])
        Assert.Equal(2, (runs scratch).Length)

    /// Rows of two classes.
    let private rows (path: string) (count: int) =
        File.WriteAllLines(
            path,
            [
                for i in 0 .. count - 1 ->
                    FormattableString.Invariant
                        $"{float (i % 7) / 7.0},{float (i % 5) / 5.0},c{i % 2}"
            ]
        )

    /// The settings of a run on rows.
    let private onRows (scratch: Scratch) settings =
        settingsIn scratch "runs" "" settings
        |> List.filter (fst >> (<>) "Data:Directory")

    [<Fact>]
    let ``files of data may move and have other names, in their roles`` () =
        use scratch = new Scratch()
        let sub = scratch.Sub
        rows (sub "a.csv") 80
        rows (sub "b.csv") 30

        let settings train test =
            onRows scratch [ "Data:Train", sub train; "Data:Test", sub test ]

        Assert.Equal(
            Outcome.Interrupted,
            (run onDisk (plan (settings "a.csv" "b.csv")) 30L).Outcome
        )

        let folder = folderOf scratch "runs"
        File.Move(sub "a.csv", sub "c.csv")
        Directory.CreateDirectory(sub "moved") |> ignore
        File.Move(sub "b.csv", sub "moved/a.csv")

        let resume train test = [
            "Run:Resume", folder
            "Data:Train", sub train
            "Data:Test", sub test
        ]

        let swapped = run onDisk (plan (resume "moved/a.csv" "c.csv")) -1L
        Assert.Equal(Outcome.Refused, swapped.Outcome)
        let came = run onDisk (plan (resume "c.csv" "moved/a.csv")) -1L
        Assert.True((came.Outcome = Outcome.Completed), String.Join(' ', came.Refusals))
        let other = settings "c.csv" "moved/a.csv" |> set "Run:Directory" (sub "whole")
        Assert.Equal(Outcome.Completed, (run onDisk (plan other) -1L).Outcome)
        Assert.Equal(Left.behind (folderOf scratch "whole"), Left.behind folder)

    [<Fact>]
    let ``a run keeps the full paths of its files`` () =
        use scratch = new Scratch()
        rows (scratch.Sub "a.csv") 80

        let relative =
            Path.GetRelativePath(Environment.CurrentDirectory, scratch.Sub "a.csv")

        let settings = onRows scratch [ "Data:Train", relative; "Training:Iterations", "3" ]
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)

        let stored =
            File.ReadAllText(Path.Combine(folderOf scratch "runs", "settings.json"))

        use json = Text.Json.JsonDocument.Parse stored
        let data = json.RootElement.GetProperty("settings").GetProperty("data")
        Assert.Equal(Path.GetFullPath relative, data.GetProperty("train").GetString())

    [<Fact>]
    let ``a run killed right after a checkpoint in the middle of an epoch is resumed`` () =
        use scratch = new Scratch()
        // Inside the first epoch of 15 iterations, at whose ends the logs are written anyway.
        let inside = [ "000000007.json"; "000000014.json" ]
        let settings = settingsIn scratch "runs" (Given.data scratch) []
        let dying = DyingFiles(fun name -> List.contains name inside)

        let await (what: unit -> bool) =
            SpinWait.SpinUntil(what, TimeSpan.FromMinutes 1.0) |> ignore

        let step (iteration: int64) =
            // While one checkpoint is being written no other is begun.
            if iteration = 6L then
                await (fun () ->
                    runs scratch
                    |> Array.exists (fun folder ->
                        File.Exists(Path.Combine(folder, "checkpoints", "000000000.json"))))

                Thread.Sleep 50

            if iteration = 15L then
                await (fun () -> dying.IsDead)

        Assert.ThrowsAny<exn>(fun () -> runTelling step dying (plan settings) -1L |> ignore)
        |> ignore

        Assert.True dying.IsDead
        let came = run onDisk (plan (auto scratch)) -1L
        Assert.Equal(Outcome.Completed, came.Outcome)

        Assert.Contains(
            came.Logged,
            fun line -> line.EndsWith "from iteration 7" || line.EndsWith "from iteration 14"
        )

        Assert.Equal(whole [], Left.behind (folderOf scratch "runs"))

    [<Fact>]
    let ``once a run goes on, no later checkpoint is left`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let checkpoints = Path.Combine(folderOf scratch "runs", "checkpoints")
        let newest = Path.Combine(checkpoints, "000000030.safetensors")
        File.WriteAllBytes(newest, (File.ReadAllBytes newest)[1..])
        let names = ref [||]

        runTelling
            (fun _ ->
                if names.Value.Length = 0 then
                    names.Value <- Directory.GetFiles(checkpoints, "0*"))
            onDisk
            (plan (settings |> set "Run:CheckpointEvery" "0"))
            -1L
        |> ignore

        Assert.NotEmpty names.Value
        Assert.DoesNotContain(names.Value, fun name -> name.Contains "000000030")

    /// A clock that goes on by a quarter of a second each time it is looked at.
    type private TickingClock() =
        inherit TimeProvider()
        let mutable now = 0L

        override _.GetTimestamp() =
            Interlocked.Add(&now, TimeSpan.TicksPerSecond / 4L)

        override _.TimestampFrequency = TimeSpan.TicksPerSecond

    [<Fact>]
    let ``the seconds of training go on where they were`` () =
        use scratch = new Scratch()

        let settings =
            settingsIn scratch "runs" (Given.data scratch) [ "Run:Resume", "Auto" ]

        let timed stopAfter =
            runWith
                (fun services -> services.AddSingleton<TimeProvider>(TickingClock()) |> ignore)
                ignore
                onDisk
                (plan settings)
                stopAfter

        Assert.Equal(Outcome.Interrupted, (timed 30L).Outcome)
        Assert.Equal(Outcome.Completed, (timed -1L).Outcome)
        let folder = folderOf scratch "runs"

        let seconds =
            File.ReadAllLines(Path.Combine(folder, "progress.csv"))
            |> Array.skip 1
            |> Array.map (fun line -> float (line.Split(',')[4]))

        Assert.Equal<float>(Array.sort seconds, seconds)

        use summary =
            Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json")))

        Assert.Equal(
            Array.last seconds,
            summary.RootElement.GetProperty("train_seconds").GetDouble(),
            3
        )

    /// A run that begins with what an earlier one has learned, and how it goes with those files.
    let private warm (scratch: Scratch) (files: IFiles) =
        let settings = settingsIn scratch "runs" (Given.data scratch) []

        let builder = ServiceRegistration.CreateTrainingBuilder(plan settings)
        builder.Services.AddSingleton<IFiles>(files) |> ignore
        use host = builder.Build()
        let itsPlan = host.Services.GetRequiredService<RunConfiguration>()
        let loaded = DataFiles.Load<float32> itsPlan
        let data = TrainingData(loaded, itsPlan.Split loaded)
        let architecture = itsPlan.ArchitectureFor loaded

        // Not the network that the settings make.
        let earlier = {
            Trainer.start itsPlan.Hyperparameters architecture with
                Network = Network.initialise (Initialiser.Fixed 0.7) 99UL architecture
        }

        host.Services
            .GetRequiredService<TrainingRun<float32>>()
            .RunAsync(
                data,
                null,
                WarmStart(
                    Trainer.startFrom itsPlan.Hyperparameters architecture earlier,
                    "the earlier"
                ),
                CancellationToken.None
            )
            .Result
        |> ignore

    [<Fact>]
    let ``a warm run killed at any moment goes on warm, or was none`` () =
        use undisturbed = new Scratch()
        warm undisturbed onDisk
        let expected = Left.behind (folderOf undisturbed "runs")
        Assert.NotEqual(whole [], expected)

        for last in [ "settings.json"; "000000000.safetensors"; "000000000.json" ] do
            use scratch = new Scratch()
            let dying = DyingFiles((=) last)
            Assert.ThrowsAny<exn>(fun () -> warm scratch dying) |> ignore
            let folder = folderOf scratch "runs"

            if File.Exists(Path.Combine(folder, "settings.json")) then
                Assert.Equal(Outcome.Completed, (run onDisk (plan (auto scratch)) -1L).Outcome)
                Assert.Equal(expected, Left.behind folder)

    [<Fact>]
    let ``a warm run without a whole checkpoint is not resumed as a cold one`` () =
        use scratch = new Scratch()
        let dying = DyingFiles((=) "settings.json")
        Assert.ThrowsAny<exn>(fun () -> warm scratch dying) |> ignore
        let folder = folderOf scratch "runs"
        inEvery folder "0*.safetensors" (fun path -> File.WriteAllBytes(path, [| 1uy |]))
        let came = run onDisk (plan [ "Run:Resume", folder ]) -1L
        Assert.Equal(Outcome.Refused, came.Outcome)

        Assert.Contains(
            "expected a whole checkpoint, as the run started from the network of the earlier",
            Assert.Single came.Refusals
        )
