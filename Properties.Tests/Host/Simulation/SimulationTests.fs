namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open Pipeline.Training
open Xunit

/// Runs and watch mode under simulated faults. SIMULATED_FAULTS is the number of faults; with SIMULATED_SEED, the simulations
/// of that seed alone are carried out, and each call is printed if a law does not hold.
module SimulationTests =
    let private none (files: IFiles) = files

    /// Carries out the simulations of seeds, from 0 on, on all processors, until there were that many faults or a law does
    /// not hold.
    let private simulate
        (hardship: Hardship)
        (bug: IFiles -> IFiles)
        (isEnough: int -> int -> bool)
        : (int * string) option =
        let mutable next = -1
        let mutable faults = 0
        let broken = List<int * string>()

        let work () =
            use scratch = new Scratch()
            let simulated = SimulatedRuns(scratch.Path, hardship)
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

    let private trace (hardship: Hardship) (seed: int) : string list * exn option =
        use scratch = new Scratch()
        let calls = List<string>()

        let error =
            try
                SimulatedRuns(scratch.Path, hardship).Simulate(seed, none, calls.Add) |> ignore
                None
            with error ->
                Some error

        // Files beside the user's own have random names.
        [
            for call in calls ->
                Regex.Replace(call.Replace(scratch.Path, "…"), @" \.[a-z0-9.]+\.tmp", " .tmp")
        ],
        error

    let private hardships =
        List.allPairs [ true; false ] [ true; false ]
        |> List.map (fun (isHonest, isWatching) -> {
            IsHonest = isHonest
            IsWatching = isWatching
        })

    [<Theory>]
    [<InlineData(true, false)>]
    [<InlineData(true, true)>]
    [<InlineData(false, false)>]
    [<InlineData(false, true)>]
    let ``a run comes to the same end whatever happens`` (isHonest: bool) (isWatching: bool) =
        let hardship = {
            IsHonest = isHonest
            IsWatching = isWatching
        }

        match Int32.TryParse(Environment.GetEnvironmentVariable "SIMULATED_SEED") with
        | true, seed ->
            match trace hardship seed with
            | calls, Some error -> Assert.Fail(String.concat "\n" calls + $"\n{error}")
            | _ -> ()
        | _ ->
            let wanted = Given.times "SIMULATED_FAULTS" 20_000 / 4

            match simulate hardship none (fun _ faults -> faults >= wanted) with
            | Some(seed, law) -> Assert.Fail $"SIMULATED_SEED={seed}: {law}"
            | None -> ()

    [<Fact>]
    let ``a seed decides each call, fault and log line`` () =
        for hardship in hardships do
            for seed in 1..20 do
                let first, error = trace hardship seed
                Assert.Null(Option.toObj error)
                Assert.Equal<string list>(first, fst (trace hardship seed))

    let bugs: TheoryData<string> =
        TheoryData<string>(PlantedBugs.all |> Seq.map (fun (name, _, _) -> name))

    [<Theory>]
    [<MemberData(nameof bugs)>]
    let ``a planted bug is found`` (name: string) =
        let _, isWatching, bug =
            PlantedBugs.all |> List.find (fun (each, _, _) -> each = name)

        let hardship = {
            IsHonest = true
            IsWatching = isWatching
        }

        Assert.True(
            (simulate hardship bug (fun seed _ -> seed >= 10_000)).IsSome,
            "no law is broken by 10,000 seeds"
        )
