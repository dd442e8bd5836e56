namespace Pipeline.Properties.Host

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Threading
open Xunit

/// The service told to stop, kept from its folder, and short of disk: what it leaves, and its exit code.
module StopTests =
    let private waitUntil (what: string) (condition: unit -> bool) =
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes 1.0), what)

    let private signal (name: string) (started: Process) =
        Process.Start("kill", [ $"-{name}"; string started.Id ]).WaitForExit()

    let private start (arguments: string list) : Process = Tools.startHost [] arguments

    /// Whether a run has come so far as to have that file.
    let private has (scratch: Scratch) (name: string) (least: int64) =
        Given.runs scratch
        |> Array.exists (fun folder ->
            let file = FileInfo(Path.Combine(folder, name))
            file.Exists && file.Length >= least)

    let private checkpoints (scratch: Scratch) =
        Given.runs scratch
        |> Array.map (fun folder -> Path.Combine(folder, "checkpoints"))
        |> Array.filter Directory.Exists
        |> Array.collect (fun folder -> Directory.GetFiles(folder, "*.json"))

    let private resume (scratch: Scratch) (more: string list) =
        Given.host ([ "train"; "--resume"; Assert.Single(Given.runs scratch) ] @ more)

    /// What a run of these settings leaves that nothing disturbs.
    let private whole settings =
        use scratch = new Scratch()
        Assert.Equal(0, (Given.host (Given.options scratch settings)).ExitCode)
        Left.behind (Assert.Single(Given.runs scratch))

    let private long = [ "Training:Iterations", "20000000" ]

    [<TheoryWithSignals>]
    [<InlineData("INT", 130, "interrupted")>]
    [<InlineData("TERM", 143, "terminated")>]
    [<InlineData("HUP", 129, "hungup")>]
    [<InlineData("QUIT", 131, "quit")>]
    let ``a signal ends a run with a code of its own and what was learned so far saved``
        (name: string)
        (code: int)
        (outcome: string)
        =
        use scratch = new Scratch()
        let started = start (Given.options scratch long)
        waitUntil "the run did not start" (fun () -> has scratch "epochs.csv" 1000L)
        signal name started
        let ended = Given.finish started
        Assert.Equal(code, ended.ExitCode)
        Assert.Equal(outcome, Told.text "outcome" (Told.summary scratch))
        Assert.True((Told.summary scratch).GetProperty("iterations").GetInt64() > 0L)
        Assert.True(has scratch "model.safetensors" 1L)
        Assert.True(has scratch "curves.svg" 1L)
        Assert.NotEmpty(checkpoints scratch)
        let folder = Assert.Single(Given.runs scratch)
        Assert.Contains($"to resume: train --resume {folder}", ended.Output)
        let words = if name = "HUP" then "hung up" else outcome
        Assert.Contains($"\n{words}: ", ended.Output)

    /// A run that prints a line a step, which fills any pipe.
    let private wordy (iterations: int) = [
        "Training:Iterations", $"{iterations}"
        "Training:BatchSize", "300"
        "Training:LearningRate", "0.1"
    ]

    [<TheoryWithSignals>]
    [<InlineData("Simple")>]
    [<InlineData("Json")>]
    let ``a run whose output nobody reads goes on, and heeds signals`` (format: string) =
        use scratch = new Scratch()
        // Neither stream is read before the process has ended.
        let started =
            Tools.startHost
                [ "Logging__Console__FormatterName", format ]
                (Given.options scratch (wordy 20000000))

        waitUntil "the run stands still" (fun () -> has scratch "epochs.csv" 1000000L)
        signal "TERM" started
        waitUntil "the run did not end" (fun () -> started.HasExited)
        Assert.Equal(143, started.ExitCode)
        Assert.Equal("terminated", Told.text "outcome" (Told.summary scratch))

    [<Fact>]
    let ``what a run has printed waits for a reader that comes late`` () =
        use scratch = new Scratch()
        let started = start (Given.options scratch (wordy 3000))
        waitUntil "the run did not end" (fun () -> has scratch "summary.json" 1L)
        let ended = Given.finish started
        Assert.Equal(0, ended.ExitCode)

        let epochs =
            ended.Output.Split '\n' |> Array.filter _.StartsWith("epoch ") |> Array.length

        Assert.Equal(3001, epochs)

    /// Settings whose steps or states take long, and others.
    let private settings: (string * (string * string) list) list = [
        "fast steps", long
        "a step of half a minute",
        [
            "Model:Hidden", "300,300"
            "Training:Gradient", "Numerical"
            "Training:Precision", "Double"
        ]
        "a state of 50 MB",
        long
        @ [
            "Model:Hidden", "1400,1400"
            "Training:Optimizer", "Adam"
            "Training:LearningRate", "0.001"
            "Training:BatchSize", "300"
            "Training:Precision", "Double"
        ]
    ]

    let settingsNames: TheoryData<string> = TheoryData<string>(settings |> Seq.map fst)

    /// More than epochs.csv has before the first evaluation, after which the first step begins.
    let private evaluated = 130L

    // How long that takes is a matter of the machine's other work: that no step is waited for is not.
    [<TheoryWithSignals>]
    [<MemberData(nameof settingsNames)>]
    let ``SIGTERM ends a run and saves what it has learned, however long its steps take``
        (name: string)
        =
        use scratch = new Scratch()
        let _, settings = settings |> List.find (fst >> (=) name)
        let started = start (Given.options scratch settings)
        waitUntil "the run did not start" (fun () -> has scratch "epochs.csv" evaluated)
        signal "TERM" started
        let ended = Given.finish started
        Assert.True((ended.ExitCode = 143), ended.Errors)
        Assert.NotEmpty(checkpoints scratch)
        Assert.True(has scratch "model.safetensors" 1L)
        let reached = (Told.summary scratch).GetProperty("iterations").GetInt64()

        if name = "a step of half a minute" then
            Assert.Equal(0L, reached)

    [<FactWithSignals>]
    let ``SIGTERM ends it also while it starts`` () =
        for delay in 100..100..700 do
            use scratch = new Scratch()
            let started = start (Given.options scratch long)
            Thread.Sleep delay
            signal "TERM" started
            let ended = Given.finish started
            Assert.True((ended.ExitCode = 143), $"{delay} ms: {ended}")

    [<FactWithSignals>]
    let ``a stopped run that goes on is the run undisturbed`` () =
        let settings = [
            "Training:Iterations", "60000"
            "Training:Optimizer", "Adam"
            "Training:LearningRate", "0.001"
            "Training:Dropout", "0.1"
        ]

        use scratch = new Scratch()
        let started = start (Given.options scratch settings)
        waitUntil "the run did not start" (fun () -> has scratch "epochs.csv" 1000L)
        signal "TERM" started
        Assert.Equal(143, (Given.finish started).ExitCode)
        let resumed = resume scratch []
        Assert.True((resumed.ExitCode = 0), resumed.Errors)
        Assert.Contains("Resuming /", resumed.Errors)
        let model, progress, epochs = Left.behind (Assert.Single(Given.runs scratch))
        let wholeModel, wholeProgress, wholeEpochs = whole settings
        Assert.Equal<byte>(wholeModel, model)
        Assert.Equal<string>(wholeProgress, progress)
        Assert.Equal<string>(wholeEpochs, epochs)

    [<Fact>]
    let ``a second process on a run's folder is refused with code 2`` () =
        use scratch = new Scratch()
        let started = Given.start (Given.options scratch long)

        try
            waitUntil "the run did not start" (fun () -> has scratch "epochs.csv" 1000L)
            let second = resume scratch []
            Assert.Equal(2, second.ExitCode)
            Assert.Contains("that no other process works on", second.Errors)
            let second = Given.host (Given.options scratch (("Run:Resume", "Auto") :: long))
            Assert.Equal(2, second.ExitCode)
            Assert.False started.HasExited

            waitUntil "the run wrote no checkpoint" (fun () ->
                checkpoints scratch
                |> Array.exists (fun path -> not (path.EndsWith "000000000.json")))
        finally
            started.Kill()
            Given.finish started |> ignore

        // The lock goes with the process, however it ends.
        let third = resume scratch [ "--Training:Iterations"; "1" ]
        Assert.Contains("iterations or more, as the run has done", third.Errors)

    [<Fact>]
    let ``changed settings and unknown folders are refused with code 2`` () =
        use scratch = new Scratch()
        Assert.Equal(0, (Given.host (Given.options scratch [])).ExitCode)
        let changed = resume scratch [ "--Training:LearningRate=2"; "--Training:Threads=1" ]
        Assert.Equal(2, changed.ExitCode)
        Assert.Contains("Training:LearningRate: expected 1, as the run in", changed.Errors)
        Assert.Contains("Settings that may change when a run is resumed: ", changed.Errors)
        let unknown = Given.host [ "train"; "--resume"; scratch.Sub "nowhere" ]
        Assert.Equal(2, unknown.ExitCode)
        Assert.Contains("Run:Resume: expected a run folder with settings.json", unknown.Errors)

    [<TheoryWithSmallDisk>]
    [<InlineData(false)>]
    [<InlineData(true)>]
    let ``a disk that fills up costs nothing that was learned`` (isFreed: bool) =
        Tools.onSmallDisk 1024 (fun disk ->
            use scratch = new Scratch()

            let settings = [
                "Model:Hidden", "200"
                "Training:Optimizer", "Adam"
                "Training:LearningRate", "0.001"
                "Training:Iterations", "6000"
                "Training:BatchSize", "100"
                "Run:CheckpointEvery", "50"
            ]

            let wholeModel, wholeProgress, wholeEpochs = whole settings
            let runs = Path.Combine(disk, "runs")
            let here = List.filter (fun (o: string) -> not (o.StartsWith "--Run:Directory"))
            let options = Given.options scratch settings |> here

            let started = Given.start ($"--Run:Directory={runs}" :: options)
            let errors = ConcurrentQueue<string>()

            started.ErrorDataReceived.Add(fun line ->
                match line.Data with
                | null -> ()
                | text -> errors.Enqueue text)

            started.BeginErrorReadLine()
            let nothing = started.StandardOutput.ReadToEndAsync()

            let hasNoticed () =
                errors |> Seq.exists _.Contains("could not be written")

            waitUntil "the run wrote no checkpoint" (fun () ->
                Directory.Exists runs
                && Directory.GetFiles(runs, "0*.json", SearchOption.AllDirectories).Length > 0)

            // Everything that is left, and what becomes free while that is written.
            let filler = Path.Combine(disk, "filler")

            let fill () =
                try
                    use file = new FileStream(filler, FileMode.Append)

                    while true do
                        file.Write(ReadOnlySpan(Array.zeroCreate<byte> 4096))
                        file.Flush()
                with :? IOException ->
                    ()

            // Space is there again once the run has noticed that there was none.
            while not started.HasExited && not (isFreed && hasNoticed ()) do
                fill ()
                Thread.Sleep 5

            File.Delete filler
            Assert.True(started.WaitForExit(TimeSpan.FromMinutes 1.0))
            // Waits for the last line of errors, too.
            started.WaitForExit()
            nothing.Wait()
            let said = String.Join("\n", errors)
            let folder = Assert.Single(Directory.GetDirectories runs)

            if not isFreed then
                Assert.Equal(1, started.ExitCode)
                Assert.Contains("Some results could not be saved: No space left", said)
                let resumed = Given.host [ "train"; "--resume"; folder ]
                Assert.True((resumed.ExitCode = 0), resumed.Errors)
            else
                Assert.True((started.ExitCode = 0), said)

            let model, progress, epochs = Left.behind folder
            Assert.Equal<byte>(wholeModel, model)
            Assert.Equal<string>(wholeProgress, progress)
            Assert.Equal<string>(wholeEpochs, epochs))
