using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>How the loop ended.</summary>
internal enum LoopEnd
{
    /// <summary>All iterations are done.</summary>
    Finished,

    /// <summary>The validation loss has not fallen for long enough (early stopping).</summary>
    Stalled,

    /// <summary>The run was asked to stop.</summary>
    Stopped,

    /// <summary>The loss has diverged.</summary>
    Diverged,

    /// <summary>The loss has diverged, and the network to keep is older than the state that the run was
    /// resumed from.</summary>
    ResumeEarlier,
}

/// <summary>The result of a loop.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Network">The network to keep.</param>
/// <param name="Iteration">The iteration of that network.</param>
/// <param name="ReachedIteration">The steps done: more than <paramref name="Iteration"/> where the run
/// diverged or an earlier network was better.</param>
/// <param name="Position">Where the run would be resumed.</param>
/// <param name="Kept">The figures of the network to keep; null of a run that was stopped.</param>
/// <param name="Divergence">Why the run diverged, if it has.</param>
/// <param name="NotFinite">The first network whose loss is not finite, if there is one.</param>
internal sealed record LoopResult<T>(
    LoopEnd End,
    Network<T> Network,
    long Iteration,
    long ReachedIteration,
    RunPosition<T> Position,
    EpochFigures? Kept = null,
    DivergenceFinding? Divergence = null,
    Network<T>? NotFinite = null
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    public double TrainSeconds => Position.Trained.TotalSeconds;
}
