namespace Pipeline.Learning

open System

/// How a sweep chooses the values of its trials.
[<RequireQualifiedAccess>]
type SearchMethod =
    /// Every combination of the values.
    | Grid
    /// Values drawn at random, independently of each other.
    | Random
    /// The points of a Sobol sequence, which fill the space more evenly.
    | Sobol
    /// Values that are more likely among the best of the earlier trials (TPE). The values of trial j depend on the
    /// results of the trials 0 … j − lag, so that trials of that number can run at the same time.
    | TreeParzen of lag: int

    /// The case's name, and what belongs to it.
    override search.ToString() =
        match search with
        | Grid -> nameof Grid
        | Random -> nameof Random
        | Sobol -> nameof Sobol
        | TreeParzen lag -> invariant $"TreeParzen {lag}"

/// What a sweep tries, and how it decides which trials go on.
type SweepPlan = private {
    /// <exclude/>
    space: (string * SettingRange) list
    /// <exclude/>
    method: SearchMethod
    /// <exclude/>
    trials: int
    /// <exclude/>
    rungs: int list
    /// <exclude/>
    factor: int
    /// <exclude/>
    seed: uint64
} with

    /// The settings that are varied.
    member plan.Settings: string list = plan.space |> List.map fst
    /// How values are chosen.
    member plan.Method = plan.method
    /// The number of trials.
    member plan.Trials = plan.trials
    /// The epochs after which trials are compared, and only the best go on.
    member plan.Rungs: int list = plan.rungs
    /// One of how many trials goes on from a rung.
    member plan.Factor = plan.factor
    /// The seed of the values.
    member plan.Seed = plan.seed

/// Making plans, and the settings of their trials.
[<RequireQualifiedAccess>]
module SweepPlan =
    /// The most trials of a sweep.
    let internal mostTrials = 10_000

    /// The most combinations of a grid, as a whole number that does not overflow.
    let private combinations (grids: string list list) : int64 =
        (1L, grids)
        ||> List.fold (fun product values ->
            min (product * int64 values.Length) (int64 mostTrials + 1L))

    /// The faults of the search method.
    let private methodChecks (space: (string * SettingRange) list) (method: SearchMethod) = [
        match method with
        | SearchMethod.Grid ->
            for name, range in space do
                not (SettingRange.grid range).IsEmpty,
                Fault.message name "needs steps for a grid, or a list of values"
        | SearchMethod.Sobol ->
            space.Length <= SobolSequence.mostDimensions,
            Fault.create
                "space"
                (invariant $"{SobolSequence.mostDimensions} settings or fewer for Sobol")
                (string space.Length)
        | SearchMethod.TreeParzen lag -> NumberRange.check "lag" NumberRange.oneOrMore lag
        | SearchMethod.Random -> ()
    ]

    /// The number of trials, or its fault.
    let private count
        (space: (string * SettingRange) list)
        (method: SearchMethod)
        (trials: Nullable<int>)
        =
        match method with
        | SearchMethod.Grid ->
            let all = space |> List.map (snd >> SettingRange.grid) |> combinations

            Fault.check
                [
                    not trials.HasValue,
                    Fault.message "trials" "does not apply to a grid, which tries every combination"
                    all <= int64 mostTrials,
                    Fault.create
                        "space"
                        (invariant $"{mostTrials} combinations or fewer")
                        "more of them"
                ]
                (fun () -> int all)
        | _ ->
            if trials.HasValue then
                Fault.check
                    [ NumberRange.check "trials" (NumberRange.between 1 mostTrials) trials.Value ]
                    (fun () -> trials.Value)
            else
                Error [ Fault.create "trials" (invariant $"a number of 1 to {mostTrials}") "none" ]

    /// <summary>The plan, or everything that is wrong with it.</summary>
    /// <param name="space">The settings that are varied, each with its values; one or more.</param>
    /// <param name="method">How values are chosen.</param>
    /// <param name="trials">The number of trials, 1 to 10,000; no value for a grid, which has as many as there are
    /// combinations.</param>
    /// <param name="rungs">The epochs after which trials are compared, in ascending order; empty where all trials run
    /// to their end.</param>
    /// <param name="factor">One of how many trials goes on from a rung: 2 or more.</param>
    /// <param name="seed">The seed of the values.</param>
    [<CompiledName("Create")>]
    let create
        (space: struct (string * SettingRange) seq)
        (method: SearchMethod)
        (trials: Nullable<int>)
        (rungs: int seq)
        (factor: int)
        (seed: uint64)
        : Result<SweepPlan, Fault list> =
        let space = [ for struct (name, range) in space -> name, range ]
        let rungs = List.ofSeq rungs

        let checks =
            Fault.check
                [
                    not space.IsEmpty, Fault.create "space" "one setting or more to vary" "none"
                    yield! methodChecks space method
                    NumberRange.check "factor" (NumberRange.atLeast 2) factor

                    (1 :: rungs |> List.forall (fun rung -> rung >= 1))
                    && List.forall (fun (one, next) -> one < next) (List.pairwise rungs),
                    Fault.create
                        "rungs"
                        "numbers of epochs of 1 or more, in ascending order"
                        (rungs |> List.map string |> String.concat ", ")
                ]
                ignore

        validation {
            let! () = checks
            and! trials = count space method trials

            return {
                space = space
                method = method
                trials = trials
                rungs = rungs
                factor = factor
                seed = seed
            }
        }

    /// The settings that are varied, each with its values.
    [<CompiledName("Space")>]
    let space (plan: SweepPlan) : (string * SettingRange) list = plan.space

    /// The number of stages of a trial: one up to each rung, and one from the last rung to the end.
    let internal stages (plan: SweepPlan) : int = plan.rungs.Length + 1

    let private ranges (plan: SweepPlan) : SettingRange list = plan.space |> List.map snd

    /// A number of (0, 1) for a trial, a dimension and an index.
    let private draw (plan: SweepPlan) (trial: int) (dimension: int) (index: int) : float =
        RandomNumbers.uniform plan.seed RandomStream.Sweep (int64 trial) (dimension * 1024 + index)

    let private valuesAt (plan: SweepPlan) (positions: float list) : string list =
        List.map2 SettingRange.valueAt (ranges plan) positions

    let private atRandom (plan: SweepPlan) (trial: int) : string list =
        plan.space
        |> List.mapi (fun dimension _ -> draw plan trial dimension 0)
        |> valuesAt plan

    /// The combination of a number, the last setting changing fastest.
    let private combination (plan: SweepPlan) (trial: int) : string list =
        (ranges plan, ([], trial))
        ||> List.foldBack (fun range (later, rest) ->
            let values = SettingRange.grid range
            values[rest % values.Length] :: later, rest / values.Length)
        |> fst

    /// The point of a sequence that the seed shifts, bit by bit.
    let private sobol (plan: SweepPlan) (trial: int) : string list =
        plan.space
        |> List.mapi (fun dimension _ ->
            let shift =
                RandomNumbers.bits plan.seed RandomStream.Sweep 0L (dimension * 1024 + 1)

            let shifted = SobolSequence.coordinate dimension trial ^^^ uint32 (shift >>> 32)
            (float shifted + 0.5) / 4294967296.0)
        |> valuesAt plan

    /// How many of the first trials have to be settled before a trial's values are known.
    let internal needed (plan: SweepPlan) (trial: int) : int =
        match plan.method with
        | SearchMethod.TreeParzen lag -> max 0 (trial - lag + 1)
        | _ -> 0

    /// <summary>The values of a trial, one for each setting.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="earlier">The values of as many of the first trials as <c>needed</c> says, the best trial
    /// first.</param>
    /// <param name="trial">The trial's number, from 0.</param>
    let internal values (plan: SweepPlan) (earlier: string list list) (trial: int) : string list =
        match plan.method with
        | SearchMethod.Grid -> combination plan trial
        | SearchMethod.Random -> atRandom plan trial
        | SearchMethod.Sobol -> sobol plan trial
        | SearchMethod.TreeParzen _ when earlier.Length < TreeParzen.leastResults ->
            atRandom plan trial
        | SearchMethod.TreeParzen _ ->
            earlier
            |> List.map (List.map2 SettingRange.positionOf (ranges plan))
            |> TreeParzen.suggest (ranges plan) (draw plan trial)
            |> valuesAt plan

    /// <summary>Combinations of values that are in the plan or near its edges: all trials whose values follow from the
    /// plan alone; otherwise every combination of the listed values and the ends of ranges, or, if there are more than
    /// 10,000, each of these beside the first ones of the other settings.</summary>
    /// <param name="plan">The plan.</param>
    [<CompiledName("Examples")>]
    let examples (plan: SweepPlan) : string list list =
        match plan.method with
        | SearchMethod.TreeParzen _ ->
            let corners = ranges plan |> List.map _.Corners

            if combinations corners <= int64 mostTrials then
                List.foldBack
                    (fun values rest -> List.allPairs values rest |> List.map List.Cons)
                    corners
                    [ [] ]
            else
                let first = corners |> List.map List.head

                [
                    for place, values in List.indexed corners do
                        for value in values -> List.updateAt place value first
                ]
                |> List.distinct
        | _ -> List.init plan.trials (values plan [])
