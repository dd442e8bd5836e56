using System.Globalization;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A place in the logs of a run: how far they were read.</summary>
/// <param name="Steps">Bytes of progress.csv.</param>
/// <param name="Epochs">Bytes of epochs.csv.</param>
/// <param name="Check">A checksum of the bytes of epochs.csv, as a resumed run may write other lines of the same
/// length.</param>
internal readonly record struct RunCursor(long Steps, long Epochs, uint Check)
{
    /// <summary>As a text for addresses.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Steps}-{Epochs}-{Check}");

    /// <summary>The place in a text; the beginning if the text is not one.</summary>
    public static RunCursor Parse(string text) =>
        text.Split('-') is [var steps, var epochs, var check]
        && long.TryParse(steps, NumberStyles.None, CultureInfo.InvariantCulture, out var s)
        && long.TryParse(epochs, NumberStyles.None, CultureInfo.InvariantCulture, out var e)
        && uint.TryParse(check, NumberStyles.None, CultureInfo.InvariantCulture, out var c)
            ? new(s, e, c)
            : default;
}

/// <summary>A run at some time.</summary>
/// <param name="Stored">Its settings.</param>
/// <param name="Summary">Its summary; null without one.</param>
/// <param name="Cursor">Where its logs end.</param>
/// <param name="LastStep">The last logged step, if there is any.</param>
/// <param name="LastEpoch">The last evaluation, if there is any.</param>
/// <param name="Epochs">The evaluations after the place that was asked for: the newest few of them.</param>
/// <param name="IsReset">Whether that place is not one of the logs, because they were cut off: the evaluations are the
/// newest of all.</param>
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
