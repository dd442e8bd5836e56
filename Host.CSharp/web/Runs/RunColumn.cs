using System.Globalization;

namespace Pipeline.Web;

/// <summary>A column of the list of runs.</summary>
/// <param name="Key">Its name in addresses.</param>
/// <param name="Title">Its title.</param>
/// <param name="Value">What runs are sorted by; null comes last.</param>
/// <param name="Text">What the cell shows.</param>
/// <param name="IsNumber">Whether cells are aligned as numbers.</param>
/// <param name="IsDescendingFirst">Whether the greatest are wanted first.</param>
public sealed record RunColumn(
    string Key,
    string Title,
    Func<RunRow, DateTime, IComparable?> Value,
    Func<RunRow, DateTime, string> Text,
    bool IsNumber = false,
    bool IsDescendingFirst = false
)
{
    public static RunColumn Name { get; } =
        new("name", "Run", (run, _) => run.Name, (run, _) => run.Name);

    public static RunColumn Status { get; } =
        new("status", "Status", (run, now) => run.Status(now), (run, now) => run.Status(now));

    public static RunColumn Started { get; } =
        new(
            "started",
            "Started (UTC)",
            (run, _) => run.Began,
            (run, _) =>
                run.Began?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "–",
            IsDescendingFirst: true
        );

    /// <summary>All columns, from the left.</summary>
    internal static IReadOnlyList<RunColumn> All { get; } =
    [
        Name,
        Status,
        Started,
        Number("epochs", "Epochs", run => run.Epochs, "F0", true),
        Number("validation-loss", "Best validation loss", run => run.Validation.Loss, "F4", false),
        Number(
            "validation-accuracy",
            "Best validation accuracy",
            run => run.Validation.Accuracy,
            "F4",
            true
        ),
        Number("test-loss", "Best test loss", run => run.Test.Loss, "F4", false),
        Number("test-accuracy", "Best test accuracy", run => run.Test.Accuracy, "F4", true),
        Number("seconds", "Seconds", run => run.Seconds, "F1", true),
        new("data", "Data", (run, _) => run.Data, (run, _) => run.Data),
        new("network", "Network", (run, _) => run.Network, (run, _) => run.Network),
    ];

    /// <summary>Runs in the order of the column; the same for runs with the same value, newest first.</summary>
    internal IEnumerable<RunRow> Order(IEnumerable<RunRow> runs, DateTime now, bool isDescending)
    {
        // Texts in the order of letters, not of their bytes.
        var values = Comparer<IComparable?>.Create(
            (one, other) =>
                one is string text
                    ? StringComparer.OrdinalIgnoreCase.Compare(text, other)
                    : Comparer<IComparable>.Default.Compare(one, other)
        );
        var known = runs.OrderBy(run => Value(run, now) is null);
        var sorted = isDescending
            ? known.ThenByDescending(run => Value(run, now), values)
            : known.ThenBy(run => Value(run, now), values);
        return sorted
            .ThenByDescending(run => run.Began)
            // -10 is after -2.
            .ThenByDescending(run => run.Id.Length)
            .ThenByDescending(run => run.Id, StringComparer.Ordinal);
    }

    private static RunColumn Number(
        string key,
        string title,
        Func<RunRow, double?> value,
        string format,
        bool isDescendingFirst
    ) =>
        new(
            key,
            title,
            (run, _) => value(run),
            (run, _) => value(run)?.ToString(format, CultureInfo.InvariantCulture) ?? "–",
            IsNumber: true,
            isDescendingFirst
        );
}
