using System.Globalization;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The figures of a run as its page shows them, at first and while it trains.</summary>
internal static class RunTexts
{
    /// <summary>The figures at the top: those of the summary once there is one, until then the last logged
    /// ones.</summary>
    public static IReadOnlyList<string[]> Figures(RunState run)
    {
        var (step, last, summary) = (run.LastStep, run.LastEpoch, run.Summary);
        var isFinal = summary?.FinalTrainLoss is not null;

        double? Of(double? final, double? logged) => isFinal ? final : logged;

        (string Name, string Value)[] figures =
        [
            ("iterations", Count(summary?.Iterations ?? step?.Iteration ?? 0)),
            ("epochs", last is null ? "–" : Count(last.Epoch)),
            ("training loss", Number(Of(summary?.FinalTrainLoss, last?.Train.Loss))),
            ("training accuracy", Number(Of(summary?.FinalTrainAccuracy, last?.Train.Accuracy))),
            ("validation loss", Number(Of(summary?.FinalValidationLoss, last?.Validation?.Loss))),
            (
                "validation accuracy",
                Number(Of(summary?.FinalValidationAccuracy, last?.Validation?.Accuracy))
            ),
            ("test loss", Number(Of(summary?.FinalTestLoss, last?.Test.Loss))),
            ("test accuracy", Number(Of(summary?.FinalTestAccuracy, last?.Test.Accuracy))),
            ("best test accuracy", Number(summary?.BestTestAccuracy)),
            (
                "learning rate",
                run.HasEnded || step is not { } logged
                    ? "–"
                    : logged.LearningRate.ToString("G4", CultureInfo.InvariantCulture)
            ),
            (
                "seconds of training",
                (summary?.TrainSeconds ?? step?.Seconds ?? 0).ToString(
                    "F1",
                    CultureInfo.InvariantCulture
                )
            ),
        ];
        return
        [
            .. figures
                .Where(figure => figure.Value != "–")
                .Select(figure => new[] { figure.Name, figure.Value }),
        ];
    }

    /// <summary>The titles of the table of evaluations.</summary>
    public static IReadOnlyList<string> EpochTitles { get; } =
    [
        "epoch",
        "iteration",
        "training loss",
        "training accuracy",
        "validation loss",
        "validation accuracy",
        "test loss",
        "test accuracy",
        "seconds",
    ];

    /// <summary>Evaluations as rows of the table, the last one first.</summary>
    public static IReadOnlyList<string[]> Epochs(IEnumerable<EpochFigures> epochs) =>
        [.. epochs.Reverse().Select(Row)];

    /// <summary>The outcome of a run, or whether it is likely to be running.</summary>
    public static string Status(RunState run, DateTime now) =>
        RunRow.StatusOf(run.Summary?.Outcome, run.News, now);

    /// <summary>How long ago the run wrote its logs; empty once it has ended.</summary>
    public static string News(RunState run, DateTime now)
    {
        if (run.HasEnded)
            return "";
        var ago = now - run.News;
        var (count, unit) = ago switch
        {
            { TotalSeconds: < 120 } => (Math.Max(0, ago.TotalSeconds), "s"),
            { TotalMinutes: < 120 } => (ago.TotalMinutes, "min"),
            { TotalHours: < 48 } => (ago.TotalHours, "h"),
            _ => (ago.TotalDays, "days"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"last news {count:F0} {unit} ago");
    }

    private static string[] Row(EpochFigures epoch) =>
        [
            Count(epoch.Epoch),
            Count(epoch.Iteration),
            Number(epoch.Train.Loss),
            Number(epoch.Train.Accuracy),
            Number(epoch.Validation?.Loss),
            Number(epoch.Validation?.Accuracy),
            Number(epoch.Test.Loss),
            Number(epoch.Test.Accuracy),
            epoch.Seconds.ToString("F2", CultureInfo.InvariantCulture),
        ];

    private static string Number(double? value) => ReportTable.Number(value ?? double.NaN);

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
