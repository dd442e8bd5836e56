using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>An evaluation as JSON.</summary>
internal static class EvaluationJson
{
    public static byte[] Write(EvaluationReport report) =>
        JsonText.Of(
            new
            {
                report.Model,
                report.Source,
                report.Data,
                report.OtherData,
                report.Leakage,
                Decision = report.Decision is { } decision
                    ? new { Class = report.ClassName(decision.Class), decision.Threshold }
                    : null,
                Figures = FiguresOf(report),
                Importance = report.Importance.Select(column => new
                {
                    Column = column.Name,
                    column.Loss,
                    column.LossDeviation,
                    column.Accuracy,
                    MeanAdded = report.Explanations.MeanSizes.TryGetValue(column.Name, out var size)
                        ? size
                        : double.NaN,
                }),
            }
        );

    private static object? CoverageOf(Evaluation evaluation) =>
        Evaluations.Coverage(evaluation) is { } coverage
            ? new
            {
                coverage.Wanted,
                coverage.Measured,
                coverage.MeanSize,
            }
            : null;

    private static object FiguresOf(EvaluationReport report) =>
        report.Evaluation switch
        {
            Evaluation.Classification { Item: var classes } => new
            {
                classes.Samples,
                classes.Accuracy,
                classes.MacroPrecision,
                classes.MacroRecall,
                classes.MacroF1,
                classes.BalancedAccuracy,
                AreaUnderRoc = classes.MacroAreaUnderRoc,
                classes.BaselineAccuracy,
                classes.Loss,
                classes.CalibrationError,
                Coverage = CoverageOf(report.Evaluation),
                classes.TopK,
                Confusion = Enumerable
                    .Range(0, classes.Classes.Length)
                    .Select(i =>
                        Enumerable
                            .Range(0, classes.Classes.Length)
                            .Select(j => classes.Confusion[i, j])
                    ),
                Classes = classes.Classes.Select(k => new
                {
                    Name = report.ClassName(k.Class),
                    k.Support,
                    k.Predicted,
                    k.Precision,
                    k.Recall,
                    k.F1,
                    k.AreaUnderRoc,
                    k.AveragePrecision,
                }),
                Reliability = classes.Reliability.Select(bin => new
                {
                    bin.Lower,
                    bin.Upper,
                    bin.Count,
                    bin.Confidence,
                    bin.Accuracy,
                }),
                Mistakes = classes.Mistakes.Select(
                    (mistake, place) =>
                        new
                        {
                            mistake.Sample,
                            Expected = report.ClassName(mistake.Expected),
                            Predicted = report.ClassName(mistake.Predicted),
                            mistake.Confidence,
                            mistake.OfExpected,
                            Added = report
                                .Explanations.Mistakes.ElementAtOrDefault(place)
                                ?.Parts.ToDictionary(part => part.Item1, part => part.Item2),
                        }
                ),
            },
            Evaluation.Regression { Item: var numbers } => new
            {
                numbers.Samples,
                numbers.RootMeanSquaredError,
                numbers.MeanAbsoluteError,
                numbers.BaselineError,
                Determination = numbers.RSquared,
                numbers.Loss,
                Coverage = CoverageOf(report.Evaluation),
            },
            _ => new { },
        };
}
