using System.CommandLine;
using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>Options that several workloads take.</summary>
internal static class WorkloadOptions
{
    public static Option<string> Data() =>
        new("--data")
        {
            Description = "folder with the four IDX files, plain or .gz",
            DefaultValueFactory = _ => DefaultPaths.PathOf("data/mnist"),
        };

    public static Option<int[]> Threads() =>
        new("--threads")
        {
            Description = "thread counts to try, one run each",
            DefaultValueFactory = _ => [1, 2],
            CustomParser = result =>
            {
                var counts = new List<int>();
                foreach (var text in result.Tokens[0].Value.Split(','))
                {
                    // What is no number is out of range as well.
                    _ = int.TryParse(text, CultureInfo.InvariantCulture, out var wanted);
                    if (ThreadCount.Check(wanted).TryGet(out var count, out var faults))
                        counts.Add(count);
                    foreach (var fault in faults)
                        result.AddError($"{fault} ('{text}' in --threads)");
                }
                return [.. counts];
            },
        };

    public static Option<int> Iterations(int unlessSet) =>
        CountOption.Create("--iterations", "steps of training", unlessSet);

    public static Option<Precision> PrecisionOption() =>
        new("--precision")
        {
            Description = "single or double",
            DefaultValueFactory = _ => Precision.Single,
            CustomParser = result =>
            {
                if (
                    Parse
                        .Precision(result.Tokens[0].Value)
                        .TryGet(out var precision, out var faults)
                )
                    return precision;
                foreach (var fault in faults)
                    result.AddError(fault.ToString());
                return Precision.Single;
            },
        };
}
