using System.Globalization;
using System.Text.Json.Nodes;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary>Settings, figures and losses of runs side by side.</summary>
internal static class RunComparison
{
    /// <summary>The settings that are not the same for all runs.</summary>
    public static ReportTable Settings(IReadOnlyList<RunRecord> runs) =>
        new(
            "Settings that differ",
            Titles("setting", runs),
            [
                .. from setting in SettingCatalog.All
                let values = runs.Select(run => run.Value(setting)).ToArray()
                where values.Distinct().Skip(1).Any()
                select (IReadOnlyList<string>)
                    [setting.Key, .. values.Select(value => value ?? "–")],
            ]
        );

    /// <summary>The figures of the summaries.</summary>
    public static ReportTable Figures(IReadOnlyList<RunRecord> runs) =>
        new(
            "Figures",
            Titles("figure", runs),
            [
                .. from name in runs.SelectMany(run => run.Summary.Select(entry => entry.Key))
                    .Distinct()
                where !runs.Any(run => run.Summary[name] is JsonArray)
                select (IReadOnlyList<string>)[name, .. runs.Select(run => run.Figure(name))],
            ]
        );

    /// <summary>A chart of the losses on the test set.</summary>
    public static Chart Losses(IReadOnlyList<RunRecord> runs)
    {
        var curves = runs.Select(run => EvenlySpaced.Of([.. Curve(run)]).ToArray()).ToArray();
        var highest = curves
            .SelectMany(curve => curve)
            .Select(point => point.Value.Loss)
            .Where(double.IsFinite)
            .DefaultIfEmpty(1)
            .Max();
        return new(
            "Loss on the test set",
            Axis.Linear("epoch"),
            Axis.Linear("loss").Within(0, 1.05 * highest),
            [
                .. runs.Zip(
                    curves,
                    (run, curve) =>
                        Mark.NewLine(
                            VisibleText.Of(Path.GetFileName(run.Path)),
                            curve.Select(point => ((double)point.Key, point.Value.Loss))
                        )
                ),
            ]
        );
    }

    /// <summary>Test loss and accuracy by epoch.</summary>
    public static SortedDictionary<long, (double Loss, double Accuracy)> Curve(RunRecord run)
    {
        string[] header = run.Epochs.Count == 0 ? [] : run.Epochs[0].Split(',');
        var places = new[] { "epoch", "test_loss", "test_accuracy" }
            .Select(name => Array.IndexOf(header, name))
            .ToArray();
        var curve = new SortedDictionary<long, (double, double)>();
        foreach (var line in run.Epochs.Skip(1))
        {
            var cells = line.Split(',');

            double Cell(int place) =>
                place >= 0
                && place < cells.Length
                && double.TryParse(cells[place], CultureInfo.InvariantCulture, out var number)
                    ? number
                    : double.NaN;

            if (Cell(places[0]) is var epoch && double.IsInteger(epoch))
                curve[(long)epoch] = (Cell(places[1]), Cell(places[2]));
        }
        return curve;
    }

    private static string[] Titles(string kind, IReadOnlyList<RunRecord> runs) =>
        [kind, .. runs.Select(run => Path.GetFileName(run.Path))];
}
