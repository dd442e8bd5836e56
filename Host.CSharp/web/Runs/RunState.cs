using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>Places in the logs of a run: bytes up to the next line.</summary>
internal readonly record struct RunCursor(long Steps, long Epochs);

/// <summary>A run at some time.</summary>
/// <param name="Stored">Its settings.</param>
/// <param name="Summary">Its summary; null without one.</param>
/// <param name="Cursor">Where its logs end.</param>
/// <param name="LastStep">The last logged step, if there is any.</param>
/// <param name="LastEpoch">The last evaluation, if there is any.</param>
/// <param name="Epochs">The evaluations after the place that was asked for: the newest few of them.</param>
/// <param name="IsReset">Whether that place is not one of the logs, which were cut off: the evaluations are the newest
/// of all.</param>
/// <param name="News">When its logs were last written, in UTC.</param>
internal sealed record RunState(
    StoredRun Stored,
    RunSummary? Summary,
    RunCursor Cursor,
    StepFigures? LastStep,
    EpochFigures? LastEpoch,
    IReadOnlyList<EpochFigures> Epochs,
    bool IsReset,
    DateTime News
)
{
    /// <summary>The most evaluations at once.</summary>
    public const int MostEpochs = 20;

    /// <summary>Whether the run ended; it may be resumed.</summary>
    public bool HasEnded => Summary is not null;
}
