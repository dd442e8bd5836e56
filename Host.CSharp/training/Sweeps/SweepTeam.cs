using MathNet.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>How the processors of a machine are divided among trials.</summary>
internal static class SweepTeam
{
    /// <summary>How many trials run at the same time.</summary>
    /// <param name="slots">The setting Sweep:Slots; null for one slot for each processor.</param>
    public static int SlotsOf(int? slots) =>
        slots ?? Math.Min(Environment.ProcessorCount, ThreadCount.Maximum);

    /// <summary>The runner of a sweep's trials. It sets the number of threads of the whole process.</summary>
    /// <param name="slots">How many trials run at the same time.</param>
    /// <param name="file">The sweep.</param>
    /// <param name="space">The settings of its trials.</param>
    /// <param name="first">The configuration of the first trial.</param>
    /// <param name="note">Prints what was assumed of the data.</param>
    /// <param name="services">What runs need.</param>
    public static ITrialRunner RunnerOf(
        int slots,
        SweepFile file,
        SweepSpace space,
        RunConfiguration first,
        Action<IEnumerable<string>> note,
        IServiceProvider services
    )
    {
        var threads = Math.Max(1, first.Threads / slots);
        // It changes the speed and no bit.
        Control.MaxDegreeOfParallelism = threads;
        return first.Precision.IsDouble
            ? new TrialRunner<double>(file, space, threads, note, services)
            : new TrialRunner<float>(file, space, threads, note, services);
    }
}
