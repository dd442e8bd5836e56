using System.Globalization;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using static Pipeline.Training.HtmlParts;

namespace Pipeline.Training;

/// <summary>An evaluation as one self-contained HTML page.</summary>
internal static class EvaluationHtml
{
    /// <summary>The most classes whose bars are drawn.</summary>
    private const int MostClasses = 40;

    private const string StyleSheet = "Pipeline.Training.evaluation.css";

    public static byte[] Write(EvaluationReport report)
    {
        var page = new StringBuilder();
        page.Append(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <title>{Text(report.Title)}</title>
            <style>
            {Style()}
            </style>
            </head>
            <body>
            <main>
            <h1>{Text(report.Title)}</h1>
            <p class="soft">Model {Text(report.Source)}<br />Test samples of {Text(report.Data)}</p>

            """
        );
        Cards(page, report);
        Section(page, "Summary", "", List(report.Sentences));
        if (report.Evaluation is Evaluation.Classification { Item: var figures })
            Classes(page, report, figures);
        if (report.Evaluation is Evaluation.Regression { Item: var numbers })
        {
            Section(
                page,
                "Residuals",
                "Each dot is a test sample. Left, the number over its prediction: on the dashed line they are equal. Right, their difference: dots that curve or spread show what the network has not learned.",
                $"<div class=\"row\">{EvaluationPictures.Residuals(report, numbers)}</div>"
            );
        }
        if (report.Importance.Count > 0)
        {
            Section(
                page,
                "Importance",
                "How the loss and the accuracy change if a column's values are shuffled among the test samples. Columns that say the same share their importance. The last column is how much the column adds to an answer or takes from it (integrated gradients, compared with a row whose inputs are all 0), the mean over test samples.",
                Table(report.Tables.Importance)
            );
        }
        ImageExplanationHtml.Append(page, report);
        FirstLayerHtml.Append(page, report.Weights);
        page.Append(
            $"""
            <footer>Pipeline {Text(
                RunFolder.Version ?? ""
            )}. Precision: the share of the predictions of a class that are right. Recall: the share of its samples that are predicted right. F1: the harmonic mean of the two. Macro: the mean over the classes that have samples or predictions; the precision of a class that is never predicted counts 0.</footer>
            </main>
            </body>
            </html>

            """
        );
        return Encoding.UTF8.GetBytes(page.ToString());
    }

    private static void Cards(StringBuilder page, EvaluationReport report)
    {
        (string Name, string Value)[] cards = report.Evaluation switch
        {
            Evaluation.Classification { Item: var classes } =>
            [
                ("accuracy", Percent(classes.Accuracy, "F2")),
                (
                    $"accuracy of always {report.ClassName(classes.MostFrequent.Class)}",
                    Percent(classes.BaselineAccuracy, "F2")
                ),
                ("macro F1", ReportTable.Number(classes.MacroF1)),
                ("area under the ROC curve", ReportTable.Number(classes.MacroAreaUnderRoc)),
                (Heads.LossName(report.Head), ReportTable.Number(classes.Loss)),
                ("expected calibration error", Percent(classes.CalibrationError, "F2")),
                ("test samples", ReportTable.Count(classes.Samples)),
            ],
            Evaluation.Regression { Item: var numbers } =>
            [
                ("root mean squared error", ReportTable.Number(numbers.RootMeanSquaredError, "G5")),
                ("error of always the mean", ReportTable.Number(numbers.BaselineError, "G5")),
                ("mean absolute error", ReportTable.Number(numbers.MeanAbsoluteError, "G5")),
                ("R²", ReportTable.Number(numbers.RSquared)),
                ("test samples", ReportTable.Count(numbers.Samples)),
            ],
            _ => [],
        };
        page.Append("<div class=\"cards\">\n");
        foreach (var (name, value) in cards)
            page.Append(
                $"<div class=\"card\"><b>{Text(value)}</b><span>{Text(name)}</span></div>\n"
            );
        page.Append("</div>\n");
    }

    private static void Classes(
        StringBuilder page,
        EvaluationReport report,
        ClassificationEvaluation figures
    )
    {
        if (figures.Classes.Length <= EvaluationTables.MostInMatrix)
        {
            Section(
                page,
                "Confusion",
                "Rows are the samples' classes, columns the predicted ones. Correct predictions are blue, wrong ones orange; darker cells hold more of the row.",
                $"<div class=\"row\">{Heat(report, figures)}{Table(report.Tables.Top(figures))}</div>"
            );
        }
        else
        {
            var confusions = report.Tables.Confusion(figures);
            Section(page, confusions.Title, "", Table(confusions));
        }
        ClassMetrics[] drawn =
        [
            .. figures
                .Classes.OrderBy(k => double.IsNaN(k.F1) ? -1 : k.F1)
                .Take(MostClasses)
                .OrderBy(k => k.Class),
        ];
        Section(
            page,
            "Class by class",
            figures.Classes.Length > drawn.Length
                ? $"The {drawn.Length} classes with the lowest F1 are drawn."
                : "",
            $"<div class=\"row\">{EvaluationPictures.Classes(report, drawn)}{Table(report.Tables.Classes(figures))}</div>"
        );
        if (EvaluationPictures.Thresholds(report, figures) is { } curves)
        {
            Section(
                page,
                "Thresholds",
                "What each threshold for a class's probability finds. ROC: the share of the class's samples that are found over the share of other samples taken for it; the dashed line is guessing. Precision and recall: the share of the answers that are right over the share of the class's samples that are found.",
                $"<div class=\"row\">{curves}</div>"
            );
        }
        if (!figures.Reliability.IsEmpty)
        {
            Section(
                page,
                "Reliability",
                "Answers are grouped by confidence. Bars that end on the dashed line mean that 80 % of the answers with 80 % confidence are right; below the line the network is over-confident, above it under-confident. Dots stand at each group's mean confidence.",
                $"<div class=\"row\">{EvaluationPictures.Reliability([.. figures.Reliability])}{Table(report.Tables.Reliability(figures))}</div>"
            );
        }
        if (!figures.Mistakes.IsEmpty)
        {
            Section(
                page,
                "The most confident mistakes",
                report.Explanations.Mistakes.Count > 0
                    ? "Often these are ambiguous samples or wrong labels. What columns add to the probability of the answer is compared with a row whose inputs are all 0."
                    : "Often these are ambiguous samples or wrong labels.",
                report.Pictures.Count > 0
                    ? Mistakes(report, figures)
                    : Table(report.Tables.Mistakes(figures))
            );
        }
    }

    private static string Heat(EvaluationReport report, ClassificationEvaluation figures)
    {
        var classes = Enumerable.Range(0, figures.Classes.Length);
        var heat = new StringBuilder("<table class=\"heat\"><thead><tr><th></th>");
        foreach (var predicted in classes)
            heat.Append($"<th>{Text(report.ClassName(predicted))}</th>");
        heat.Append("</tr></thead><tbody>\n");
        foreach (var expected in classes)
        {
            heat.Append($"<tr><th>{Text(report.ClassName(expected))}</th>");
            var support = Math.Max(1, figures.Classes[expected].Support);
            foreach (var predicted in classes)
            {
                var count = figures.Confusion[expected, predicted];
                var share = (double)count / support;
                // Mistakes are rare: the square root makes them visible.
                var (color, strength) =
                    expected == predicted
                        ? ((31, 95, 153), share)
                        : ((205, 92, 20), Math.Sqrt(share));
                heat.Append(Cell(color, strength, count == 0 ? "" : ReportTable.Count(count)));
            }
            heat.Append("</tr>\n");
        }
        return heat.Append("</tbody></table>").ToString();
    }

    private static string Mistakes(EvaluationReport report, ClassificationEvaluation figures)
    {
        var tiles = figures
            .Mistakes.Zip(report.Pictures)
            .Select(pair =>
            {
                var (mistake, picture) = pair;
                return Figure(
                    PngWriter.OfBytes(picture),
                    $"test sample {mistake.Sample}",
                    $"<b>{Text(report.ClassName(mistake.Expected))}</b> taken for <b>{Text(report.ClassName(mistake.Predicted))}</b><br />{Percent(mistake.Confidence, "F1")} sure"
                );
            });
        return Tiles("mistakes", PngWriter.SizeOf(report.Pictures[0].Size), tiles);
    }

    /// <summary>The style sheet, which is a resource of the program.</summary>
    private static string Style()
    {
        using var css = typeof(EvaluationHtml).Assembly.GetManifestResourceStream(StyleSheet)!;
        using var reader = new StreamReader(css);
        return reader.ReadToEnd().TrimEnd();
    }

    private static string Percent(double share, string format) =>
        double.IsNaN(share)
            ? "–"
            : (100 * share).ToString(format, CultureInfo.InvariantCulture) + " %";

    private static string Text(string text) => HtmlText.Of(text);
}
