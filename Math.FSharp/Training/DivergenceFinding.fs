namespace Pipeline.Learning

open System

/// Why a run diverged, and the network that it keeps.
type DivergenceFinding = {
    /// The cause: any but <c>Healthy</c>.
    Health: RunHealth
    /// The iteration at which the run ended.
    Reached: int64
    /// The iteration of the network that is kept.
    Kept: int64
    /// The run's learning rate.
    LearningRate: float
} with

    /// The finding, and what helps against it.
    override finding.ToString() =
        let cause, kept =
            match finding.Health with
            | RunHealth.TooHigh ->
                "the mean loss of an epoch is above ten times the first loss",
                "where that epoch started"
            | _ -> "the loss is no longer a finite number", "the last one whose loss was finite"

        invariant
            $"The run diverged at iteration {finding.Reached}: {cause}. The model of iteration {finding.Kept}, {kept}, is kept. Lower the learning rate, now {finding.LearningRate}."
