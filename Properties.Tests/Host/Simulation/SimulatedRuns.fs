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

/// What all simulated programs of training have in common.
[<RequireQualifiedAccess>]
module SimulatedTraining =
    /// <summary>Writes a table of thirty points.</summary>
    /// <returns>Its path.</returns>
    let table (folder: string) : string =
        let path = Path.Combine(folder, "points.csv")

        let rows =
            List.init 30 (fun i -> $"{(i * 7) % 30},{(i * 11) % 23},{(i * 7) % 30 / 15}")

        File.WriteAllLines(path, "height,width,kind" :: rows)
        path

    /// Settings on a command line.
    let settings (values: (string * string) list) : CommandLineSettings =
        let named = Dictionary<string, string>()

        for key, value in values do
            named[$"Pipeline:{key}"] <- value

        CommandLineSettings named

    /// A report that prints nothing.
    let silent (clock: TimeProvider) : ConsoleReport =
        ConsoleReport(AnsiConsole.Console, TextWriter.Null, TextWriter.Null, clock)

    /// Runs a process that nothing happens to, in an empty folder: its exit code, and what it has logged.
    let undisturbed (root: string) (run: SimulatedStart -> int * string list) : int * string list =
        SimulatedDisk.Clear root
        let random = Random 0
        let clock = SimulatedClock(DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
        let disk = SimulatedDisk(root, random, Clock = clock)
        use stop = new CancellationTokenSource()

        run {
            Random = random
            Clock = clock
            Scheduler = SimulatedScheduler random
            Files = disk.Open(fun _ _ -> None)
            Stop = stop
            Status = ExitStatus()
            Stepped = ignore
        }

/// <summary>A run of training, or watch mode, which publishes its model.</summary>
/// <param name="folder">A folder for the files of all simulations, one after the other.</param>
/// <param name="isHonest">Whether the disk keeps what it says it has flushed, and no bit changes.</param>
/// <param name="isWatching">Whether the run is one of watch mode.</param>
type SimulatedRuns(folder: string, isHonest: bool, isWatching: bool) =
    inherit Simulation(Path.Combine(folder, "runs"), isHonest)

    let runs = Path.Combine(folder, "runs")
    do Directory.CreateDirectory runs |> ignore

    let configuration =
        ServiceRegistration.ConfigurationAlone(
            SimulatedTraining.settings [
                "Data:Train", SimulatedTraining.table folder
                "Run:Directory", runs
                "Run:Mode", (if isWatching then "Watch" else "Once")
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
            ]
        )

    let isManifest (path: string) =
        Path.GetFileName(Path.GetDirectoryName path) = "checkpoints"
        && path.EndsWith ".json"

    let run (start: SimulatedStart) : int * string list =
        let logger = new LogKeeper()

        let watch = {
            new IRunObserver with
                member _.Stepped(step: inref<StepFigures>) =
                    start.Stepped step.Iteration
                    // Others go on between two steps.
                    if start.Random.Next 3 = 0 then
                        start.Scheduler.RunOne() |> ignore
        }

        let services =
            ServiceRegistration
                .AddTraining(
                    ServiceCollection(),
                    Resumption.Of(configuration, fun _ -> configuration)
                )
                .AddSingleton(configuration)
                .AddSingleton<IFiles>(start.Files)
                .AddSingleton<TimeProvider>(start.Clock)
                .AddSingleton(start.Status)
                .AddSingleton<IRunObserver>(watch)
                .AddSingleton(SimulatedTraining.silent start.Clock)
                .AddLogging(fun logging -> logger.Replace logging)

        use provider = services.BuildServiceProvider()

        let main () : Task<Outcome> =
            if isWatching then
                provider.GetRequiredService<WatchMode<float32>>().RunAsync start.Stop.Token
            else
                provider.GetRequiredService<SingleRun>().RunAsync start.Stop.Token

        // A service that waits for other data has done its work.
        let idle () =
            if isWatching && logger.Lines |> Seq.exists _.StartsWith("Waiting") then
                start.Status.Stop Outcome.Terminated
                start.Stop.Cancel()

        let code = Simulation.RunToEnd(start, logger.Lines, idle, main)
        code, List.ofSeq logger.Lines

    /// The published network; none if a disk that lies has lost a part of it.
    let published () =
        match
            Safetensors.parse (ReadOnlyMemory(File.ReadAllBytes configuration.PublishedModelPath))
        with
        | Ok content ->
            Some(ModelFile(configuration.PublishedModelPath, content).ModelOf<float32>().Network)
        | Error faults ->
            Simulation.Require($"half a model is published: {faults}", not isHonest)
            None

    let runFolders () =
        Directory.GetDirectories runs
        |> Array.filter (fun path -> not (path.EndsWith "-history"))
        |> Array.sort

    let isCompleted (path: string) =
        StoredRun.FinishedAs path = Nullable Outcome.Completed

    /// What a run that nothing happens to leaves, and its network.
    let reference =
        let code, logged = SimulatedTraining.undisturbed runs run

        Simulation.Require(
            String.concat "\n" (string code :: logged),
            (code = if isWatching then 143 else 0)
        )

        Left.behind (runFolders () |> Array.exactlyOne), (if isWatching then published () else None)

    let resumed = Regex @"^Resuming (.+) from iteration ([0-9]+)"

    // The newest checkpoint of each run that is safe, as it is and as it was when the process started.
    let safe = Dictionary<string, int64>()
    let mutable before = Dictionary<string, int64>()

    override _.Begin() =
        safe.Clear()
        before <- Dictionary()

    override _.Run start =
        before <- Dictionary safe
        run start

    /// A checkpoint is safe as soon as the program has done all for it, whatever that was.
    override _.Watch files =
        let newest = Dictionary<string, int64>()

        {
            new ChangedFiles(files) with
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

    override _.CheckEnd ended =
        for line in ended.Logged do
            if isHonest && not ended.HasFailed then
                Simulation.Require(line, not (line.Contains "is not resumed"))

                Simulation.Require(
                    line,
                    ended.HasLostPower || not (line.Contains "damaged checkpoint")
                )

                let found = resumed.Match line

                if found.Success then
                    match before.TryGetValue found.Groups[1].Value with
                    | true, iteration ->
                        Simulation.Require(
                            $"iteration {iteration} was safe: {line}",
                            int64 found.Groups[2].Value >= iteration
                        )
                    | _ -> ()

        if ended.HasFailed then
            safe.Clear()

    override _.CheckFiles() =
        let files, network = reference

        for path in runFolders () do
            // A disk that lies may have lost the end of a log or a part of a model, which its checksum tells.
            if isHonest && isCompleted path then
                Simulation.Require($"{path} is complete, and another one", Left.behind path = files)

            let model = Path.Combine(path, "model.safetensors")

            if File.Exists model then
                let bytes = File.ReadAllBytes model
                let expected, _, _ = files

                match Safetensors.parse (ReadOnlyMemory bytes) with
                | Ok _ ->
                    Simulation.Require(
                        $"{path} is complete, and has another model",
                        not (isCompleted path)
                        || bytes = expected
                        // A bit may have changed that no answer depends on.
                        || (not isHonest
                            && Simulation.TensorsOf bytes = Simulation.TensorsOf expected)
                    )
                | Error _ -> Simulation.Require($"{model} is no model", not isHonest)

        if isWatching && File.Exists configuration.PublishedModelPath then
            let found = published ()
            Simulation.Require("another model is published", found.IsNone || found = network)

        if isHonest then
            for KeyValue(run, iteration) in safe do
                Simulation.Require(
                    $"{run} is gone",
                    File.Exists(Path.Combine(run, RunFolder.SettingsFile))
                )

                Simulation.Require(
                    $"iteration {iteration} of {run} was safe",
                    CheckpointStore(DiskFiles(), RunFolder.CheckpointsOf run, 1).Iterations()
                    |> Seq.exists (fun each -> each >= iteration)
                )

    /// Watch mode ends when there is nothing more to do.
    override _.MayEnd code = isWatching && code = 143

    override _.IsLast ended =
        if isWatching then
            ended.Code = 143 && ended.Signals.IsEmpty && not ended.HasFailed
        else
            ended.Code = 0

    override _.MayRot path =
        Path.GetFileName(Path.GetDirectoryName path) = "checkpoints"
        || path.EndsWith "settings.json"
        || path.EndsWith "summary.json"

    override _.CheckLast isRefused =
        // Watch mode does not train again where bits of the run's settings and of its summary have changed: it says so.
        Simulation.Require(
            "no run is completed",
            isRefused
            || isWatching && not isHonest
            || Array.exists isCompleted (runFolders ())
        )

        if isWatching && isHonest then
            Simulation.Require(
                "no model is published",
                File.Exists configuration.PublishedModelPath
            )
