using Pipeline.Learning;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary>The diagrams of an evaluation.</summary>
internal static class EvaluationPictures
{
    /// <summary>Precision, recall and F1 of some classes.</summary>
    public static string Classes(EvaluationReport report, IReadOnlyList<ClassMetrics> classes)
    {
        var chart = new Chart(
            "",
            Axis.Linear("").Within(0, 1),
            Axis.Names(classes.Select(k => VisibleText.Of(report.ClassName(k.Class)))),
            [
                Mark.NewBars("precision", classes.Select(k => k.Precision)),
                Mark.NewBars("recall", classes.Select(k => k.Recall)),
                Mark.NewBars("F1", classes.Select(k => k.F1)),
            ]
        );
        return Picture.ToSvg("classes", 450, 100 + (36 * classes.Count), [chart]);
    }

    /// <summary>The most classes whose curves are drawn.</summary>
    private const int MostCurves = 10;

    /// <summary>The most points of a curve.</summary>
    private const int MostPoints = 400;

    /// <summary>The ROC curves and the precision-recall curves of the classes; null if no class has one.</summary>
    public static string? Thresholds(EvaluationReport report, ClassificationEvaluation figures)
    {
        ClassMetrics[] drawn =
        [
            .. figures
                .Classes.Where(k => !k.Thresholds.IsEmpty && !double.IsNaN(k.AreaUnderRoc))
                .OrderBy(k => k.AreaUnderRoc)
                .Take(MostCurves)
                .OrderBy(k => k.Class),
        ];
        if (drawn.Length == 0)
            return null;
        var roc = new Chart(
            "ROC",
            Axis.Linear("false alarms").Within(0, 1),
            Axis.Linear("found").Within(0, 1),
            [
                Mark.NewGuide("", [(0, 0), (1, 1)]),
                .. drawn.Select(k =>
                    Mark.NewLine(
                        VisibleText.Of(report.ClassName(k.Class)),
                        [(0, 0), .. Some(k).Select(point => (point.FalseAlarmRate, point.Recall))]
                    )
                ),
            ]
        );
        var precision = new Chart(
            "Precision and recall",
            Axis.Linear("found (recall)").Within(0, 1),
            Axis.Linear("right (precision)").Within(0, 1),
            [
                .. drawn.Select(k =>
                    Mark.NewLine(
                        VisibleText.Of(report.ClassName(k.Class)),
                        Some(k).Select(point => (point.Recall, point.Precision))
                    )
                ),
            ]
        );
        return Picture.ToSvg("roc", 460, 420, [roc])
            + Picture.ToSvg("precision-recall", 460, 420, [precision]);
    }

    /// <summary>The most samples that are drawn.</summary>
    private const int MostSamples = 2000;

    /// <summary>Targets over predictions, and what is between them.</summary>
    public static string Residuals(EvaluationReport report, RegressionEvaluation figures)
    {
        var several = figures.Pairs.Length > 1;
        var step = Math.Max(1, figures.Samples * figures.Pairs.Length / MostSamples);
        var series = figures
            .Pairs.Take(MostCurves)
            .Select(
                (pairs, output) =>
                    (
                        Name: several ? VisibleText.Of(report.ClassName(output)) : "",
                        Pairs: pairs
                            .Where((_, sample) => sample % step == 0)
                            .Select(pair => (Target: pair.Item1, Prediction: pair.Item2))
                            .Where(pair => double.IsFinite(pair.Prediction))
                            .ToArray()
                    )
            )
            .ToArray();
        var predictions = series.SelectMany(one => one.Pairs.Select(pair => pair.Prediction));
        var all = predictions.Concat(series.SelectMany(one => one.Pairs.Select(p => p.Target)));
        if (!all.Any())
            return "";
        var targets = new Chart(
            "Numbers over predictions",
            Axis.Linear("prediction"),
            Axis.Linear("number"),
            [
                Mark.NewGuide("", [(all.Min(), all.Min()), (all.Max(), all.Max())]),
                .. series.Select(one =>
                    Mark.NewPoints(one.Name, one.Pairs.Select(p => (p.Prediction, p.Target)))
                ),
            ]
        );
        var residuals = new Chart(
            "Residuals",
            Axis.Linear("prediction"),
            Axis.Linear("number less prediction"),
            [
                Mark.NewGuide("", [(predictions.Min(), 0), (predictions.Max(), 0)]),
                .. series.Select(one =>
                    Mark.NewPoints(
                        one.Name,
                        one.Pairs.Select(p => (p.Prediction, p.Target - p.Prediction))
                    )
                ),
            ]
        );
        return Picture.ToSvg("targets", 460, 420, [targets])
            + Picture.ToSvg("residuals", 460, 420, [residuals]);
    }

    /// <summary>Points of a curve at equal distances, the last one among them.</summary>
    private static IEnumerable<ThresholdPoint> Some(ClassMetrics figures)
    {
        ThresholdPoint[] points = [.. figures.Thresholds];
        var step = Math.Max(1, points.Length / MostPoints);
        return points.Where((_, place) => place % step == 0 || place == points.Length - 1);
    }

    /// <summary>The reliability diagram: accuracy over confidence.</summary>
    public static string Reliability(IReadOnlyList<ReliabilityBin> bins)
    {
        var filled = bins.Where(bin => bin.Count > 0);
        var chart = new Chart(
            "",
            Axis.Linear("confidence").Within(0, 1),
            Axis.Linear("accuracy").Within(0, 1),
            [
                Mark.NewColumns("", filled.Select(bin => (bin.Lower, bin.Upper, bin.Accuracy))),
                Mark.NewGuide("", [(0, 0), (1, 1)]),
                Mark.NewPoints("", filled.Select(bin => (bin.Confidence, bin.Accuracy))),
            ]
        );
        return Picture.ToSvg("reliability", 460, 420, [chart]);
    }
}
