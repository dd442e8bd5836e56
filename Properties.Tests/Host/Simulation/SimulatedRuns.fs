namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Interop
open Pipeline.Training
open Spectre.Console

/// A law that does not hold in a simulation.
exception Broken of law: string

/// What a simulation may do, and to what.
[<Struct>]
type Hardship = {
    /// Whether the disk keeps what it says it has flushed, and no bit changes.
    IsHonest: bool
    /// Whether the run is one of watch mode, which publishes its model.
    IsWatching: bool
}

/// <summary>A run that is stopped, killed and given a failing disk again and again until it is completed, in a folder of its
/// own. One thread carries it out; the same seed leads to the same calls.</summary>
/// <param name="folder">A folder for the files of all simulations, one after the other.</param>
/// <param name="hardship">What may happen.</param>
type SimulatedRuns(folder: string, hardship: Hardship) =
    let runs = Path.Combine(folder, "runs")
    let data = Path.Combine(folder, "points.csv")

    do
        Directory.CreateDirectory runs |> ignore

        let rows =
            List.init 30 (fun i -> $"{(i * 7) % 30},{(i * 11) % 23},{(i * 7) % 30 / 15}")

        File.WriteAllLines(data, "height,width,kind" :: rows)

    let configuration =
        let values = Dictionary<string, string>()

        for key, value in
            [
                "Data:Train", data
                "Run:Directory", runs
                "Run:Mode", (if hardship.IsWatching then "Watch" else "Once")
                "Run:Resume", "Auto"
                "Run:CheckpointEvery", "3"
                "Run:CheckpointSeconds", "2"
                "Run:CheckpointsKept", "2"
                "Model:Hidden", "3"
                "Training:Optimizer", "Adam"
                "Training:Gradient", "Numerical"
                "Training:BatchSize", "8"
                "Training:Iterations", "17"
                "Training:Threads", "1"
                // A second run would begin with the network of the first, and end with another.
                "Watch:WarmStart", "false"
            ] do
            values[$"Pipeline:{key}"] <- value

        ServiceRegistration.ConfigurationAlone(CommandLineSettings values)

    let isManifest (path: string) =
        Path.GetFileName(Path.GetDirectoryName path) = "checkpoints"
        && path.EndsWith ".json"

    /// A process: its exit code, 137 if it was killed, and what it logged.
    let start
        (random: Random)
        (clock: SimulatedClock)
        (files: IFiles)
        (stop: CancellationTokenSource)
        (status: ExitStatus)
        (stepped: int64 -> unit)
        : int * string list =
        let logger = new LogKeeper()
        let scheduler = SimulatedScheduler random

        let watch = {
            new IRunObserver with
                member _.Stepped(step: inref<StepFigures>) =
                    stepped step.Iteration
                    // Others go on between two steps.
                    if random.Next 3 = 0 then
                        scheduler.RunOne() |> ignore
        }

        let services =
            ServiceRegistration
                .AddTraining(
                    ServiceCollection(),
                    Resumption.Of(configuration, fun _ -> configuration)
                )
                .AddSingleton(configuration)
                .AddSingleton<IFiles>(files)
                .AddSingleton<TimeProvider>(clock)
                .AddSingleton(status)
                .AddSingleton<IRunObserver>(watch)
                .AddSingleton(
                    ConsoleReport(AnsiConsole.Console, TextWriter.Null, TextWriter.Null, clock)
                )
                .AddLogging(fun logging -> logger.Replace logging)

        use provider = services.BuildServiceProvider()

        let main () : Task<Outcome> =
            if hardship.IsWatching then
                provider.GetRequiredService<WatchMode<float32>>().RunAsync stop.Token
            else
                provider.GetRequiredService<SingleRun>().RunAsync stop.Token

        // A service that waits for other data has done its work.
        let idle () =
            if hardship.IsWatching && logger.Lines |> Seq.exists _.StartsWith("Waiting") then
                status.Stop Outcome.Terminated
                stop.Cancel()

        let code =
            try
                int (SimulatedProcess.run random clock scheduler idle main)
            with
            | Died -> 137
            | :? RefusedException as refused ->
                logger.Lines.AddRange refused.Reasons
                int Outcome.Refused
            | :? OperationCanceledException when stop.IsCancellationRequested -> int status.Stopped
            | error when AtomicFile.IsDiskError error -> int Outcome.Failed

        code, List.ofSeq logger.Lines

    let noFaults _ _ : CallFault option = None

    /// The published network; none if a disk that lies has lost a part of it.
    let published () =
        match
            Safetensors.parse (ReadOnlyMemory(File.ReadAllBytes configuration.PublishedModelPath))
        with
        | Ok content ->
            Some(ModelFile(configuration.PublishedModelPath, content).ModelOf<float32>().Network)
        | Error faults ->
            if hardship.IsHonest then
                raise (Broken $"half a model is published: {faults}")

            None

    let runFolders () =
        Directory.GetDirectories runs
        |> Array.filter (fun path -> not (path.EndsWith "-history"))
        |> Array.sort

    let isCompleted (path: string) =
        StoredRun.FinishedAs path = Nullable Outcome.Completed

    /// What a run that nothing happens to leaves, and its network.
    let reference =
        SimulatedDisk.Clear runs
        let random = Random 0
        let disk = SimulatedDisk(runs, random)
        let clock = SimulatedClock(DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
        use stop = new CancellationTokenSource()
        let status = ExitStatus()

        let code, logged = start random clock (disk.Open noFaults) stop status ignore

        if code <> (if hardship.IsWatching then 143 else 0) then
            raise (Broken(String.concat "\n" (string code :: logged)))

        Left.behind (runFolders () |> Array.exactlyOne),
        (if hardship.IsWatching then published () else None)

    let resumed = Regex @"^Resuming (.+) from iteration ([0-9]+)"

    let require (law: string) (holds: bool) =
        if not holds then
            raise (Broken law)

    /// The laws of the files, whenever no process is running.
    let checkFiles () =
        let files, network = reference

        for path in runFolders () do
            if isCompleted path then
                require $"{path} is complete, and another one" (Left.behind path = files)

            let model = Path.Combine(path, "model.safetensors")

            if File.Exists model then
                match Safetensors.parse (ReadOnlyMemory(File.ReadAllBytes model)) with
                | Ok _ -> ()
                | Error _ -> require $"{model} is no model" (not hardship.IsHonest)

        if hardship.IsWatching && File.Exists configuration.PublishedModelPath then
            let found = published ()
            require "another model is published" (found.IsNone || found = network)

    /// <summary>Carries out one simulation.</summary>
    /// <param name="seed">Decides all that happens.</param>
    /// <param name="bug">Changes the disk that the processes see.</param>
    /// <param name="trace">Hears of all calls of the disk, faults and log lines.</param>
    /// <returns>The number of faults.</returns>
    /// <exception cref="Broken">A law does not hold.</exception>
    member _.Simulate(seed: int, bug: IFiles -> IFiles, trace: string -> unit) : int =
        SimulatedDisk.Clear runs
        let random = Random seed
        let disk = SimulatedDisk(runs, random)
        let rate = [| 0.005; 0.02; 0.1 |][random.Next 3]
        // In some simulations only one kind of call has faults.
        let calls = [|
            "Write"
            "Append"
            "Truncate"
            "Flush"
            "Rename"
            "FlushFolder"
            "Delete"
            "Read"
        |]

        let chosen =
            if random.Next 2 = 0 then
                Some calls[random.Next calls.Length]
            else
                None

        let mutable hasLostPower = false
        let mutable left = 1 + random.Next 8
        let mutable faults = 0
        let mutable now = DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)
        let mutable isDone = false
        let mutable isRefused = false
        let mutable starts = 0
        // The newest checkpoint of each run that is safe.
        let safe = Dictionary<string, int64>()

        let occurs (call: string) =
            left > 0
            && (match chosen with
                | Some name -> name = call && random.NextDouble() < 0.2
                | None -> random.NextDouble() < rate)
            && (left <- left - 1
                faults <- faults + 1
                true)

        while not isDone do
            starts <- starts + 1
            require "it is not completed" (starts <= 60)
            let clock = SimulatedClock now
            use stop = new CancellationTokenSource()
            let status = ExitStatus()
            let mutable hasFailed = false
            let signals = List<Outcome>()
            let before = Dictionary safe
            let newest = Dictionary<string, int64>()

            let signal () =
                let outcomes = [|
                    Outcome.HungUp
                    Outcome.Interrupted
                    Outcome.Quit
                    Outcome.Terminated
                |]

                let outcome = outcomes[random.Next outcomes.Length]
                trace $"  signal: {outcome}"
                signals.Add outcome
                status.Stop outcome
                stop.Cancel()

            let jump () =
                trace "  the time of day jumps"
                clock.Jump(TimeSpan.FromHours(48.0 * random.NextDouble() - 24.0))

            let fail error =
                hasFailed <- true
                Some(CallFault.Fail(error, 0.5 * float (random.Next 3)))

            let drawn name =
                if not (occurs name) then
                    None
                else
                    match random.Next 8 with
                    | 0
                    | 1 -> Some(CallFault.Kill([| 0.0; random.NextDouble(); 1.0 |][random.Next 3]))
                    | 2
                    | 3 -> fail (IOException("No space left on device", 28))
                    | 4 -> fail (IOException("Input/output error", 5))
                    | 5 -> fail (UnauthorizedAccessException "Read-only file system")
                    | 6 when not hardship.IsHonest -> Some CallFault.Lie
                    | 6
                    | 7 ->
                        (if random.Next 3 = 0 then jump else signal) ()
                        None
                    | _ -> None

            let faultOf name (path: string) =
                let fault = drawn name
                trace $"  {name} {Path.GetRelativePath(runs, path)} {fault}"
                fault

            // A checkpoint is safe as soon as the program has done all for it, whatever that was.
            let files = {
                new ChangedFiles(bug (disk.Open faultOf)) with
                    override files.Rename(path, name) =
                        files.Disk.Rename(path, name)

                        let folder = nonNull (Path.GetDirectoryName path)

                        if isManifest (Path.Combine(folder, name)) then
                            newest[folder] <- Int64.Parse(name.Split('.')[0])

                    override files.FlushFolder path =
                        files.Disk.FlushFolder path

                        match newest.TryGetValue path with
                        | true, iteration -> safe[nonNull (Path.GetDirectoryName path)] <- iteration
                        | _ -> ()
            }

            let stepped (iteration: int64) =
                trace $"  step {iteration}"
                clock.Advance(TimeSpan.FromSeconds(random.NextDouble()))

                if occurs "step" then
                    (if random.Next 3 = 0 then jump else signal) ()

            let code, logged = start random clock files stop status stepped

            let said = String.concat "\n" logged
            trace $"{said}\nexit code {code}"

            for line in logged do
                if hardship.IsHonest && not hasFailed then
                    require line (not (line.Contains "is not resumed"))
                    require line (hasLostPower || not (line.Contains "damaged checkpoint"))

                let found = resumed.Match line

                if found.Success && not hasFailed && hardship.IsHonest then
                    match before.TryGetValue found.Groups[1].Value with
                    | true, iteration ->
                        require
                            $"iteration {iteration} was safe: {line}"
                            (int64 found.Groups[2].Value >= iteration)
                    | _ -> ()

            match code with
            | 0 -> ()
            | 137 -> ()
            | 1 -> require $"exit code 1 without a reason\n{said}" hasFailed
            | 2 ->
                require $"exit code 2 without a reason\n{said}" (hasFailed || not hardship.IsHonest)
            | 129
            | 130
            | 131
            | 143 ->
                require
                    $"exit code {code} after another signal\n{said}"
                    (signals |> Seq.exists (fun signal -> int signal = code)
                     || hardship.IsWatching && code = 143)
            | other -> raise (Broken $"exit code {other}\n{said}")

            if hasFailed then
                safe.Clear()

            if code = 137 && random.Next 2 = 0 then
                trace "power lost"
                hasLostPower <- true
                disk.LosePower()

            checkFiles ()

            if hardship.IsHonest then
                for KeyValue(run, iteration) in safe do
                    require
                        $"{run} is gone"
                        (File.Exists(Path.Combine(run, RunFolder.SettingsFile)))

                    require
                        $"iteration {iteration} of {run} was safe"
                        (CheckpointStore(DiskFiles(), RunFolder.CheckpointsOf run, 1).Iterations()
                         |> Seq.exists (fun each -> each >= iteration))

            now <- clock.GetUtcNow() + TimeSpan.FromSeconds(float (1 + random.Next 10))

            // What a bad disk has changed may have to be removed by a person.
            isRefused <- code = 2 && not hasFailed

            isDone <-
                if hardship.IsWatching then
                    isRefused || code = 143 && signals.Count = 0 && not hasFailed
                else
                    isRefused || code = 0

            if not isDone && not hardship.IsHonest && left > 0 && random.Next 3 = 0 then
                left <- left - 1
                faults <- faults + 1

                trace "a bit changes"

                disk.FlipBit(fun path ->
                    Path.GetFileName(Path.GetDirectoryName path) = "checkpoints"
                    || path.EndsWith "settings.json"
                    || path.EndsWith "summary.json")

        require "no run is completed" (isRefused || Array.exists isCompleted (runFolders ()))

        if hardship.IsWatching && hardship.IsHonest then
            require "no model is published" (File.Exists configuration.PublishedModelPath)

        faults
