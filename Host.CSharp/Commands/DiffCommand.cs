using System.CommandLine;
using System.Globalization;
using System.Text;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary><c>diff</c>: settings, figures and curves of two runs side by side.</summary>
internal static class DiffCommand
{
    /// <summary>The most lines of epochs; the last epoch is always among them.</summary>
    private const int MostEpochs = 20;

    public static Command Create()
    {
        var (first, second) = (Run("run"), Run("other"));
        var output = new Option<string>("--output")
        {
            Description = "SVG file for a picture of both runs' test losses",
            HelpName = "file",
        };
        var command = new Command("diff", "Compare settings, figures and curves of two runs")
        {
            first,
            second,
            output,
        };
        command.SetAction(parsed =>
        {
            var one = RunRecord.Read(parsed.GetValue(first)!);
            var other = RunRecord.Read(parsed.GetValue(second)!);
            if (parsed.GetValue(output) is { } path)
                OutputFile.Write(path, Draw(one, other), [.. one.Files, .. other.Files]);
            var settings = Settings(one, other);
            string[] parts =
            [
                settings.Rows.Count > 0
                    ? settings.ToText()
                    : "The settings of both runs are the same.\n",
                Figures(one, other).ToText(),
                Epochs(one, other).ToText(),
            ];
            Console.Write(string.Join('\n', parts));
        });
        return command;
    }

    private static Argument<string> Run(string name) => new(name) { Description = "a run folder" };

    private static string[] Titles(string kind, RunRecord one, RunRecord other) =>
        [kind, Path.GetFileName(one.Path), Path.GetFileName(other.Path)];

    private static ReportTable Settings(RunRecord one, RunRecord other) =>
        new(
            "Settings that differ",
            Titles("setting", one, other),
            [
                .. from setting in SettingCatalog.All
                let values = (One: one.Value(setting), Other: other.Value(setting))
                where values.One != values.Other
                select (IReadOnlyList<string>)[setting.Key, values.One ?? "–", values.Other ?? "–"],
            ]
        );

    private static ReportTable Figures(RunRecord one, RunRecord other) =>
        new(
            "Figures",
            Titles("figure", one, other),
            [
                .. from name in one
                    .Summary.Select(entry => entry.Key)
                    .Union(other.Summary.Select(entry => entry.Key))
                where one.Summary[name] is not System.Text.Json.Nodes.JsonArray
                select (IReadOnlyList<string>)[name, one.Figure(name), other.Figure(name)],
            ]
        );

    /// <summary>Test loss and accuracy after some epochs of both.</summary>
    private static ReportTable Epochs(RunRecord one, RunRecord other)
    {
        var (ours, theirs) = (Curve(one), Curve(other));
        long[] epochs = [.. ours.Keys.Union(theirs.Keys).Order()];
        var each = Math.Max(1, (epochs.Length + MostEpochs - 1) / MostEpochs);
        return new(
            "Loss and accuracy on the test set",
            ["epoch", "loss", "loss of the other", "accuracy", "accuracy of the other"],
            [
                .. from epoch in epochs
                where epoch % each == 0 || epoch == epochs[^1]
                let a = ours.GetValueOrDefault(epoch, (double.NaN, double.NaN))
                let b = theirs.GetValueOrDefault(epoch, (double.NaN, double.NaN))
                select (IReadOnlyList<string>)
                    [
                        $"{epoch}",
                        ReportTable.Number(a.Item1),
                        ReportTable.Number(b.Item1),
                        ReportTable.Number(a.Item2),
                        ReportTable.Number(b.Item2),
                    ],
            ]
        );
    }

    /// <summary>Test loss and accuracy by epoch.</summary>
    private static Dictionary<long, (double Loss, double Accuracy)> Curve(RunRecord run)
    {
        string[] header = run.Epochs.Count == 0 ? [] : run.Epochs[0].Split(',');
        var places = new[] { "epoch", "test_loss", "test_accuracy" }
            .Select(name => Array.IndexOf(header, name))
            .ToArray();
        var curve = new Dictionary<long, (double, double)>();
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

    private static byte[] Draw(RunRecord one, RunRecord other)
    {
        Dictionary<long, (double Loss, double Accuracy)>[] curves = [Curve(one), Curve(other)];
        var losses = curves.SelectMany(curve => curve.Values).Select(point => point.Loss);
        var highest = losses.Where(double.IsFinite).DefaultIfEmpty(1).Max();
        var chart = new Chart(
            "Loss on the test set",
            Axis.Linear("epoch"),
            Axis.Linear("loss").Within(0, 1.05 * highest),
            [
                .. new[] { one, other }.Zip(
                    curves,
                    (run, curve) =>
                        Mark.NewLine(
                            VisibleText.Of(Path.GetFileName(run.Path)),
                            curve
                                .OrderBy(point => point.Key)
                                .Select(point => ((double)point.Key, point.Value.Loss))
                        )
                ),
            ]
        );
        return Encoding.UTF8.GetBytes(Picture.ToSvg("diff", 900, 500, [chart]));
    }
}
