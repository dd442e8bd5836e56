using System.Text;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What a cross-validation found: the figures of each fold, and their mean and spread.</summary>
/// <param name="Source">The file of the rows.</param>
/// <param name="Division">How rows were divided, in words.</param>
/// <param name="Results">The results of all folds of all seeds.</param>
internal sealed record CrossValidationReport(
    string Source,
    string Division,
    IReadOnlyList<FoldResult> Results
)
{
    /// <summary>A figure over all folds and seeds.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Format">The format of its numbers.</param>
    /// <param name="Values">One for each result; NaN where a fold has none.</param>
    private sealed record Figure(string Name, string Format, double[] Values)
    {
        private double[] Known => [.. Values.Where(value => !double.IsNaN(value))];

        public double Mean => Known is { Length: > 0 } known ? known.Average() : double.NaN;

        /// <summary>The standard deviation, the sum of squares divided by one less than their number.</summary>
        public double Deviation =>
            Known is { Length: > 1 } known
                ? Math.Sqrt(
                    known.Sum(value => (value - Mean) * (value - Mean)) / (known.Length - 1)
                )
                : double.NaN;

        public double Lowest => Known is { Length: > 0 } known ? known.Min() : double.NaN;

        public double Highest => Known is { Length: > 0 } known ? known.Max() : double.NaN;
    }

    private IReadOnlyList<Figure> Figures
    {
        get
        {
            var all = Results.Select(result => Evaluations.Metrics(result.Evaluation)).ToArray();
            var isOfClasses = Results[0].Evaluation.IsClassification;
            var format = isOfClasses ? "F4" : "G6";
            return
            [
                .. Enumerable
                    .Range(0, all[0].Length)
                    .Select(place => new Figure(
                        MetricText.Of(all[0][place].Item1),
                        all[0][place].Item1.IsRSquared ? "F4" : format,
                        [.. all.Select(figures => figures[place].Item2)]
                    )),
                .. Coverages(isOfClasses),
                new(
                    isOfClasses
                        ? "accuracy of always the most frequent class"
                        : "root mean squared error of always the mean",
                    format,
                    [.. Results.Select(result => BaselineOf(result.Evaluation))]
                ),
            ];
        }
    }

    /// <summary>What the sets or intervals cover, if the models have them.</summary>
    private IEnumerable<Figure> Coverages(bool areSets)
    {
        var coverages = Results.Select(result => Evaluations.Coverage(result.Evaluation)).ToArray();
        return coverages.Any(coverage => coverage is not null)
            ?
            [
                new(
                    "coverage",
                    "F4",
                    [.. coverages.Select(coverage => coverage?.Measured ?? double.NaN)]
                ),
                new(
                    areSets ? "classes in a set" : "width of an interval",
                    "G5",
                    [.. coverages.Select(coverage => coverage?.MeanSize ?? double.NaN)]
                ),
            ]
            : [];
    }

    private static double BaselineOf(Evaluation evaluation) =>
        evaluation switch
        {
            Evaluation.Classification { Item: var classes } => classes.BaselineAccuracy,
            Evaluation.Regression { Item: var numbers } => numbers.BaselineError,
            _ => double.NaN,
        };

    private string Title => $"Cross-validation of {Results[0].Network} on {Source}";

    /// <summary>The figures of each fold.</summary>
    private ReportTable Folds
    {
        get
        {
            var figures = Figures.SkipLast(1).ToArray();
            return new(
                "Folds",
                [
                    "fold",
                    "seed",
                    "training rows",
                    "test rows",
                    .. figures.Select(figure => figure.Name),
                ],
                [
                    .. Results.Select(
                        (result, place) =>
                            (IReadOnlyList<string>)
                                [
                                    $"{result.Fold}",
                                    $"{result.Seed}",
                                    ReportTable.Count(result.Training),
                                    ReportTable.Count(result.Test),
                                    .. figures.Select(figure =>
                                        ReportTable.Number(figure.Values[place], figure.Format)
                                    ),
                                ]
                    ),
                ]
            );
        }
    }

    /// <summary>The mean and the spread of each figure.</summary>
    private ReportTable Spread =>
        new(
            "Over all folds",
            ["figure", "mean", "deviation", "lowest", "highest"],
            [
                .. Figures.Select(figure =>
                    (IReadOnlyList<string>)
                        [
                            figure.Name,
                            ReportTable.Number(figure.Mean, figure.Format),
                            ReportTable.Number(figure.Deviation, figure.Format),
                            ReportTable.Number(figure.Lowest, figure.Format),
                            ReportTable.Number(figure.Highest, figure.Format),
                        ]
                ),
            ]
        );

    public string ToText() =>
        $"{VisibleText.Of(Title)}\n{VisibleText.Of(Division)}\n\n{Folds.ToText()}\n{Spread.ToText()}";

    public string ToMarkdown() =>
        $"# {MarkdownText.Of(Title)}\n\n{MarkdownText.Of(Division)}\n\n{Folds.ToMarkdown()}\n{Spread.ToMarkdown()}";

    public string ToJson() =>
        Encoding.UTF8.GetString(
            JsonText.Of(
                new
                {
                    Results[0].Network,
                    Source,
                    Division,
                    Folds = Results.Select(result => new
                    {
                        result.Fold,
                        result.Seed,
                        TrainingRows = result.Training,
                        TestRows = result.Test,
                        result.Iteration,
                        TrainSeconds = Math.Round(result.TrainSeconds, 4),
                        Figures = Evaluations
                            .Metrics(result.Evaluation)
                            .ToDictionary(
                                figure =>
                                    JsonNamingPolicy.SnakeCaseLower.ConvertName($"{figure.Item1}"),
                                figure => figure.Item2
                            ),
                        Baseline = BaselineOf(result.Evaluation),
                        Coverage = Evaluations.Coverage(result.Evaluation)?.Measured,
                    }),
                    Figures = Figures.Select(figure => new
                    {
                        figure.Name,
                        figure.Mean,
                        figure.Deviation,
                        figure.Lowest,
                        figure.Highest,
                    }),
                }
            )
        );
}
