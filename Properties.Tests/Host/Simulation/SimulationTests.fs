namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open Pipeline.Training
open Xunit

/// Runs, watch mode, sweeps and the reload of models under simulated faults. SIMULATED_FAULTS is the number of faults; with SIMULATED_SEED, the simulations
/// of that seed alone are carried out, and each call is printed if a law does not hold.
module SimulationTests =
    let private none (files: IFiles) = files

    /// A simulation of a program, by the program's name.
    let private simulation (program: string) (isHonest: bool) (folder: string) : Simulation =
        match program with
        | "run" -> SimulatedRuns(folder, isHonest, false)
        | "watch" -> SimulatedRuns(folder, isHonest, true)
        | "sweep" -> SimulatedSweeps(folder, isHonest)
        | _ -> SimulatedServing(folder, isHonest)

    let private programs = [ "run"; "watch"; "sweep"; "serve" ]

    /// Carries out the simulations of seeds, from 0 on, on all processors, until there were that many faults or a law does
    /// not hold.
    let private simulate
        (simulation: string -> Simulation)
        (bug: IFiles -> IFiles)
        (isEnough: int -> int -> bool)
        : (int * string) option =
        let mutable next = -1
        let mutable faults = 0
        let broken = List<int * string>()

        let work () =
            use scratch = Scratch.InMemory()
            let simulated = simulation scratch.Path
            let mutable seed = Interlocked.Increment &next

            while broken.Count = 0 && not (isEnough seed (Volatile.Read &faults)) do
                try
                    Interlocked.Add(&faults, simulated.Simulate(seed, bug, ignore)) |> ignore
                with error ->
                    lock broken (fun () -> broken.Add(seed, string error))

                seed <- Interlocked.Increment &next

        [|
            for _ in 1 .. Environment.ProcessorCount ->
                Task.Factory.StartNew(work, TaskCreationOptions.LongRunning)
        |]
        |> Task.WaitAll

        if broken.Count = 0 then None else Some(Seq.min broken)

    let private trace (simulation: string -> Simulation) (seed: int) : string list * exn option =
        use scratch = Scratch.InMemory()
        let calls = List<string>()

        let error =
            try
                (simulation scratch.Path).Simulate(seed, none, calls.Add) |> ignore
                None
            with error ->
                Some error

        // Files beside the user's own have random names.
        [
            for call in calls ->
                Regex.Replace(call.Replace(scratch.Path, "…"), @" \.[a-z0-9.]+\.tmp", " .tmp")
        ],
        error

    let cases: TheoryData<string, bool> =
        let data = TheoryData<string, bool>()

        for program, isHonest in List.allPairs programs [ true; false ] do
            data.Add(program, isHonest)

        data

    [<Theory>]
    [<MemberData(nameof cases)>]
    let ``a program comes to the same end whatever happens`` (program: string) (isHonest: bool) =
        let simulation = simulation program isHonest

        match Int32.TryParse(Environment.GetEnvironmentVariable "SIMULATED_SEED") with
        | true, seed ->
            match trace simulation seed with
            | calls, Some error -> Assert.Fail(String.concat "\n" calls + $"\n{error}")
            | _ -> ()
        | _ ->
            let wanted = Given.times "SIMULATED_FAULTS" 20_000 / cases.Count

            match simulate simulation none (fun _ faults -> faults >= wanted) with
            | Some(seed, law) -> Assert.Fail $"SIMULATED_SEED={seed}: {law}"
            | None -> ()

    [<Theory>]
    [<MemberData(nameof cases)>]
    let ``a seed decides each call, fault and log line`` (program: string) (isHonest: bool) =
        for seed in 1..20 do
            let first, error = trace (simulation program isHonest) seed
            Assert.Null(Option.toObj error)
            Assert.Equal<string list>(first, fst (trace (simulation program isHonest) seed))

    let bugs: TheoryData<string> =
        TheoryData<string>(PlantedBugs.all |> Seq.map (fun (name, _, _) -> name))

    [<Theory>]
    [<MemberData(nameof bugs)>]
    let ``a planted bug is found`` (name: string) =
        let _, program, bug = PlantedBugs.all |> List.find (fun (each, _, _) -> each = name)

        Assert.True(
            (simulate (simulation program true) bug (fun seed _ -> seed >= 10_000)).IsSome,
            "no law is broken by 10,000 seeds"
        )
