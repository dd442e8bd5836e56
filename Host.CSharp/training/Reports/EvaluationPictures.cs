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
