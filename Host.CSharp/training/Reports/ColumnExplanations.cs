using System.Globalization;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Why rows of a table got their answers, by integrated gradients.</summary>
/// <param name="MeanSizes">How much each column adds to an answer or takes from it, the mean over test samples.</param>
/// <param name="Mistakes">What each column adds to the wrong answer, for each listed mistake.</param>
internal sealed record ColumnExplanations(
    IReadOnlyDictionary<string, double> MeanSizes,
    IReadOnlyList<Attribution> Mistakes
)
{
    /// <summary>The most test samples whose explanations are averaged.</summary>
    public const int MostSamples = 200;

    /// <summary>The columns that are named for a mistake.</summary>
    private const int MostColumns = 3;

    public static ColumnExplanations None { get; } = new(new Dictionary<string, double>(), []);

    public static ColumnExplanations Of<T>(
        Model<T> model,
        TableEncoding encoding,
        Evaluation evaluation,
        Dataset<T> test
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        // Some samples at equal distances.
        var step = (test.Count + MostSamples - 1) / MostSamples;
        int[] some = [.. Enumerable.Range(0, test.Count).Where(sample => sample % step == 0)];
        var outputs = Network.Probabilities(model.Network, Dataset.Select(some, test));
        var parts = some.SelectMany(
            (sample, column) =>
                Explain(
                    sample,
                    evaluation.IsClassification
                        ? Decisions.Answer(
                            model.Decision.OrNull(),
                            [.. outputs.Column(column).Select(double.CreateTruncating)]
                        )
                        : 0
                ).Parts
        );
        return new(
            parts
                .GroupBy(part => part.Item1, part => Math.Abs(part.Item2))
                .ToDictionary(column => column.Key, column => column.Average()),
            evaluation is Evaluation.Classification { Item: var figures }
                ?
                [
                    .. figures.Mistakes.Select(mistake =>
                        Explain(mistake.Sample, mistake.Predicted)
                    ),
                ]
                : []
        );

        Attribution Explain(int sample, int output) =>
            Evaluations.Attribution(
                output,
                encoding,
                model.Network,
                Dataset.Take([sample], test).Inputs.Column(0)
            );
    }

    /// <summary>The columns that add most to an answer or take most from it.</summary>
    public static string InWords(Attribution explanation) =>
        string.Join(
            ", ",
            explanation
                .Parts.OrderByDescending(part => Math.Abs(part.Item2))
                .Take(MostColumns)
                .Select(part =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{part.Item1} {(part.Item2 < 0 ? '−' : '+')}{Math.Abs(part.Item2):F2}"
                    )
                )
        );
}
