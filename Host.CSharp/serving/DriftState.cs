using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Serving;

/// <summary>What is known of the drift of a model's samples.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Sha256">The SHA-256 of its file.</param>
/// <param name="IsWatched">Whether samples are counted: a file without statistics of training has nothing to compare them
/// with.</param>
/// <param name="Window">The samples of a window.</param>
/// <param name="Samples">The samples of the window that has begun.</param>
/// <param name="Last">The last whole window; null before the first.</param>
internal sealed record DriftState(
    string Name,
    string Sha256,
    bool IsWatched,
    int Window,
    long Samples,
    DriftWindow? Last
)
{
    public static DriftState Of(ServedModel served, ServingOptions options)
    {
        var model = served.Current;
        var watch = model.Watch;
        return new(
            served.Name,
            model.Sha256,
            watch is not null,
            options.DriftWindow,
            watch?.Samples ?? 0,
            watch?.Last is { } last ? WindowOf(last) : null
        );
    }

    /// <summary>How a feature has moved, in a sentence.</summary>
    public static string Sentence(FeatureDrift feature, long samples) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{feature.Name}: {100 * feature.Found:0.#} % of {samples} samples are {feature.Bin}, in training {100 * feature.Expected:0.#} %"
        );

    private static DriftWindow WindowOf(WindowReport window)
    {
        var report = window.Report;
        var most = report.Most.OrNull();
        return new(
            window.Ended,
            report.Samples,
            most is not null,
            most?.Name,
            most is null ? null : Sentence(most, report.Samples),
            [
                .. report.Features.Select(feature => new DriftFeature(
                    feature.Name,
                    feature.IsAnswer ? "answer" : "input",
                    feature.HasDrifted,
                    feature.Shift,
                    feature.PValue,
                    feature.Bin,
                    feature.Expected,
                    feature.Found
                )),
            ]
        );
    }
}

/// <summary>A window of samples that has ended.</summary>
/// <param name="Ended">When.</param>
/// <param name="Samples">Its samples.</param>
/// <param name="Drifted">Whether a feature has moved away from training.</param>
/// <param name="Most">The feature that has moved most; null if none has drifted.</param>
/// <param name="Sentence">How it has moved; null if none has drifted.</param>
/// <param name="Features">All features, those of the inputs first.</param>
internal sealed record DriftWindow(
    DateTimeOffset Ended,
    long Samples,
    bool Drifted,
    string? Most,
    string? Sentence,
    IReadOnlyList<DriftFeature> Features
);

/// <summary>A feature of a window.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Input or answer.</param>
/// <param name="Drifted">Whether it has drifted.</param>
/// <param name="Shift">The share of samples that are in other bins than in training.</param>
/// <param name="PValue">The probability of such a difference in a window of samples as in training, multiplied by the
/// number of all bins.</param>
/// <param name="Bin">The bin whose share differs most.</param>
/// <param name="Expected">Its share in training.</param>
/// <param name="Found">Its share in the window.</param>
internal sealed record DriftFeature(
    string Name,
    string Kind,
    bool Drifted,
    double Shift,
    double PValue,
    string Bin,
    double Expected,
    double Found
);
