using System.Text.Encodings.Web;
using System.Text.Json;
using Pipeline.Learning;

namespace Pipeline.Benchmarks;

/// <summary>Prints a workload's figures: one line of JSON.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Options = new()
    {
        Converters = { new SixDigits() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A line whose best is the run to quote.</summary>
    public static void Best(
        string workload,
        IReadOnlyList<Figures> runs,
        Figures best,
        Figures? about = null
    ) =>
        Write(
            Opening(workload)
                .With(about ?? [])
                .With(new() { ["best"] = best.WithoutLists(), ["runs"] = runs })
        );

    /// <summary>A line of one point of a table.</summary>
    public static void Point(string workload, Figures figures) =>
        Write(Opening(workload).With(figures));

    private static Figures Opening(string workload) =>
        new()
        {
            ["peer"] = $"pipeline {typeof(Trainer).Assembly.GetName().Version!.ToString(3)}",
            ["workload"] = workload,
            ["dotnet"] = Environment.Version.ToString(),
        };

    private static void Write(Figures line) =>
        Console.WriteLine(JsonSerializer.Serialize(line, Options));
}
