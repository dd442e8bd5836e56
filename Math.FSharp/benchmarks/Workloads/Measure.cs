using System.Diagnostics;
using MathNet.Numerics;

namespace Pipeline.Benchmarks;

/// <summary>Timing.</summary>
internal static class Measure
{
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(0.3);

    /// <summary>What a workload gives with each number of threads.</summary>
    public static List<Figures> WithThreads(int[] counts, Func<Figures> run)
    {
        var runs = new List<Figures>();
        foreach (var threads in counts)
        {
            Control.MaxDegreeOfParallelism = threads;
            runs.Add(new Figures { ["threads"] = threads }.With(run()));
        }
        return runs;
    }

    /// <summary>Repeats what is about to be measured until the compiler has done its best.</summary>
    public static void WarmUp(Action act)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Warm; )
            act();
    }

    public static double Seconds(Action act)
    {
        var start = Stopwatch.GetTimestamp();
        act();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The fewest seconds of several calls, which excludes delays by other programs.</summary>
    public static double BestOf(int times, Action act)
    {
        var best = double.PositiveInfinity;
        for (var i = 0; i < times; i++)
            best = Math.Min(best, Seconds(act));
        return best;
    }

    public static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
