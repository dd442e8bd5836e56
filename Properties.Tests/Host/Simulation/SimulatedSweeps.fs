namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Text
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Logging
open Pipeline.Training
open Spectre.Console

/// <summary>A sweep on one machine, two trials at the same time.</summary>
/// <param name="folder">A folder for the files of all simulations, one after the other.</param>
/// <param name="isHonest">Whether the disk keeps what it says it has flushed, and no bit changes.</param>
type SimulatedSweeps(folder: string, isHonest: bool) =
    inherit Simulation(Path.Combine(folder, "runs"), isHonest)

    let runs = Path.Combine(folder, "runs")
    let sweep = Path.Combine(runs, "points")
    let board = Path.Combine(sweep, SweepFolder.BoardName)
    do Directory.CreateDirectory runs |> ignore

    let given =
        SimulatedTraining.settings [
            "Data:Train", SimulatedTraining.table folder
            "Run:Directory", runs
            "Sweep:Slots", "2"
        ]

    let file =
        SweepFile.Parse(
            Path.Combine(folder, "points.json"),
            Encoding.UTF8.GetBytes
                """{ "method": "Random", "trials": 3, "rungs": [1], "factor": 2,
                     "settings": { "Data": { "Validation": 0.3 }, "Model": { "Hidden": 3 },
                                   "Training": { "BatchSize": 8, "Epochs": 2, "Threads": 1 },
                                   "Run": { "CheckpointEvery": 1 } },
                     "space": { "Training:LearningRate": { "from": 0.1, "to": 2 } } }"""
        )

    let space = SweepSpace(file, given)
    let configurations = space.Check()

    let run (start: SimulatedStart) : int * string list =
        let logger = new LogKeeper()

        let report =
            SweepReport(
                AnsiConsole.Create(
                    AnsiConsoleSettings(
                        Out = AnsiConsoleOutput TextWriter.Null,
                        Interactive = InteractionSupport.No
                    )
                ),
                TextWriter.Null,
                start.Clock,
                file,
                false
            )

        let services =
            ServiceRegistration
                .AddRunServices(ServiceCollection())
                .AddSingleton(file)
                .AddSingleton(space)
                .AddSingleton(
                    SweepOptions(
                        configurations,
                        runs,
                        Nullable 2,
                        fun lines -> logger.Lines.AddRange lines
                    )
                )
                .AddSingleton(report)
                .AddSingleton<LocalSweep>()
                .AddSingleton<IFiles>(start.Files)
                .AddSingleton<TimeProvider>(start.Clock)
                .AddSingleton(start.Status)
                .AddLogging(fun logging -> logger.Replace logging)

        use provider = services.BuildServiceProvider()

        let main () : Task<Outcome> =
            provider.GetRequiredService<LocalSweep>().RunAsync start.Stop.Token

        let code = Simulation.RunToEnd(start, logger.Lines, ignore, main)
        code, List.ofSeq logger.Lines

    /// The results of each trial.
    let results (content: byte[]) : Map<int, int> =
        BoardFile.Parse(board, content).Trials
        |> Seq.map (fun trial -> trial.Number, trial.Results.Count)
        |> Map.ofSeq

    /// The table but for the columns that may differ.
    let table () =
        File.ReadAllLines(Path.Combine(sweep, SweepFolder.TableName))
        |> Array.map (fun line ->
            let cells = line.Split ','
            cells[.. cells.Length - 4] |> String.concat ",")

    let best () =
        File.ReadAllBytes(Path.Combine(sweep, SweepFolder.BestName))

    let trials () =
        let all = Path.Combine(sweep, "trials")

        if Directory.Exists all then
            Directory.GetDirectories all |> Array.sort
        else
            [||]

    let isCompleted (path: string) =
        StoredRun.FinishedAs path = Nullable Outcome.Completed

    /// What a sweep that nothing happens to leaves: table, best model, and the runs that were trained to the end.
    let reference =
        let code, logged = SimulatedTraining.undisturbed runs run
        Simulation.Require(String.concat "\n" (string code :: logged), (code = 0))

        table (),
        best (),
        trials ()
        |> Array.filter isCompleted
        |> Array.map (fun path -> path, Left.behind path)
        |> Map.ofArray

    // The results that are safe.
    let mutable safe: Map<int, int> = Map.empty

    override _.Begin() = safe <- Map.empty
    override _.Run start = run start

    override _.Watch files =
        let mutable newest = Map.empty

        {
            new ChangedFiles(files) with
                override files.Rename(path, name) =
                    let content =
                        if name = SweepFolder.BoardName && files.Disk.Exists path then
                            Some(File.ReadAllBytes path)
                        else
                            None

                    files.Disk.Rename(path, name)

                    match content with
                    | Some content ->
                        try
                            newest <- results content
                        with :? RefusedException ->
                            // A failing disk has written a part.
                            ()
                    | None -> ()

                override files.FlushFolder path =
                    files.Disk.FlushFolder path

                    if path = sweep then
                        safe <- newest
        }

    override _.CheckEnd ended =
        for line in ended.Logged do
            Simulation.Require(line, not (line.Contains "another result"))

        if ended.HasFailed then
            safe <- Map.empty

        if isHonest && ended.Code = 0 && not ended.HasFailed then
            let found, _, _ = reference
            Simulation.Require("another table", (table () = found))

    override _.CheckFiles() =
        let _, _, runs = reference

        for path in trials () do
            if isCompleted path then
                match Map.tryFind path runs with
                | Some files ->
                    // A disk that lies may have lost the end of a log or a part of a model.
                    Simulation.Require(
                        $"{path} is complete, and another one",
                        not isHonest || Left.behind path = files
                    )
                | None -> raise (Broken $"{path} was trained to the end")

        if isHonest then
            let found =
                if File.Exists board then
                    results (File.ReadAllBytes board)
                else
                    Map.empty

            for KeyValue(trial, count) in safe do
                Simulation.Require(
                    $"{count} results of trial {trial} were safe",
                    found |> Map.tryFind trial |> Option.exists (fun number -> number >= count)
                )

    override _.IsLast ended = ended.Code = 0

    override _.MayRot path =
        Path.GetFileName(Path.GetDirectoryName path) = "checkpoints"
        || path = board
        || path.EndsWith "sweep.json"
        || path.EndsWith "settings.json"

    override _.CheckLast isRefused =
        if not isRefused then
            let found, model, _ = reference
            Simulation.Require("another table", (table () = found))
            Simulation.Require("another best model", (best () = model))
