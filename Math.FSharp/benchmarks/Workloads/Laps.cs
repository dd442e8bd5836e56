using System.Diagnostics;

namespace Pipeline.Benchmarks;

/// <summary>The time of a loop that is interrupted after the first step of every epoch.</summary>
internal sealed class Laps
{
    private readonly List<double> laps = [];
    private double interruptions;
    private long lap = Stopwatch.GetTimestamp();

    /// <summary>Ends a lap; what is done meanwhile is timed apart.</summary>
    public void Interrupt(Action meanwhile)
    {
        End();
        meanwhile();
        interruptions += Stopwatch.GetElapsedTime(lap).TotalSeconds;
        lap = Stopwatch.GetTimestamp();
    }

    /// <summary>Ends the last lap and tells all.</summary>
    public Figures Finish(int iterations, int perEpoch)
    {
        End();
        var seconds = laps.Sum();
        // The first lap and the last are no whole epochs.
        var whole = laps[1..^1];
        return new()
        {
            ["iterations"] = iterations,
            ["train_seconds"] = seconds,
            ["eval_seconds"] = interruptions,
            ["total_seconds"] = seconds + interruptions,
            ["ms_per_iteration"] = 1e3 * seconds / iterations,
            ["ms_per_iteration_best_epoch"] = whole.Count > 0 ? 1e3 * whole.Min() / perEpoch : null,
        };
    }

    private void End()
    {
        laps.Add(Stopwatch.GetElapsedTime(lap).TotalSeconds);
        lap = Stopwatch.GetTimestamp();
    }
}
