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

    /// <summary>The median of the seconds of several calls, once the compiler is done.</summary>
    public static double MedianOf(int times, Action act)
    {
        WarmUp(act);
        var ticks = new double[times];
        for (var i = 0; i < times; i++)
        {
            var start = Stopwatch.GetTimestamp();
            act();
            // A time span would cut this down to tenths of a microsecond.
            ticks[i] = Stopwatch.GetTimestamp() - start;
        }
        return Median(ticks) / Stopwatch.Frequency;
    }

    /// <summary>How many iterations take long enough to be timed, once the compiler is done: a power of 2.</summary>
    /// <param name="leastSeconds">How long they take at least.</param>
    /// <param name="run">Runs a number of iterations.</param>
    public static int Iterations(double leastSeconds, Action<int> run)
    {
        // The first ones wait for the compiler, and would pass for slow ones.
        WarmUp(() => run(1));
        var iterations = 1;
        while (Seconds(() => run(iterations)) < leastSeconds)
            iterations *= 2;
        return iterations;
    }

    public static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
