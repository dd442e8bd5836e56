namespace Pipeline.Learning

open System

/// Whether a run's loss is usable.
[<RequireQualifiedAccess>]
type RunHealth =
    /// The loss is finite and not far above the first one.
    | Healthy
    /// The loss of the newest step is not a finite number: that of the network before the step.
    | NotFinite
    /// The loss of the newest step is finite, that of the network after it is not.
    | NotFiniteAfterStep
    /// The mean loss of the newest epoch is more than ten times the first loss.
    | TooHigh

    /// The case's name.
    override health.ToString() =
        match health with
        | Healthy -> nameof Healthy
        | NotFinite -> nameof NotFinite
        | NotFiniteAfterStep -> nameof NotFiniteAfterStep
        | TooHigh -> nameof TooHigh

/// The iterations that a run has passed in this process.
type RunSpan = {
    /// The iteration that it started or was resumed at.
    Start: int64
    /// The newest iteration.
    Reached: int64
    /// Iterations in an epoch.
    EpochLength: int64
}

/// What a run does after a step or an epoch.
[<RequireQualifiedAccess>]
type DivergenceDecision =
    /// It continues.
    | Continue
    /// It ends as diverged and keeps the network of this iteration.
    | Keep of iteration: int64
    /// It has diverged, and the network to keep is older than the state it was resumed from: it is resumed
    /// again, from an older checkpoint or from the beginning.
    | ResumeEarlier

    /// The case's name, and what belongs to it.
    override decision.ToString() =
        match decision with
        | Continue -> nameof Continue
        | Keep iteration -> invariant $"Keep {iteration}"
        | ResumeEarlier -> nameof ResumeEarlier

/// <summary>Detecting that a run diverges, and choosing the network that a diverged run keeps.</summary>
[<RequireQualifiedAccess>]
module Divergence =
    /// An epoch whose mean loss is more than this many times the first loss is too high.
    let private highest = 10.0

    /// <summary>The health of a run after a step.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="state">The state after the step.</param>
    [<CompiledName("Health")>]
    let health
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (state: TrainingState<'T>)
        : RunHealth =
        let each = int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize)

        if state.Iteration > 0L && not (Double.IsFinite state.Loss) then
            RunHealth.NotFinite
        elif
            state.Iteration > 0L
            && state.Iteration % each = 0L
            && state.EpochLoss / float each > highest * state.FirstLoss
        then
            RunHealth.TooHigh
        else
            RunHealth.Healthy

    /// <summary>The health of a run whose last step was healthy.</summary>
    /// <param name="loss">The training loss of the network after that step.</param>
    [<CompiledName("HealthAfter")>]
    let healthAfter (loss: float) : RunHealth =
        if Double.IsFinite loss then
            RunHealth.Healthy
        else
            RunHealth.NotFiniteAfterStep

    /// <summary>What a run does. A diverged run keeps the last network whose loss is known to be finite or,
    /// where the mean loss of an epoch is too high, the network from which that epoch started.</summary>
    /// <param name="span">The iterations that the run has passed.</param>
    /// <param name="health">Its health at the newest of them.</param>
    /// <remarks>The loss of step k is that of the network of iteration k − 1. If it is not finite, that
    /// network is the first bad one and the network of iteration k − 2 the last good one; the network of
    /// iteration 0 is kept where there is no good one.</remarks>
    [<CompiledName("Decide")>]
    let decide (span: RunSpan) (health: RunHealth) : DivergenceDecision =
        let keep iteration =
            if span.Start > 0L && iteration < span.Start then
                DivergenceDecision.ResumeEarlier
            else
                DivergenceDecision.Keep(max 0L iteration)

        match health with
        | RunHealth.Healthy -> DivergenceDecision.Continue
        | RunHealth.NotFinite -> keep (span.Reached - 2L)
        | RunHealth.NotFiniteAfterStep -> keep (span.Reached - 1L)
        | RunHealth.TooHigh -> keep (span.Reached - span.EpochLength)
