using System.Globalization;
using System.Text;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The content of trials.csv: a row for each trial.</summary>
internal static class TrialsTable
{
    public static byte[] ToCsv(SweepBoard board)
    {
        string[] figures =
        [
            .. board
                .Trials.SelectMany(trial => trial.Results)
                .SelectMany(result => result.Figures)
                .Select(figure => figure.Item1)
                .Distinct(),
        ];
        var text = new StringBuilder();
        text.Append(
            CsvText.Row([
                "trial",
                .. board.Plan.Settings,
                "state",
                "rung",
                "iterations",
                .. figures.Select(figure => $"validation_{figure}"),
                "model_sha256",
                "seconds",
                "worker",
                "attempts",
            ])
        );
        foreach (var trial in board.Trials)
            text.Append(CsvText.Row(Cells(board.Plan, trial, figures)));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static IEnumerable<string> Cells(SweepPlan plan, SweepTrial trial, string[] figures)
    {
        var last = trial.Results.IsEmpty ? null : trial.Results[^1];
        yield return Text(trial.Number);
        for (var place = 0; place < plan.Settings.Length; place++)
            yield return trial.Values.IsEmpty ? "" : trial.Values[place];
        yield return TrialText.StateOf(trial);
        yield return Text(trial.Results.Length);
        yield return last is null ? "" : Text(last.Iterations);
        foreach (var name in figures)
        {
            var found = last?.Figures.Where(figure => figure.Item1 == name).ToArray() ?? [];
            yield return found.Length == 0 ? "" : Text(found[0].Item2);
        }
        yield return last?.Model ?? "";
        yield return trial.Seconds.ToString("F2", CultureInfo.InvariantCulture);
        yield return trial.Worker;
        yield return Text(trial.Attempts);
    }

    private static string Text(IFormattable value) =>
        value.ToString(null, CultureInfo.InvariantCulture);
}
