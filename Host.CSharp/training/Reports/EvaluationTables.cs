using Pipeline.Learning;
using Pipeline.Learning.Interop;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>The tables of an evaluation.</summary>
internal sealed class EvaluationTables(EvaluationReport report)
{
    /// <summary>The largest number of classes in a confusion matrix.</summary>
    public const int MostInMatrix = 20;

    private const int MostConfusions = 15;

    /// <summary>Pairs of classes, the most frequently confused first.</summary>
    public static IEnumerable<(int Expected, int Predicted, int Count)> Confusions(
        ClassificationEvaluation figures
    ) =>
        from expected in Enumerable.Range(0, figures.Classes.Length)
        from predicted in Enumerable.Range(0, figures.Classes.Length)
        let count = figures.Confusion[expected, predicted]
        where predicted != expected && count > 0
        orderby count descending
        select (expected, predicted, count);

    /// <summary>The figures in one line each.</summary>
    public ReportTable Figures =>
        new(
            "Figures",
            ["figure", "value"],
            report.Evaluation switch
            {
                Evaluation.Classification { Item: var classes } =>
                [
                    ["samples", ReportTable.Count(classes.Samples)],
                    ["accuracy", ReportTable.Number(classes.Accuracy)],
                    [
                        $"accuracy of always {report.ClassName(classes.MostFrequent.Class)}",
                        ReportTable.Number(classes.BaselineAccuracy),
                    ],
                    ["balanced accuracy", ReportTable.Number(classes.BalancedAccuracy)],
                    ["area under the ROC curve", ReportTable.Number(classes.MacroAreaUnderRoc)],
                    ["macro precision", ReportTable.Number(classes.MacroPrecision)],
                    ["macro recall", ReportTable.Number(classes.MacroRecall)],
                    ["macro F1", ReportTable.Number(classes.MacroF1)],
                    ["loss: " + Heads.LossName(report.Head), ReportTable.Number(classes.Loss)],
                    ["expected calibration error", ReportTable.Number(classes.CalibrationError)],
                    .. Coverage("classes in a set"),
                    .. classes.TopK.Select(
                        (share, place) =>
                            (IReadOnlyList<string>)
                                [$"top-{place + 1} accuracy", ReportTable.Number(share)]
                    ),
                ],
                Evaluation.Regression { Item: var numbers } =>
                [
                    ["samples", ReportTable.Count(numbers.Samples)],
                    [
                        "root mean squared error",
                        ReportTable.Number(numbers.RootMeanSquaredError, "G6"),
                    ],
                    [
                        "root mean squared error of always the mean",
                        ReportTable.Number(numbers.BaselineError, "G6"),
                    ],
                    ["mean absolute error", ReportTable.Number(numbers.MeanAbsoluteError, "G6")],
                    ["R²", ReportTable.Number(numbers.RSquared)],
                    .. Coverage("width of an interval"),
                    ["loss (half the squared error)", ReportTable.Number(numbers.Loss, "G6")],
                ],
                _ => [],
            }
        );

    private IEnumerable<IReadOnlyList<string>> Coverage(string size) =>
        Evaluations.Coverage(report.Evaluation) is { } coverage
            ?
            [
                [
                    $"coverage ({ReportTable.Number(coverage.Wanted, "R")} wanted)",
                    ReportTable.Number(coverage.Measured),
                ],
                [size, ReportTable.Number(coverage.MeanSize, "G5")],
            ]
            : [];

    public ReportTable Top(ClassificationEvaluation figures) =>
        new(
            "Top-k accuracy",
            ["its class is among the", "share"],
            [
                .. figures.TopK.Select(
                    (share, place) =>
                        (IReadOnlyList<string>)
                            [
                                place == 0 ? "first answer" : $"first {place + 1} answers",
                                ReportTable.Number(share),
                            ]
                ),
            ]
        );

    public ReportTable Classes(ClassificationEvaluation figures) =>
        new(
            "Classes",
            ["class", "samples", "predicted", "precision", "recall", "F1", "AUC", "AP"],
            [
                .. figures.Classes.Select(k =>
                    (IReadOnlyList<string>)
                        [
                            report.ClassName(k.Class),
                            ReportTable.Count(k.Support),
                            ReportTable.Count(k.Predicted),
                            ReportTable.Number(k.Precision),
                            ReportTable.Number(k.Recall),
                            ReportTable.Number(k.F1),
                            ReportTable.Number(k.AreaUnderRoc),
                            ReportTable.Number(k.AveragePrecision),
                        ]
                ),
            ]
        );

    /// <summary>The confusion matrix; for many classes, the most frequent confusions.</summary>
    public ReportTable Confusion(ClassificationEvaluation figures)
    {
        var classes = Enumerable.Range(0, figures.Classes.Length);
        return figures.Classes.Length <= MostInMatrix
            ? new(
                "Confusion: the class in rows, the answer in columns",
                ["class", .. classes.Select(report.ClassName)],
                [
                    .. classes.Select(expected =>
                        (IReadOnlyList<string>)
                            [
                                report.ClassName(expected),
                                .. classes.Select(predicted =>
                                    ReportTable.Count(figures.Confusion[expected, predicted])
                                ),
                            ]
                    ),
                ]
            )
            : new(
                "Most frequent confusions",
                ["class", "taken for", "times"],
                [
                    .. Confusions(figures)
                        .Take(MostConfusions)
                        .Select(pair =>
                            (IReadOnlyList<string>)
                                [
                                    report.ClassName(pair.Expected),
                                    report.ClassName(pair.Predicted),
                                    ReportTable.Count(pair.Count),
                                ]
                        ),
                ]
            );
    }

    public ReportTable Reliability(ClassificationEvaluation figures) =>
        new(
            "Reliability",
            ["confidence", "samples", "mean confidence", "accuracy"],
            [
                .. figures
                    .Reliability.Where(bin => bin.Count > 0)
                    .Select(bin =>
                        (IReadOnlyList<string>)
                            [
                                Invariant($"{bin.Lower:F2} to {bin.Upper:F2}"),
                                ReportTable.Count(bin.Count),
                                ReportTable.Number(bin.Confidence),
                                ReportTable.Number(bin.Accuracy),
                            ]
                    ),
            ]
        );

    public ReportTable Mistakes(ClassificationEvaluation figures) =>
        new(
            "Most confident mistakes",
            [
                "test sample",
                "class",
                "taken for",
                "confidence",
                "confidence in its class",
                .. report.Explanations.Mistakes.Count > 0
                    ? new[] { "what columns add to the answer" }
                    : [],
            ],
            [
                .. figures.Mistakes.Select(
                    (mistake, place) =>
                        (IReadOnlyList<string>)
                            [
                                ReportTable.Count(mistake.Sample),
                                report.ClassName(mistake.Expected),
                                report.ClassName(mistake.Predicted),
                                ReportTable.Number(mistake.Confidence),
                                ReportTable.Number(mistake.OfExpected),
                                .. report
                                    .Explanations.Mistakes.Skip(place)
                                    .Take(1)
                                    .Select(ColumnExplanations.InWords),
                            ]
                ),
            ]
        );

    /// <summary>How much worse the predictions get if a column's values are shuffled among the samples.</summary>
    public ReportTable Importance =>
        new(
            "Importance: the change if a column is shuffled, and what the column adds to an answer",
            ["column", "loss", "deviation", "accuracy", "mean |added|"],
            [
                .. report.Importance.Select(column =>
                    (IReadOnlyList<string>)
                        [
                            column.Name,
                            LossOf(column.Loss),
                            LossOf(column.LossDeviation),
                            ReportTable.Number(-column.Accuracy),
                            ReportTable.Number(
                                report.Explanations.MeanSizes.GetValueOrDefault(
                                    column.Name,
                                    double.NaN
                                ),
                                "G4"
                            ),
                        ]
                ),
            ]
        );

    /// <summary>A change of the loss; that of numbers to predict may be of any size.</summary>
    private string LossOf(double change) =>
        report.Evaluation.IsClassification
            ? ReportTable.Number(change)
            : ReportTable.Number(change, "G4");

    /// <summary>All tables of the evaluation.</summary>
    public IEnumerable<ReportTable> All
    {
        get
        {
            yield return Figures;
            if (report.Importance.Count > 0)
                yield return Importance;
            if (report.Evaluation is not Evaluation.Classification { Item: var figures })
                yield break;
            yield return Classes(figures);
            yield return Confusion(figures);
            if (!figures.Reliability.IsEmpty)
                yield return Reliability(figures);
            if (!figures.Mistakes.IsEmpty)
                yield return Mistakes(figures);
        }
    }
}
