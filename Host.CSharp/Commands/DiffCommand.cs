using System.CommandLine;
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
            var settings = RunComparison.Settings([one, other]);
            string[] parts =
            [
                settings.Rows.Count > 0
                    ? settings.ToText()
                    : "The settings of both runs are the same.\n",
                .. DataHashes.AreSame(one.Run.DataSha256, other.Run.DataSha256)
                    ? Array.Empty<string>()
                    : ["The data of the runs are different.\n"],
                RunComparison.Figures([one, other]).ToText(),
                Epochs(one, other).ToText(),
            ];
            Console.Write(string.Join('\n', parts));
        });
        return command;
    }

    private static Argument<string> Run(string name) => new(name) { Description = "a run folder" };

    /// <summary>Test loss and accuracy after some epochs of both.</summary>
    private static ReportTable Epochs(RunRecord one, RunRecord other)
    {
        var (ours, theirs) = (RunComparison.Curve(one), RunComparison.Curve(other));
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

    private static byte[] Draw(RunRecord one, RunRecord other) =>
        Encoding.UTF8.GetBytes(
            Picture.ToSvg("diff", 900, 500, [RunComparison.Losses([one, other])])
        );
}
