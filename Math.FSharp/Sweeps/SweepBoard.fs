namespace Pipeline.Learning

open System

/// What a trial has reached at the end of a stage. The same settings give the same result on every machine.
type TrialResult = {
    /// How far the goal is from the best possible, lower for a better trial; infinite where the loss
    /// diverged.
    Deficit: float
    /// Named figures, all of them finite.
    Figures: struct (string * float) list
    /// The iterations that the trial has done.
    Iterations: int64
    /// The SHA-256 of the model.
    Model: string
    /// Whether the run has ended: a later stage has the same result.
    HasEnded: bool
}

/// What is to happen with a trial.
[<RequireQualifiedAccess>]
type TrialState =
    /// Its values depend on results that are not there yet.
    | Unplanned
    /// It can be taken by a worker.
    | Waiting
    /// A worker has it, until some time.
    | Leased of worker: string * expires: int64
    /// Results of earlier trials are missing to decide whether it goes on.
    | Undecided
    /// It is worse than others, or its loss diverged.
    | Stopped
    /// It has run to its end.
    | Done

    /// The case's name, and what belongs to it.
    override state.ToString() =
        match state with
        | Unplanned -> nameof Unplanned
        | Waiting -> nameof Waiting
        | Leased(worker, expires) -> invariant $"Leased ({worker}, {expires})"
        | Undecided -> nameof Undecided
        | Stopped -> nameof Stopped
        | Done -> nameof Done

/// A trial of a sweep.
type SweepTrial = {
    /// Its number, from 0.
    Number: int
    /// Its values, one for each setting of the plan; empty while they are not known.
    Values: string list
    /// What is to happen with it.
    State: TrialState
    /// Its result after each stage so far.
    Results: TrialResult list
    /// The worker that recorded each of these results; a shorter list where that is not known of the last ones.
    Recorders: string list
    /// How often a worker has taken it.
    Attempts: int
    /// The worker that took it last; empty before the first.
    Worker: string
    /// The seconds that recorded work has taken.
    Seconds: float
} with

    /// Whether nothing more happens with it.
    member trial.IsSettled = trial.State.IsStopped || trial.State.IsDone

/// What was recorded of a trial.
type RecordedTrial = {
    /// Its number, from 0.
    Number: int
    /// Its result after each stage so far.
    Results: TrialResult seq
    /// The worker that recorded each of these results; fewer where that is not known of the last ones.
    Recorders: string seq
    /// How often a worker has taken it.
    Attempts: int
    /// The worker that took it last; empty before the first.
    Worker: string
    /// The seconds that recorded work has taken.
    Seconds: float
}

/// The trials of a sweep, and what is known of them.
type SweepBoard = private {
    /// <exclude/>
    plan: SweepPlan
    /// <exclude/>
    trials: SweepTrial list
    /// <exclude/>
    differences: string list
} with

    /// What is tried.
    member board.Plan = board.plan
    /// The trials in the order of their numbers.
    member board.Trials: SweepTrial list = board.trials
    /// Sentences about trials of which two workers found different results, which must not happen.
    member board.Differences: string list = board.differences
    /// Whether all trials are settled.
    member board.IsDone = board.trials |> List.forall _.IsSettled

/// A stage of a trial that a worker has taken.
type SweepLease = {
    /// The trial's number.
    Trial: int
    /// Which of the trial's attempts it is, from 1.
    Attempt: int
    /// The stage, from 0.
    Stage: int
    /// The epoch at which the stage ends; no value for the last stage, which ends with the run.
    Epoch: int voption
    /// The trial's values, one for each setting of the plan.
    Values: string list
}

/// What a recorded result was.
[<RequireQualifiedAccess>]
type RecordedResult =
    /// The first of its stage.
    | New
    /// The same as the one that was there.
    | Known
    /// Another than the one that was there: two machines, programs or data differ.
    | Different of sentence: string

    /// The case's name, and what belongs to it.
    override result.ToString() =
        match result with
        | New -> nameof New
        | Known -> nameof Known
        | Different sentence -> invariant $"Different {sentence}"

/// <summary>The coordinator of a sweep: every operation returns a new board. Which worker takes what and when changes
/// no decision: a trial's values and whether it goes on depend on the results of trials before it.</summary>
[<RequireQualifiedAccess>]
module SweepBoard =
    /// Inserts a number into sorted ones, behind those that are equal.
    /// <returns>Its place.</returns>
    let private insert (number: float) (sorted: ResizeArray<float>) : int =
        let mutable first = 0
        let mutable last = sorted.Count

        while first < last do
            let middle = (first + last) / 2

            if sorted[middle] <= number then
                first <- middle + 1
            else
                last <- middle

        sorted.Insert(first, number)
        first

    /// The result where a diverged loss is infinite and figures that are not numbers are left out: then equal
    /// results are equal.
    let private comparable (result: TrialResult) : TrialResult = {
        result with
            Deficit =
                if Double.IsFinite result.Deficit then
                    result.Deficit
                else
                    infinity
            Figures =
                result.Figures |> List.filter (fun struct (_, figure) -> Double.IsFinite figure)
    }

    /// A trial's order among others: the one that went further, then the better one, then the earlier one.
    let private rank (trial: SweepTrial) =
        let deficit =
            List.tryLast trial.Results
            |> Option.map _.Deficit
            |> Option.defaultValue infinity

        struct (-trial.Results.Length, deficit, trial.Number)

    /// The state that follows from results, and from a lease if there is one. <c>deficits</c> has those of earlier
    /// trials for each stage, sorted, and gets this one's; <c>isComplete</c> says for each stage whether all earlier trials that
    /// reach it are there.
    let private decide
        (plan: SweepPlan)
        (deficits: ResizeArray<float>[])
        (isComplete: bool[])
        (trial: SweepTrial)
        : SweepTrial =
        let mutable results = trial.Results
        let mutable state = ValueNone
        let mutable stage = 0

        let unfinished () =
            match trial.State with
            | TrialState.Leased _ when results.Length = trial.Results.Length -> trial.State
            | _ -> TrialState.Waiting

        while state.IsNone do
            if stage = results.Length then
                state <- ValueSome(unfinished ())
            else
                let result = results[stage]

                let place = insert result.Deficit deficits[stage]

                if not (Double.IsFinite result.Deficit) then
                    state <- ValueSome TrialState.Stopped
                elif stage = plan.Rungs.Length then
                    state <- ValueSome TrialState.Done
                elif not isComplete[stage] then
                    state <- ValueSome TrialState.Undecided
                // One of every factor-th of those that have come here goes on.
                elif place >= (deficits[stage].Count + plan.Factor - 1) / plan.Factor then
                    state <- ValueSome TrialState.Stopped
                else
                    if result.HasEnded && results.Length = stage + 1 then
                        results <- results @ [ result ]

                    stage <- stage + 1

        let decided = {
            trial with
                Results = results
                State = state.Value
        }

        if not decided.IsSettled then
            let first = if decided.State.IsUndecided then stage + 1 else stage

            for later in first .. isComplete.Length - 1 do
                isComplete[later] <- false

        decided

    /// The trials with the values of all for which the results are there that they depend on.
    let private suggest (plan: SweepPlan) (decided: SweepTrial list) : SweepTrial list =
        let settled = decided |> List.takeWhile _.IsSettled |> List.length
        let trials = Array.ofList decided

        for number in 0 .. trials.Length - 1 do
            let needed = SweepPlan.needed plan number

            if trials[number].Values.IsEmpty then
                trials[number] <-
                    if needed <= settled then
                        let earlier = trials[.. needed - 1] |> List.ofArray |> List.sortBy rank

                        {
                            trials[number] with
                                Values = SweepPlan.values plan (earlier |> List.map _.Values) number
                        }
                    else
                        {
                            trials[number] with
                                State = TrialState.Unplanned
                        }

        List.ofArray trials

    /// What follows from the results: which trials go on, and the values of further trials.
    let private settle (board: SweepBoard) : SweepBoard =
        let stages = SweepPlan.stages board.plan
        let deficits = Array.init stages (fun _ -> ResizeArray<float>())
        let isComplete = Array.create stages true

        {
            board with
                trials =
                    board.trials
                    |> List.map (decide board.plan deficits isComplete)
                    |> suggest board.plan
        }

    /// <summary>The board of a sweep before its first trial.</summary>
    /// <param name="plan">The plan.</param>
    [<CompiledName("Start")>]
    let start (plan: SweepPlan) : SweepBoard =
        settle {
            plan = plan
            trials = [
                for number in 0 .. plan.Trials - 1 ->
                    {
                        Number = number
                        Values = []
                        State = TrialState.Waiting
                        Results = []
                        Recorders = []
                        Attempts = 0
                        Worker = ""
                        Seconds = 0.0
                    }
            ]
            differences = []
        }

    let private requireTrial (number: int) (board: SweepBoard) : SweepTrial =
        if number < 0 || number >= board.trials.Length then
            invalidArg
                (nameof number)
                (invariant $"expected a trial of 0 to {board.trials.Length - 1}, found {number}")

        board.trials[number]

    let private replace (trial: SweepTrial) (board: SweepBoard) : SweepBoard = {
        board with
            trials = List.updateAt trial.Number trial board.trials
    }

    /// <summary>Takes the first trial that waits or whose lease has expired.</summary>
    /// <param name="worker">The worker's name.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long the lease is, in milliseconds, unless it is renewed.</param>
    /// <param name="board">The board.</param>
    /// <returns>The new board and the stage to run; no stage where there is nothing to do now.</returns>
    [<CompiledName("Take")>]
    let take
        (worker: string)
        (now: int64)
        (length: int64)
        (board: SweepBoard)
        : struct (SweepBoard * SweepLease voption) =
        let isFree (trial: SweepTrial) =
            match trial.State with
            | TrialState.Waiting -> true
            | TrialState.Leased(_, expires) -> expires < now
            | _ -> false

        match List.tryFind isFree board.trials with
        | None -> struct (board, ValueNone)
        | Some trial ->
            let taken = {
                trial with
                    State = TrialState.Leased(worker, now + length)
                    Attempts = trial.Attempts + 1
                    Worker = worker
            }

            let stage = trial.Results.Length

            let lease = {
                Trial = trial.Number
                Attempt = taken.Attempts
                Stage = stage
                Epoch =
                    List.tryItem stage board.plan.Rungs
                    |> Option.map ValueSome
                    |> Option.defaultValue ValueNone
                Values = trial.Values
            }

            struct (replace taken board, ValueSome lease)

    /// Whether a lease is still the worker's.
    let private isHeld (worker: string) (lease: SweepLease) (trial: SweepTrial) : bool =
        trial.Attempts = lease.Attempt
        && (match trial.State with
            | TrialState.Leased(holder, _) -> holder = worker
            | _ -> false)

    /// <summary>Makes a lease last longer.</summary>
    /// <param name="worker">The worker's name.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long the lease is from now on, in milliseconds.</param>
    /// <param name="board">The board.</param>
    /// <returns>The new board, and whether the lease is still the worker's.</returns>
    [<CompiledName("Renew")>]
    let renew
        (worker: string)
        (lease: SweepLease)
        (now: int64)
        (length: int64)
        (board: SweepBoard)
        : struct (SweepBoard * bool) =
        let trial = requireTrial lease.Trial board

        if isHeld worker lease trial then
            let renewed = {
                trial with
                    State = TrialState.Leased(worker, now + length)
            }

            struct (replace renewed board, true)
        else
            struct (board, false)

    /// <summary>Gives a trial back whose stage is not done; nothing changes if the lease is not the worker's any
    /// more.</summary>
    /// <param name="worker">The worker's name.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="board">The board.</param>
    [<CompiledName("Release")>]
    let release (worker: string) (lease: SweepLease) (board: SweepBoard) : SweepBoard =
        let trial = requireTrial lease.Trial board

        if isHeld worker lease trial then
            replace
                {
                    trial with
                        State = TrialState.Waiting
                }
                board
        else
            board

    /// The worker that recorded the result of a stage.
    let private recorderOf (trial: SweepTrial) (stage: int) : string =
        match List.tryItem stage trial.Recorders, List.tryLast trial.Recorders with
        | Some worker, _
        | None, Some worker -> worker
        | None, None -> "A worker"

    /// <summary>Ends the leases of workers that no longer exist: their trials wait.</summary>
    /// <param name="isGone">Whether a worker no longer exists.</param>
    /// <param name="board">The board.</param>
    [<CompiledName("ReleaseGone")>]
    let releaseGone (isGone: string -> bool) (board: SweepBoard) : SweepBoard = {
        board with
            trials =
                board.trials
                |> List.map (fun trial ->
                    match trial.State with
                    | TrialState.Leased(worker, _) when isGone worker -> {
                        trial with
                            State = TrialState.Waiting
                      }
                    | _ -> trial)
    }

    /// <summary>Leases a trial again to the worker that took it last, as the same attempt: after a restart of the
    /// coordinator, which keeps no leases. Nothing changes unless the trial waits and a worker has taken it.</summary>
    /// <param name="number">The trial's number.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long the lease is, in milliseconds, unless it is renewed.</param>
    /// <param name="board">The board.</param>
    /// <exception cref="T:System.ArgumentException">There is no such trial.</exception>
    [<CompiledName("Reinstate")>]
    let reinstate (number: int) (now: int64) (length: int64) (board: SweepBoard) : SweepBoard =
        let trial = requireTrial number board

        if trial.State.IsWaiting && trial.Attempts > 0 then
            replace
                {
                    trial with
                        State = TrialState.Leased(trial.Worker, now + length)
                }
                board
        else
            board

    /// <summary>Records the result of a stage, whoever found it and whether or not its lease has expired. The first result
    /// counts; a different one is an alarm.</summary>
    /// <param name="worker">The name of the worker that found it.</param>
    /// <param name="number">The trial's number.</param>
    /// <param name="stage">The stage, from 0.</param>
    /// <param name="seconds">The seconds that the work took.</param>
    /// <param name="result">The result.</param>
    /// <param name="board">The board.</param>
    /// <returns>The new board, and what the result was.</returns>
    /// <exception cref="T:System.ArgumentException">There is no such trial, or an earlier stage has no
    /// result.</exception>
    [<CompiledName("Record")>]
    let record
        (worker: string)
        (number: int)
        (stage: int)
        (seconds: float)
        (result: TrialResult)
        (board: SweepBoard)
        : struct (SweepBoard * RecordedResult) =
        let trial = requireTrial number board

        let result = comparable result

        if stage < 0 || stage > min trial.Results.Length board.plan.Rungs.Length then
            invalidArg
                (nameof stage)
                (invariant
                    $"expected a stage of 0 to {min trial.Results.Length board.plan.Rungs.Length}, found {stage}")

        if stage = trial.Results.Length then
            let recorded = {
                trial with
                    Results = trial.Results @ [ result ]
                    // A run that has ended has results of later stages that nobody recorded.
                    Recorders = List.init stage (recorderOf trial) @ [ worker ]
                    State = TrialState.Undecided
                    Seconds = trial.Seconds + seconds
            }

            struct (settle (replace recorded board), RecordedResult.New)
        elif trial.Results[stage] = result then
            struct (board, RecordedResult.Known)
        else
            let known = trial.Results[stage]

            let sentence =
                invariant
                    $"Trial {number}, rung {stage + 1}: two results differ, which equal programs with equal data do not find. {recorderOf trial stage} found the model {known.Model}, {worker} the model {result.Model}."

            struct ({
                        board with
                            differences = board.differences @ [ sentence ]
                    },
                    RecordedResult.Different sentence)

    /// <summary>The board of a sweep of which an earlier process has recorded results.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="known">What was recorded, each trial once; the others have not been taken.</param>
    /// <exception cref="T:System.ArgumentException">There is no such trial, or it has more results than
    /// stages.</exception>
    [<CompiledName("Restore")>]
    let restore (plan: SweepPlan) (known: RecordedTrial seq) : SweepBoard =
        let board = start plan
        let trials = Array.ofList board.trials

        for trial in known do
            let results = trial.Results |> Seq.map comparable |> List.ofSeq

            if results.Length > SweepPlan.stages plan then
                invalidArg
                    (nameof known)
                    (invariant
                        $"expected {SweepPlan.stages plan} results or fewer, found {results.Length}")

            trials[(requireTrial trial.Number board).Number] <- {
                board.trials[trial.Number] with
                    Results = results
                    Recorders = List.ofSeq trial.Recorders
                    Attempts = trial.Attempts
                    Worker = trial.Worker
                    Seconds = trial.Seconds
            }

        settle {
            board with
                trials = List.ofArray trials
        }

    /// <summary>The trials with results, the best first: those that went further, then those with the lower deficit, then
    /// those with the lower number.</summary>
    /// <param name="board">The board.</param>
    [<CompiledName("Ranking")>]
    let ranking (board: SweepBoard) : SweepTrial list =
        board.trials
        |> List.filter (fun trial -> not trial.Results.IsEmpty)
        |> List.sortBy rank

    /// <summary>The best of the trials that have run to their end, if there is one.</summary>
    /// <param name="board">The board.</param>
    [<CompiledName("Best")>]
    let best (board: SweepBoard) : SweepTrial voption =
        match ranking board |> List.tryFind _.State.IsDone with
        | Some trial -> ValueSome trial
        | None -> ValueNone
