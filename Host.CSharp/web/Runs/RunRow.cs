namespace Pipeline.Web;

/// <summary>The best figures of a run so far, on some samples.</summary>
/// <param name="Loss">The lowest loss; null before the first evaluation.</param>
/// <param name="Accuracy">The highest accuracy; null before the first evaluation and for predicted numbers.</param>
public sealed record BestFigures(double? Loss, double? Accuracy)
{
    public static BestFigures None { get; } = new(null, null);

    /// <summary>The better of each figure.</summary>
    internal BestFigures And(double? loss, double? accuracy) =>
        new(
            loss is { } low && double.IsFinite(low) && !(Loss <= low) ? low : Loss,
            accuracy is { } high && double.IsFinite(high) && !(Accuracy >= high) ? high : Accuracy
        );
}

/// <summary>A run in the list.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="Began">When it began, in UTC; null if its folder's name does not say so.</param>
/// <param name="Outcome">Its outcome; null without a summary.</param>
/// <param name="Data">The name of its data.</param>
/// <param name="Network">Its layers.</param>
/// <param name="Epochs">The last epoch after which it was evaluated.</param>
/// <param name="Validation">The best figures on validation samples.</param>
/// <param name="Test">The best figures on the test set.</param>
/// <param name="Seconds">Seconds of training.</param>
/// <param name="News">When its files were last written, in UTC.</param>
public sealed record RunRow(
    string Id,
    DateTime? Began,
    string? Outcome,
    string Data,
    string Network,
    long? Epochs,
    BestFigures Validation,
    BestFigures Test,
    double? Seconds,
    DateTime News
)
{
    /// <summary>A run without a summary counts as running if its files were written this recently; whether a process
    /// works on it cannot be seen without disturbing it.</summary>
    private static readonly TimeSpan Recently = TimeSpan.FromMinutes(2);

    /// <summary>The end of its folder's name, after the time.</summary>
    public string Name =>
        Began is not null && Id.IndexOf('-') is > 0 and var dash ? Id[(dash + 1)..] : Id;

    /// <summary>Its outcome, or whether it is likely to be running.</summary>
    public string Status(DateTime now) => StatusOf(Outcome, News, now);

    internal static string StatusOf(string? outcome, DateTime news, DateTime now) =>
        outcome ?? (now - news < Recently ? "running" : "unfinished");
}
