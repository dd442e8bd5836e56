/// SweepBoard.fs: whoever does what and when, a sweep ends in one board.
module Pipeline.Properties.BoardLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private lengthOfLease = 100L

let private planOf (method: SearchMethod) (trials: int) (rungs: int list) (factor: int) =
    let range low high =
        SettingRange.ofNumbers "x" low high false false (Nullable()) |> orFail

    SweepPlan.create
        [ struct ("x", range 0.0 1.0); struct ("y", range -1.0 1.0) ]
        method
        (Nullable trials)
        rungs
        factor
        7UL
    |> orFail

/// A plan of up to 30 trials and up to three rungs.
let private planFrom (random: Random) =
    planOf
        (match random.Next 3 with
         | 0 -> SearchMethod.Random
         | 1 -> SearchMethod.Sobol
         | _ -> SearchMethod.TreeParzen(random.Next(1, 6)))
        (random.Next(1, 31))
        (List.init (random.Next 4) (fun rung -> rung + 1))
        (random.Next(2, 5))

/// What training with these values gives, as a function of them: some runs diverge, some end early, and some results
/// are equal.
let private train (values: string list) (stage: int) : TrialResult =
    let hash (text: string) =
        (17u, text) ||> Seq.fold (fun hash c -> hash * 31u + uint32 c)

    let of' stage = hash $"{values} {stage:int}"
    let ends stage = of' stage % 11u = 3u
    // After its end a run has the result that it ended with.
    let last = [ 0..stage ] |> List.tryFind ends |> Option.defaultValue stage
    let found = of' last

    {
        Deficit = if found % 13u = 5u then infinity else float (found % 20u)
        Figures = [ struct ("loss", float (found % 20u)); struct ("accuracy", nan) ]
        Iterations = 100L * int64 (last + 1)
        Model = $"{found}"
        HasEnded = ends last
    }

let private record (lease: SweepLease) (board: SweepBoard) =
    let result = train lease.Values lease.Stage

    let struct (next, recorded) =
        SweepBoard.record "worker" lease.Trial lease.Stage 1.5 result board

    next, recorded

/// The board where one worker does one trial after the other.
let private alone (plan: SweepPlan) =
    let rec run board =
        match SweepBoard.take "alone" 0L lengthOfLease board with
        | struct (taken, ValueSome lease) -> run (fst (record lease taken))
        | struct (board, ValueNone) -> board

    run (SweepBoard.start plan)

/// All that may not depend on who did what and when.
let private outcome (board: SweepBoard) =
    board.Trials
    |> List.map (fun trial -> trial.Number, trial.Values, trial.State, trial.Results)

let private recordedOf (board: SweepBoard) : RecordedTrial list = [
    for trial in board.Trials ->
        {
            Number = trial.Number
            Results = trial.Results
            Recorders = trial.Recorders
            Attempts = trial.Attempts
            Worker = trial.Worker
            Seconds = trial.Seconds
        }
]

/// Workers that take, renew, lose, give back and record at random, some of them after their lease has expired or
/// another worker has done the same; and processes that are killed.
let private interleaved (random: Random) (plan: SweepPlan) =
    let mutable board = SweepBoard.start plan
    let mutable now = 0L
    // Leases that workers believe in, also those that have expired.
    let leases = ResizeArray<string * SweepLease>()

    let anyLease () = leases[random.Next leases.Count]

    for _ in 1 .. random.Next 200 do
        match random.Next 9 with
        | 0
        | 1 ->
            let worker = $"worker %d{random.Next 4}"

            match SweepBoard.take worker now lengthOfLease board with
            | struct (taken, ValueSome lease) ->
                board <- taken
                leases.Add(worker, lease)
            | struct (_, ValueNone) -> ()
        | 2
        | 3 when leases.Count > 0 ->
            let worker, lease = anyLease ()
            let next, recorded = record lease board
            Assert.False recorded.IsDifferent
            board <- next

            if random.Next 3 > 0 then
                leases.Remove((worker, lease)) |> ignore
        | 4 when leases.Count > 0 ->
            let worker, lease = anyLease ()
            let struct (next, _) = SweepBoard.renew worker lease now lengthOfLease board
            board <- next
        | 5 when leases.Count > 0 ->
            let worker, lease = anyLease ()
            board <- SweepBoard.release worker lease board
        | 6 -> now <- now + int64 (random.Next 150)
        | 7 when random.Next 5 = 0 ->
            // All processes are killed: what was recorded is left.
            board <- SweepBoard.restore plan (recordedOf board)
            leases.Clear()
        | 7 when random.Next 5 = 0 ->
            // The coordinator is started again, and its workers have not noticed.
            let held = board.Trials |> List.filter _.State.IsLeased
            board <- SweepBoard.restore plan (recordedOf board)

            for trial in held do
                board <- SweepBoard.reinstate trial.Number now lengthOfLease board

            Exactly.equal
                (held |> List.map _.Number)
                (board.Trials |> List.filter _.State.IsLeased |> List.map _.Number)
        | 8 ->
            let gone = $"worker %d{random.Next 4}"
            board <- SweepBoard.releaseGone ((=) gone) board

            Assert.DoesNotContain(
                board.Trials,
                fun trial -> trial.State.IsLeased && trial.Worker = gone
            )
        | _ -> ()

    // The workers that are left do the rest.
    let mutable steps = 0

    while not board.IsDone do
        steps <- steps + 1
        Assert.True(steps <= 1000, "a trial waits for ever")

        match SweepBoard.take "last" now lengthOfLease board with
        | struct (taken, ValueSome lease) -> board <- fst (record lease taken)
        | struct (_, ValueNone) ->
            // Only a lease that has not expired may keep it from being done.
            Assert.Contains(board.Trials, _.State.IsLeased)
            now <- now + lengthOfLease + 1L

    board

[<Law(MaxTest = 300)>]
let ``any interleaving of the coordinator's operations ends in one board`` (Seed seed) =
    let random = Random(int seed)
    let plan = planFrom random
    let expected = outcome (alone plan)
    let board = interleaved random plan
    Assert.True((outcome board = expected), $"%A{outcome board}\nand alone\n%A{expected}")
    Assert.Empty board.Differences
    Assert.All(board.Trials, (fun trial -> Assert.True trial.IsSettled))

[<Law(MaxTest = 100)>]
let ``a trial goes on exactly if it is among the best of the trials up to it`` (Seed seed) =
    let random = Random(int seed)

    let plan =
        planOf
            SearchMethod.Random
            (random.Next(1, 40))
            (List.init (random.Next 4) (fun rung -> rung + 1))
            (random.Next(2, 5))

    let result trial stage =
        train (SweepPlan.values plan [] trial) stage

    let isFinite trial stage =
        Double.IsFinite (result trial stage).Deficit

    // By its definition, however slowly: trial j reaches a stage if it goes on from the stage before.
    let rec reaches trial stage =
        stage = 0 || (reaches trial (stage - 1) && goesOn trial (stage - 1))

    and goesOn trial stage =
        let came = [ 0..trial ] |> List.filter (fun other -> reaches other stage)

        let order =
            came
            |> List.sortBy (fun other ->
                (if isFinite other stage then
                     (result other stage).Deficit
                 else
                     infinity),
                other)

        let places = int (ceil (float came.Length / float plan.Factor))
        isFinite trial stage && List.contains trial (List.truncate places order)

    for trial in (alone plan).Trials do
        let reached =
            [ 0 .. plan.Rungs.Length ] |> List.filter (reaches trial.Number) |> List.length

        Exactly.equal reached trial.Results.Length

        Exactly.equal
            (reached = plan.Rungs.Length + 1 && isFinite trial.Number plan.Rungs.Length)
            trial.State.IsDone

[<Law(MaxTest = 30)>]
let ``the values of TPE's trial j do not depend on results after trial j − lag`` (Seed seed) =
    let random = Random(int seed)
    let lag = random.Next(1, 8)
    let plan = planOf (SearchMethod.TreeParzen lag) 40 [ 1; 2 ] 3
    let trial = random.Next(15, 40)

    /// The values of all trials up to this one, where later results than those it may depend on are changed.
    let values change =
        let rec run board =
            match SweepBoard.take "worker" 0L lengthOfLease board with
            | struct (taken, ValueSome lease) ->
                let result = train lease.Values lease.Stage

                let result =
                    if change && lease.Trial > trial - lag then
                        {
                            result with
                                Deficit = 100.0 - result.Deficit
                        }
                    else
                        result

                let struct (next, _) =
                    SweepBoard.record "worker" lease.Trial lease.Stage 1.0 result taken

                run next
            | struct (board, ValueNone) -> board

        (run (SweepBoard.start plan)).Trials
        |> List.take (trial + 1)
        |> List.map _.Values

    Assert.Equal<string list list>(values false, values true)

[<Fact>]
let ``as many trials of TPE can run at the same time as the lag says`` () =
    for lag in 1..6 do
        let mutable board = SweepBoard.start (planOf (SearchMethod.TreeParzen lag) 30 [] 2)

        let takeAll () =
            let leases = ResizeArray<SweepLease>()
            let mutable isTaking = true

            while isTaking do
                match SweepBoard.take "worker" 0L lengthOfLease board with
                | struct (taken, ValueSome lease) ->
                    board <- taken
                    leases.Add lease
                | struct (_, ValueNone) -> isTaking <- false

            leases

        let leases = takeAll ()
        Exactly.equal lag leases.Count
        // Each result frees one more.
        board <- fst (record leases[0] board)
        Exactly.equal 1 (takeAll ()).Count

[<Fact>]
let ``an expired lease goes to the next worker, and the first worker loses it`` () =
    let board = SweepBoard.start (planOf SearchMethod.Random 1 [] 2)

    let taken worker now board =
        match SweepBoard.take worker now lengthOfLease board with
        | struct (board, ValueSome lease) -> board, lease
        | _ -> failwith "nothing to do"

    let board, first = taken "one" 0L board
    // It lasts until then.
    Assert.True(
        (let struct (_, lease) = SweepBoard.take "two" lengthOfLease lengthOfLease board in
         lease.IsNone)
    )

    let struct (board, isHeld) = SweepBoard.renew "one" first 50L lengthOfLease board
    Assert.True isHeld

    Assert.True(
        (let struct (_, lease) = SweepBoard.take "two" 140L lengthOfLease board in lease.IsNone)
    )

    let board, second = taken "two" 151L board
    Exactly.equal 2 second.Attempt
    let struct (same, isHeld) = SweepBoard.renew "one" first 152L lengthOfLease board
    Assert.False isHeld
    Assert.Equal(board, same)
    Assert.Equal(board, SweepBoard.release "one" first board)
    // Its result is as good as the other's.
    let board, recorded = record first board
    Assert.True recorded.IsNew
    Assert.True board.IsDone
    let board, recorded = record second board
    Assert.True recorded.IsKnown
    Assert.Empty board.Differences

[<Fact>]
let ``the leases of a worker that no longer exists end, and those of others do not`` () =
    let board = SweepBoard.start (planOf SearchMethod.Random 2 [] 2)

    let taken worker board =
        match SweepBoard.take worker 0L lengthOfLease board with
        | struct (board, ValueSome lease) -> board, lease
        | _ -> failwith "nothing to do"

    let board, first = taken "one" board
    let board, second = taken "two" board
    let board = SweepBoard.releaseGone ((=) "one") board

    let isHeld worker lease =
        let struct (_, isHeld) = SweepBoard.renew worker lease 1L lengthOfLease board
        isHeld

    Assert.False(isHeld "one" first)
    Assert.True(isHeld "two" second)
    let board, third = taken "two" board
    Exactly.equal 0 third.Trial
    Exactly.equal 2 third.Attempt
    // Nothing waits that could be leased again.
    Assert.Equal(board, SweepBoard.reinstate 0 1L lengthOfLease board)

[<Fact>]
let ``a reinstated lease is the one that the worker has, and trials that nobody took stay free``
    ()
    =
    let plan = planOf SearchMethod.Random 2 [] 2

    match SweepBoard.take "one" 0L lengthOfLease (SweepBoard.start plan) with
    | struct (_, ValueNone) -> failwith "nothing to do"
    | struct (board, ValueSome lease) ->
        let restored = SweepBoard.restore plan (recordedOf board)
        let board = SweepBoard.reinstate 0 500L lengthOfLease restored
        let struct (_, isHeld) = SweepBoard.renew "one" lease 501L lengthOfLease board
        Assert.True isHeld
        Assert.Equal(TrialState.Leased("one", 500L + lengthOfLease), board.Trials[0].State)
        Assert.Equal(board, SweepBoard.reinstate 1 500L lengthOfLease board)

[<Law>]
let ``an unequal result for the same trial and stage is an alarm, and the first one stays``
    (Seed seed)
    =
    let random = Random(int seed)
    let plan = planFrom random
    let board = alone plan
    let trial = board.Trials[random.Next board.Trials.Length]
    let stage = random.Next trial.Results.Length
    let known = trial.Results[stage]

    let other =
        match random.Next 4 with
        | 0 -> { known with Model = known.Model + "0" }
        | 1 -> { known with Deficit = -1.0 }
        | 2 -> {
            known with
                Iterations = known.Iterations + 1L
          }
        | _ -> {
            known with
                HasEnded = not known.HasEnded
          }

    let struct (alarmed, recorded) =
        SweepBoard.record "another" trial.Number stage 1.0 other board

    Assert.True recorded.IsDifferent
    let sentence = Assert.Single alarmed.Differences
    Assert.Contains($"Trial %d{trial.Number}, rung %d{stage + 1}:", sentence)
    Assert.Contains($"worker found the model {known.Model},", sentence)
    Assert.Contains($"another the model {other.Model}.", sentence)
    Assert.True((outcome alarmed = outcome board))

[<Law>]
let ``what was recorded restores the board, whatever had been taken`` (Seed seed) =
    let random = Random(int seed)
    let plan = planFrom random
    let mutable board = SweepBoard.start plan

    for _ in 1 .. random.Next 60 do
        match SweepBoard.take "worker" 0L lengthOfLease board with
        | struct (taken, ValueSome lease) ->
            board <-
                if random.Next 3 > 0 then
                    fst (record lease taken)
                else
                    taken
        | struct (_, ValueNone) -> ()

    let without (board: SweepBoard) =
        outcome board
        |> List.map (fun (number, values, state, results) ->
            number,
            values,
            (match state with
             | TrialState.Leased _ -> TrialState.Waiting
             | other -> other),
            results)

    // In any order.
    let recorded = recordedOf board |> List.randomShuffleWith random
    let restored = SweepBoard.restore plan recorded
    Assert.True((without restored = without board))

    Exactly.equal
        (board.Trials
         |> List.map (fun trial -> trial.Attempts, trial.Worker, trial.Seconds))
        (restored.Trials
         |> List.map (fun trial -> trial.Attempts, trial.Worker, trial.Seconds))

[<Fact>]
let ``a caller's slip is refused`` () =
    let board = SweepBoard.start (planOf SearchMethod.Random 3 [ 1 ] 2)
    let result = train [ "a" ] 0

    for number, stage in [ 3, 0; -1, 0; 0, 1; 0, -1 ] do
        Assert.Throws<ArgumentException>(fun () ->
            SweepBoard.record "worker" number stage 1.0 result board |> ignore)
        |> ignore

    let recorded count = {
        Number = 0
        Results = List.replicate count result
        Recorders = []
        Attempts = 1
        Worker = ""
        Seconds = 0.0
    }

    Assert.Throws<ArgumentException>(fun () ->
        SweepBoard.restore board.Plan [ recorded 3 ] |> ignore)
    |> ignore

[<Fact>]
let ``the best trial is the one with the lowest deficit among those that ran to their end`` () =
    let board = alone (planOf SearchMethod.Random 30 [ 1; 2 ] 3)
    let last (trial: SweepTrial) = (List.last trial.Results).Deficit

    let expected =
        board.Trials
        |> List.filter _.State.IsDone
        |> List.minBy (fun t -> last t, t.Number)

    match SweepBoard.best board with
    | ValueSome best -> Exactly.equal expected.Number best.Number
    | ValueNone -> failwith "no best trial"

    Exactly.equal expected.Number (SweepBoard.ranking board).Head.Number
    Assert.True((SweepBoard.best (SweepBoard.start board.Plan)).IsNone)

[<Fact>]
let ``a sweep of a function in C# finds about where it is lowest`` () =
    let board = Pipeline.CSharp.Sweeps.Minimise(40, (fun x -> (x - 0.3) * (x - 0.3)))
    Assert.True board.IsDone

    match SweepBoard.best board with
    | ValueSome best -> Assert.InRange(float best.Values.Head, 0.27, 0.33)
    | ValueNone -> failwith "no best trial"
