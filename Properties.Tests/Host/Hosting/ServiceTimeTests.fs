namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Hosting.Systemd
open Microsoft.Extensions.Time.Testing
open Xunit
open Pipeline.Learning
open Pipeline.Training

/// What the service does when, by a clock that the test moves; and in which order it writes.
module ServiceTimeTests =
    let private services (settings: (string * string) list) =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        (ServiceRegistration.CreateTrainingBuilder(CommandLineSettings values).Build()).Services

    let private soon (what: string) (condition: unit -> bool) =
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds 20.0), what)

    [<Fact>]
    let ``a service that waits for data is live at every look at them`` () =
        use scratch = new Scratch()

        let plan =
            (services [
                "Data:Directory", Given.data scratch
                "Watch:Every", "5"
                "Health:StalledAfter", "4"
            ])
                .GetRequiredService<RunConfiguration>()

        let clock = FakeTimeProvider()
        let pulse = Liveness(plan, clock)
        let watch = DataFileWatcher(plan, pulse, DiskFiles(), clock)
        use stop = new CancellationTokenSource()
        // The first time it does not wait.
        watch.ChangedAsync(stop.Token).Wait()
        let waiting = watch.ChangedAsync stop.Token

        for _ in 1..5 do
            clock.Advance(TimeSpan.FromSeconds 5.0)
            soon "nothing was told at a look" (fun () -> pulse.IsLive)

        Assert.False waiting.IsCompleted
        stop.Cancel()
        soon "it waited on" (fun () -> waiting.IsCompleted)

    /// A clock that says when somebody waits by it.
    type private AwaitedClock() =
        inherit FakeTimeProvider()
        let mutable isAwaited = false
        member _.IsAwaited = Volatile.Read &isAwaited

        override _.CreateTimer(callback, state, due, period) =
            let timer = base.CreateTimer(callback, state, due, period)
            Volatile.Write(&isAwaited, true)
            timer

    /// systemd, which counts what it is told.
    type private Counter() =
        let mutable told = 0
        member _.Told = told

        interface ISystemdNotifier with
            member _.IsEnabled = true
            member _.Notify _ = told <- told + 1

    [<Fact>]
    let ``the watchdog is told twice in the time that systemd allows, and not once nothing advances``
        ()
        =
        let variable = "WATCHDOG_USEC"
        let before = Environment.GetEnvironmentVariable variable
        Environment.SetEnvironmentVariable(variable, "60000000")

        try
            let plan =
                (services [ "Health:StalledAfter", "100" ]).GetRequiredService<RunConfiguration>()

            let clock = AwaitedClock()
            let systemd = Counter()

            let provider =
                ServiceCollection().AddSingleton<ISystemdNotifier>(systemd).BuildServiceProvider()

            use watchdog = new SystemdWatchdog(provider, Liveness(plan, clock), clock)
            watchdog.StartAsync(CancellationToken.None).Wait()
            soon "the watchdog does not wait" (fun () -> clock.IsAwaited)

            // After 100 seconds nothing has advanced for too long.
            for time, told in [ 29.0, 0; 1.0, 1; 29.0, 1; 1.0, 2; 30.0, 3; 30.0, 3; 30.0, 3 ] do
                clock.Advance(TimeSpan.FromSeconds time)
                soon $"{told} expected, {systemd.Told} told" (fun () -> systemd.Told = told)

            watchdog.StopAsync(CancellationToken.None).Wait()
            Assert.Equal(3, systemd.Told)
        finally
            Environment.SetEnvironmentVariable(variable, before)

    /// A run folder with checkpoints on such a disk, the state after some steps, and the writer.
    let private writing
        (scratch: Scratch)
        (files: IFiles)
        (clock: TimeProvider)
        (test:
            RunConfiguration
                -> RunFolder
                -> (int -> RunPosition<float32>)
                -> CheckpointWriter<float32>
                -> unit)
        =
        let services =
            services [
                "Data:Directory", Given.data scratch
                "Run:Directory", scratch.Sub "runs"
                "Model:Hidden", "5"
                "Training:BatchSize", "20"
                "Run:CheckpointEvery", "7"
            ]

        let plan = services.GetRequiredService<RunConfiguration>()
        let loaded = DataFiles.Load<float32> plan
        let data = loaded.Train
        let architecture = plan.ArchitectureFor loaded
        use folder = RunFolder.Create(files, plan, architecture, clock)
        folder.Logs.Continue null
        let store = CheckpointStore(files, folder.Checkpoints, 3)

        let writer =
            CheckpointWriter<float32>(
                folder,
                store,
                15L,
                plan.AffectingResultSha256,
                Dictionary<string, string>(),
                services.GetRequiredService<TrainingMetrics>(),
                new LogKeeper(),
                clock
            )

        let positionAfter steps =
            let state =
                Seq.init steps id
                |> Seq.fold
                    (fun state _ -> Trainer.step plan.Hyperparameters data state)
                    (Trainer.start plan.Hyperparameters architecture)

            RunPosition<float32>(state, TimeSpan.FromSeconds 1.0)

        test plan folder positionAfter writer

    [<Fact>]
    let ``logs are on the disk before the checkpoint that they lead to`` () =
        use scratch = new Scratch()
        let calls = List<string>()

        let files =
            ReportingFiles(fun call path -> calls.Add $"{call} {Path.GetFileName path}")

        writing scratch files TimeProvider.System (fun _ folder positionAfter writer ->
            let score = { Loss = 0.5; Accuracy = 0.75 }

            for iteration in 1L .. 7L do
                let mutable step = StepFigures(iteration, 0L, 20, 0.5, 0.1, 1.0)
                folder.Logs.Stepped &step

            folder.Logs.Evaluated(EpochFigures(0L, 0L, score, score, Nullable(), 0.0))

            let mutable step = StepFigures(8L, 0L, 20, 0.5, 0.1, 1.0)
            folder.Logs.Stepped &step
            calls.Clear()
            writer.Save(positionAfter 8))

        let place call =
            match Seq.tryFindIndex ((=) call) calls with
            | Some place -> place
            | None -> failwith $"""{call} is not among {String.concat ", " calls}"""

        let order = [
            place "Append progress.csv"
            place "Flush progress.csv"
            place "Write 000000008.safetensors.tmp"
            place "Rename 000000008.safetensors.tmp"
            place "Write 000000008.json.tmp"
            place "Rename 000000008.json.tmp"
        ]

        Assert.Equal<int>(List.sort order, order)
        Assert.True(place "Flush epochs.csv" < place "Write 000000008.safetensors.tmp")

    [<Fact>]
    let ``after a checkpoint none is due for 49 times as long as it took`` () =
        use scratch = new Scratch()
        let clock = FakeTimeProvider()
        let mutable isSlow = false

        let files =
            ReportingFiles(fun call _ ->
                if isSlow && call = "Write" then
                    clock.Advance(TimeSpan.FromSeconds 1.0))

        writing scratch files clock (fun plan _ positionAfter writer ->
            let checkpointing = CheckpointScheduler<float32>(writer, plan.Settings.Run, clock)

            Assert.True(checkpointing.IsDue 14L)
            Assert.False(checkpointing.IsDue 15L)

            let run () = task {
                isSlow <- true
                checkpointing.Offer(positionAfter 7)
                soon "nothing was saved" (fun () -> writer.Saved = Nullable 7L)
                // The checkpoint and its manifest took two seconds.
                clock.Advance(TimeSpan.FromSeconds 97.0)

                Assert.False(
                    SpinWait.SpinUntil(
                        (fun () -> checkpointing.IsDue 14L),
                        TimeSpan.FromSeconds 0.5
                    )
                )

                // The pause may begin only now.
                soon "no checkpoint was due again" (fun () ->
                    clock.Advance(TimeSpan.FromSeconds 1.0)
                    checkpointing.IsDue 14L)

                return 0
            }

            Assert.Equal(0, checkpointing.DuringAsync(Func<Task<int>> run).Result))

    [<FactWithStrace>]
    let ``what is renamed into place is on the disk before, and its folder after`` () =
        use scratch = new Scratch()
        let calls = scratch.Sub "calls"
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

        let ended =
            Tools.run
                "strace"
                ([
                    "-f"
                    "-y"
                    "-s"
                    "300"
                    "-e"
                    "trace=fsync,fdatasync,rename,renameat,renameat2"
                    "-o"
                    calls
                    "dotnet"
                    program
                 ]
                 @ Given.options scratch [ "Run:CheckpointEvery", "50" ])

        Assert.Equal(0, ended.Value.ExitCode)
        let folder = Assert.Single(Given.runs scratch)
        let calls = File.ReadAllLines calls

        /// The calls of a kind that name a path of the run.
        let places (kind: string) (path: string) =
            calls
            |> Seq.indexed
            |> Seq.filter (fun (_, call) -> call.Contains kind && call.Contains path)
            |> Seq.map fst
            |> List.ofSeq

        let renamed =
            Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            |> Array.filter (fun path -> not (places "rename" $"\"{path}.tmp\"").IsEmpty)

        Assert.True(renamed.Length >= 6, String.concat "\n" calls)

        for path in renamed do
            let first = List.head (places "rename" $"\"{path}.tmp\"")
            Assert.Contains(places "sync(" $"<{path}.tmp>", fun place -> place < first)

            Assert.Contains(
                places "sync(" $"<{Path.GetDirectoryName path}>",
                fun place -> place > first
            )

        // The log when it begins, and once more before the newest of what it leads to.
        let newest = List.last (places "rename" ".safetensors.tmp")

        let synced =
            places "sync(" "/progress.csv>" |> List.filter (fun place -> place < newest)

        Assert.True(synced.Length >= 2, String.concat "\n" calls)
