using System.Globalization;
using System.Text;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>An evaluation as one page that needs nothing beside it: pictures are inside.</summary>
internal static class EvaluationHtml
{
    /// <summary>The most classes whose bars are drawn, and the most units and inputs whose weights
    /// are.</summary>
    private const int MostClasses = 40;
    private const int MostUnits = 64;
    private const int MostInputs = 40;

    private const string Style = """
        :root { --ink: #1c2733; --soft: #5b6876; --line: #dde3ea; --blue: #1f5f99; }
        * { box-sizing: border-box; }
        body { margin: 0; background: #f4f6f9; color: var(--ink);
          font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
        main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 48px; }
        h1 { font-size: 28px; margin: 0 0 4px; }
        h2 { font-size: 19px; margin: 0 0 6px; }
        p { margin: 0 0 12px; max-width: 76ch; }
        .soft { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
        section { background: white; border: 1px solid var(--line); border-radius: 10px;
          padding: 22px 24px; margin-top: 20px; overflow-x: auto; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 14px;
          margin-top: 20px; }
        .card { background: white; border: 1px solid var(--line); border-radius: 10px;
          padding: 14px 18px; }
        .card b { display: block; font-size: 27px; font-weight: 600; color: var(--blue); }
        .card span { color: var(--soft); font-size: 13px; }
        ul { margin: 0; padding-left: 20px; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
        th, td { padding: 4px 10px; text-align: right; }
        th:first-child, td:first-child { text-align: left; }
        thead th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
        .heat td { width: 56px; height: 36px; text-align: center; border: 1px solid white; }
        .heat th { text-align: center; border: 0; }
        .heat tbody th { text-align: right; }
        .row { display: flex; flex-wrap: wrap; gap: 32px; align-items: flex-start; }
        .key { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
          margin: 0 5px 0 14px; vertical-align: -1px; }
        .key:first-child { margin-left: 0; }
        .tiles { display: grid; gap: 12px; }
        .mistakes { grid-template-columns: repeat(auto-fill, minmax(118px, 1fr)); }
        .units { grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); }
        figure { margin: 0; text-align: center; font-size: 13px; }
        figure img { display: block; width: 100%; aspect-ratio: var(--shape, 1); image-rendering: pixelated;
          border: 1px solid var(--line); border-radius: 6px; }
        figcaption { color: var(--soft); margin-top: 3px; line-height: 1.35; }
        figcaption b { color: var(--ink); }
        svg { max-width: 100%; height: auto; }
        footer { color: var(--soft); font-size: 12px; margin-top: 20px; }
        @media print { body { background: white; } section, .card { break-inside: avoid; } }
        """;

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
            {Style}
            </style>
            </head>
            <body>
            <main>
            <h1>{Text(report.Title)}</h1>
            <p class="soft">Model {Text(report.Source)}<br />Test samples of {Text(report.Data)}</p>

            """
        );
        Cards(page, report);
        Section(page, "In short", "", List(report.Sentences));
        if (report.Evaluation is Evaluation.Classes { Item: var figures })
            Classes(page, report, figures);
        Weights(page, report.Weights);
        page.Append(
            $"""
            <footer>Pipeline {Text(
                RunFolder.Version ?? ""
            )}. Precision: the share of the samples said to be of a class that are. Recall: the share of its samples that are found. F1: the harmonic mean of the two. Macro: the mean over the classes that have samples or answers; the precision of a class that is never answered counts 0.</footer>
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
            Evaluation.Classes { Item: var classes } =>
            [
                ("accuracy", Percent(classes.Accuracy, "F2")),
                ("macro F1", ReportTable.Number(classes.MacroF1)),
                ("negative log-likelihood", ReportTable.Number(classes.Loss)),
                ("expected calibration error", Percent(classes.CalibrationError, "F2")),
                ("test samples", ReportTable.Count(classes.Samples)),
            ],
            Evaluation.Numbers { Item: var numbers } =>
            [
                ("root mean squared error", ReportTable.Number(numbers.RootMeanSquaredError, "G5")),
                ("R²", ReportTable.Number(numbers.Determination)),
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
        ClassEvaluation figures
    )
    {
        if (figures.Classes.Length <= EvaluationReport.MostInMatrix)
        {
            Section(
                page,
                "Confusion",
                "Rows are the samples' classes, columns what the network said. Right answers are blue, wrong ones orange, the darker the more of the row.",
                $"<div class=\"row\">{Heat(report, figures)}{Table(report.TopTable(figures))}</div>"
            );
        }
        else
        {
            var confusions = report.ConfusionTable(figures);
            Section(page, confusions.Title, "", Table(confusions));
        }
        ClassFigures[] drawn =
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
            $"<div class=\"row\">{EvaluationPictures.Classes(report, drawn)}{Table(report.ClassTable(figures))}</div>"
        );
        if (!figures.Reliability.IsEmpty)
        {
            Section(
                page,
                "How far its confidence can be trusted",
                "Answers are grouped by how sure the network is of them. Bars that end on the dashed line mean that of answers given with 80 % confidence, 80 % are right; below it the network is too sure, above it not sure enough. Dots stand at each group's mean confidence.",
                $"<div class=\"row\">{EvaluationPictures.Reliability([.. figures.Reliability])}{Table(report.ReliabilityTable(figures))}</div>"
            );
        }
        if (!figures.Mistakes.IsEmpty)
        {
            Section(
                page,
                "The most confident mistakes",
                "What the network is wrong about and surest of: often samples that people would argue about too, or wrong labels.",
                report.Pictures.Count > 0
                    ? Mistakes(report, figures)
                    : Table(report.MistakeTable(figures))
            );
        }
    }

    private static string Heat(EvaluationReport report, ClassEvaluation figures)
    {
        var classes = Enumerable.Range(0, figures.Classes.Length);
        var heat = new StringBuilder("<table class=\"heat\"><thead><tr><th></th>");
        foreach (var said in classes)
            heat.Append($"<th>{Text(report.ClassName(said))}</th>");
        heat.Append("</tr></thead><tbody>\n");
        foreach (var expected in classes)
        {
            heat.Append($"<tr><th>{Text(report.ClassName(expected))}</th>");
            var support = Math.Max(1, figures.Classes[expected].Support);
            foreach (var said in classes)
            {
                var count = figures.Confusion[expected, said];
                var share = (double)count / support;
                // Mistakes are few: their root shows them.
                var (color, strength) =
                    expected == said ? ((31, 95, 153), share) : ((205, 92, 20), Math.Sqrt(share));
                heat.Append(Cell(color, strength, count == 0 ? "" : ReportTable.Count(count)));
            }
            heat.Append("</tr>\n");
        }
        return heat.Append("</tbody></table>").ToString();
    }

    /// <summary>A cell whose colour is as strong as a number of 0 to 1.</summary>
    private static string Cell((int R, int G, int B) color, double strength, string text)
    {
        int Blend(int full) => (int)Math.Round(255 + (Math.Clamp(strength, 0, 1) * (full - 255)));

        var ink = strength > 0.55 ? "white" : "#1c2733";
        return $"<td style=\"background:rgb({Blend(color.R)},{Blend(color.G)},{Blend(color.B)});color:{ink}\">{Text(text)}</td>";
    }

    private static string Mistakes(EvaluationReport report, ClassEvaluation figures)
    {
        var tiles = figures
            .Mistakes.Zip(report.Pictures)
            .Select(pair =>
            {
                var (mistake, picture) = pair;
                return Figure(
                    Png.OfInk(picture),
                    $"test sample {mistake.Sample}",
                    $"<b>{Text(report.ClassName(mistake.Expected))}</b> taken for <b>{Text(report.ClassName(mistake.Predicted))}</b><br />{Percent(mistake.Confidence, "F1")} sure"
                );
            });
        return Tiles("mistakes", report.Pictures[0].Columns, report.Pictures[0].Rows, tiles);
    }

    private static void Weights(StringBuilder page, FirstLayer layer)
    {
        var units = layer.Units.Take(MostUnits).ToArray();
        var limit = units.SelectMany(unit => unit).Select(Math.Abs).DefaultIfEmpty(0).Max();
        if (limit is 0 or double.NaN)
            return;
        const string Legend =
            "<span class=\"key\" style=\"background:rgb(178,24,43)\"></span>an input that raises the unit's sum<span class=\"key\" style=\"background:rgb(33,102,172)\"></span>one that lowers it";
        var more =
            layer.Units.Count > units.Length
                ? $" The first {units.Length} of {layer.Units.Count} units are drawn."
                : "";
        if (layer.ImageSize is { } size)
        {
            var tiles = units.Select(
                (unit, place) =>
                    Figure(
                        Png.OfNumbers(size.Rows, size.Columns, unit, limit),
                        $"weights of unit {place + 1}",
                        $"{place + 1}"
                    )
            );
            Section(
                page,
                "What the first layer looks for",
                $"Every picture is a unit of the first layer: its weight for each pixel.{more}",
                $"<p>{Legend}</p>{Tiles("units", size.Columns, size.Rows, tiles)}"
            );
        }
        else if (layer.Inputs.Count > 0 && layer.Inputs.Count <= MostInputs)
        {
            var table = new StringBuilder("<table class=\"heat\"><thead><tr><th></th>");
            for (var unit = 0; unit < units.Length; unit++)
                table.Append($"<th>{unit + 1}</th>");
            table.Append("</tr></thead><tbody>\n");
            for (var input = 0; input < layer.Inputs.Count; input++)
            {
                table.Append($"<tr><th>{Text(layer.Inputs[input])}</th>");
                foreach (var unit in units)
                {
                    var share = unit[input] / limit;
                    table.Append(
                        Cell(
                            share < 0 ? (33, 102, 172) : (178, 24, 43),
                            Math.Abs(share),
                            ReportTable.Number(unit[input], "F2")
                        )
                    );
                }
                table.Append("</tr>\n");
            }
            table.Append("</tbody></table>");
            Section(
                page,
                "What the first layer looks for",
                $"The weight of every input (rows) for each unit of the first layer (columns).{more}",
                $"<p>{Legend}</p>{table}"
            );
        }
    }

    private static string Tiles(string kind, int columns, int rows, IEnumerable<string> tiles) =>
        $"<div class=\"tiles {kind}\" style=\"--shape:{columns}/{rows}\">\n{string.Join('\n', tiles)}\n</div>";

    private static string Figure(byte[] png, string alternative, string caption) =>
        $"<figure><img alt=\"{Text(alternative)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png)}\" /><figcaption>{caption}</figcaption></figure>";

    private static void Section(StringBuilder page, string title, string text, string content)
    {
        page.Append($"<section>\n<h2>{Text(title)}</h2>\n");
        if (text.Length > 0)
            page.Append($"<p class=\"soft\">{Text(text)}</p>\n");
        page.Append(content).Append("\n</section>\n");
    }

    private static string List(IEnumerable<string> sentences) =>
        $"<ul>{string.Concat(sentences.Select(sentence => $"<li>{Text(sentence)}</li>"))}</ul>";

    private static string Table(ReportTable table)
    {
        static string Row(string cell, IEnumerable<string> cells) =>
            $"<tr>{string.Concat(cells.Select(text => $"<{cell}>{Text(text)}</{cell}>"))}</tr>";

        return $"<table><thead>{Row("th", table.Columns)}</thead><tbody>{string.Join('\n', table.Rows.Select(row => Row("td", row)))}</tbody></table>";
    }

    private static string Percent(double share, string format) =>
        double.IsNaN(share)
            ? "–"
            : (100 * share).ToString(format, CultureInfo.InvariantCulture) + " %";

    private static string Text(string text) => HtmlText.Of(text);
}
