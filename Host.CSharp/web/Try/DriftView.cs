using System.Globalization;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>How the samples of a model compare with those of its training.</summary>
/// <param name="Sentence">The state in a sentence.</param>
/// <param name="HasDrifted">Whether the last window of samples has moved away from training.</param>
/// <param name="Rows">The features of the last window: name, kind, shift, and the share of samples in the bin that
/// differs most, now and in training.</param>
public sealed record DriftView(
    string Sentence,
    bool HasDrifted,
    IReadOnlyList<IReadOnlyList<string>> Rows
)
{
    /// <summary>The titles of <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> Titles { get; } =
    ["feature", "kind", "shift", "bin that differs most", "samples there", "in training"];

    internal static DriftView Of(DriftState state) =>
        new(
            SentenceOf(state),
            state.Last?.Drifted ?? false,
            [
                .. (state.Last?.Features ?? []).Select(feature =>
                    (IReadOnlyList<string>)
                        [
                            VisibleText.Of(feature.Name),
                            feature.Kind,
                            Percent(feature.Shift),
                            VisibleText.Of(feature.Bin),
                            Percent(feature.Found),
                            Percent(feature.Expected),
                        ]
                ),
            ]
        );

    private static string SentenceOf(DriftState state) =>
        state switch
        {
            { IsWatched: false } =>
                "Not watched: the model's file has no statistics of its training.",
            { Last: null } =>
                $"{Counted.Of(state.Samples, "sample")} so far; the first window ends with {state.Window}.",
            { Last: { Sentence: { } sentence } } => $"Drifted. {VisibleText.Of(sentence)}.",
            { Last: var last } =>
                $"The last {Counted.Of(last.Samples, "sample")} are as in training.",
        };

    private static string Percent(double share) =>
        (100 * share).ToString("F1", CultureInfo.InvariantCulture) + " %";
}
