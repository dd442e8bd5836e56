namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open Pipeline.Learning

/// The values that a sweep tries for a setting.
[<AbstractClass; Sealed>]
type SettingRanges =
    /// <summary>Values that are listed, or a fault where the list is empty or a value occurs twice.</summary>
    /// <param name="name">The setting, for messages.</param>
    /// <param name="values">The values as a setting's texts.</param>
    static member OfTexts(name: string, values: string seq) : Result<SettingRange, Fault list> =
        SettingRange.ofTexts name values

    /// <summary>Numbers from one to another, or everything that is wrong with them.</summary>
    /// <param name="name">The setting, for messages.</param>
    /// <param name="low">The smallest number.</param>
    /// <param name="high">The greatest number.</param>
    /// <param name="isLogarithmic">Whether each doubling is as likely as any other.</param>
    /// <param name="isWhole">Whether only whole numbers are tried.</param>
    /// <param name="steps">How many numbers a grid tries.</param>
    static member OfNumbers
        (
            name: string,
            low: float,
            high: float,
            isLogarithmic: bool,
            isWhole: bool,
            steps: Nullable<int>
        ) : Result<SettingRange, Fault list> =
        SettingRange.ofNumbers name low high isLogarithmic isWhole steps

    /// <summary>The position of a value in its range, 0 to 1.</summary>
    /// <exception cref="T:System.ArgumentException">The value is not of the range.</exception>
    static member PositionOf(range: SettingRange, value: string) : float =
        SettingRange.positionOf range value

/// Plans of sweeps.
[<AbstractClass; Sealed>]
type SweepPlans =
    /// <summary>The plan, or everything that is wrong with it.</summary>
    /// <param name="space">The settings that are varied, each with its values.</param>
    /// <param name="method">How values are chosen.</param>
    /// <param name="trials">The number of trials; null for a grid.</param>
    /// <param name="rungs">The epochs after which trials are compared.</param>
    /// <param name="factor">One of how many trials goes on from a rung.</param>
    /// <param name="seed">The seed of the values.</param>
    static member Create
        (
            space: struct (string * SettingRange) seq,
            method: SearchMethod,
            trials: Nullable<int>,
            rungs: int seq,
            factor: int,
            seed: uint64
        ) : Result<SweepPlan, Fault list> =
        SweepPlan.create space method trials rungs factor seed

    /// <summary>The settings that are varied, each with its values.</summary>
    static member Space(plan: SweepPlan) : IReadOnlyList<struct (string * SettingRange)> = [
        for name, range in SweepPlan.space plan -> struct (name, range)
    ]

    /// <summary>Combinations of values to check before the first trial: all of them where they are known.</summary>
    static member Examples(plan: SweepPlan) : IReadOnlyList<IReadOnlyList<string>> = [
        for values in SweepPlan.examples plan -> values
    ]

/// The coordinator of a sweep.
[<AbstractClass; Sealed>]
type SweepBoards =
    /// <summary>A result of a stage.</summary>
    /// <param name="deficit">How far the goal is from the best possible, lower for a better trial.</param>
    /// <param name="figures">Named figures.</param>
    /// <param name="iterations">The iterations that the trial has done.</param>
    /// <param name="model">The SHA-256 of the model.</param>
    /// <param name="hasEnded">Whether the run has ended.</param>
    static member Result
        (
            deficit: float,
            figures: struct (string * float) seq,
            iterations: int64,
            model: string,
            hasEnded: bool
        ) : TrialResult = {
        Deficit = deficit
        Figures = List.ofSeq figures
        Iterations = iterations
        Model = model
        HasEnded = hasEnded
    }

    /// <summary>The board before the first trial.</summary>
    static member Start(plan: SweepPlan) : SweepBoard = SweepBoard.start plan

    /// <summary>The board of a sweep of which an earlier process has recorded results.</summary>
    /// <exception cref="T:System.ArgumentException">There is no such trial, or it has more results than
    /// stages.</exception>
    static member Restore(plan: SweepPlan, known: RecordedTrial seq) : SweepBoard =
        SweepBoard.restore plan known

    /// <summary>Takes the first trial that waits or whose lease has expired.</summary>
    /// <param name="worker">The worker's name.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long the lease is, in milliseconds.</param>
    /// <param name="board">The board; it is replaced.</param>
    /// <param name="lease">The stage to run.</param>
    /// <returns>Whether there is a stage to run now.</returns>
    static member TryTake
        (
            worker: string,
            now: int64,
            length: int64,
            board: byref<SweepBoard>,
            [<Out>] lease: byref<SweepLease>
        ) : bool =
        let struct (next, found) = SweepBoard.take worker now length board
        board <- next

        match found with
        | ValueSome taken ->
            lease <- taken
            true
        | ValueNone -> false

    /// <summary>Makes a lease last longer.</summary>
    /// <param name="worker">The worker's name.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long the lease is from now on, in milliseconds.</param>
    /// <param name="board">The board; it is replaced.</param>
    /// <returns>Whether the lease is still the worker's.</returns>
    static member TryRenew
        (worker: string, lease: SweepLease, now: int64, length: int64, board: byref<SweepBoard>)
        : bool =
        let struct (next, isHeld) = SweepBoard.renew worker lease now length board
        board <- next
        isHeld

    /// <summary>A lease, as it is sent to another machine and back.</summary>
    /// <param name="trial">The trial's number.</param>
    /// <param name="attempt">Which of the trial's attempts it is, from 1.</param>
    /// <param name="stage">The stage, from 0.</param>
    /// <param name="epoch">The epoch at which the stage ends; null for the last stage.</param>
    /// <param name="values">The trial's values.</param>
    static member Lease
        (trial: int, attempt: int, stage: int, epoch: Nullable<int>, values: string seq)
        : SweepLease = {
        Trial = trial
        Attempt = attempt
        Stage = stage
        Epoch = ValueOption.ofNullable epoch
        Values = List.ofSeq values
    }

    /// <summary>Gives a trial back whose stage is not done.</summary>
    static member Release(worker: string, lease: SweepLease, board: SweepBoard) : SweepBoard =
        SweepBoard.release worker lease board

    /// <summary>Ends the leases of workers that no longer exist.</summary>
    /// <param name="isGone">Whether a worker no longer exists.</param>
    /// <param name="board">The board.</param>
    static member ReleaseGone(isGone: Func<string, bool>, board: SweepBoard) : SweepBoard =
        ArgumentNullException.ThrowIfNull isGone
        SweepBoard.releaseGone isGone.Invoke board

    /// <summary>Leases a trial again to the worker that took it last, after a restart of the coordinator.</summary>
    /// <param name="number">The trial's number.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long the lease is, in milliseconds.</param>
    /// <param name="board">The board.</param>
    /// <exception cref="T:System.ArgumentException">There is no such trial.</exception>
    static member Reinstate
        (number: int, now: int64, length: int64, board: SweepBoard)
        : SweepBoard =
        SweepBoard.reinstate number now length board

    /// <summary>Records the result of a stage.</summary>
    /// <param name="worker">The name of the worker that found it.</param>
    /// <param name="lease">The stage.</param>
    /// <param name="seconds">The seconds that the work took.</param>
    /// <param name="result">The result.</param>
    /// <param name="board">The board; it is replaced.</param>
    /// <exception cref="T:System.ArgumentException">There is no such trial, or an earlier stage has no
    /// result.</exception>
    static member Record
        (
            worker: string,
            lease: SweepLease,
            seconds: float,
            result: TrialResult,
            board: byref<SweepBoard>
        ) : RecordedResult =
        let struct (next, recorded) =
            SweepBoard.record worker lease.Trial lease.Stage seconds result board

        board <- next
        recorded

    /// <summary>The trials with results, the best first.</summary>
    static member Ranking(board: SweepBoard) : IReadOnlyList<SweepTrial> = SweepBoard.ranking board

    /// <summary>The best trial that has run to its end; null before the first one has.</summary>
    static member Best(board: SweepBoard) : SweepTrial | null =
        match SweepBoard.best board with
        | ValueSome trial -> trial
        | ValueNone -> null

    /// <summary>For each setting, the share of the differences between trials that it explains.</summary>
    static member Influence(board: SweepBoard) : IReadOnlyList<struct (string * float)> =
        SettingInfluence.ofBoard board
