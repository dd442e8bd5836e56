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

    /// <summary>How many trials of a sweep run at the same time on this machine.</summary>
    public static int SlotsOf(SweepOptions options, SweepFile file) =>
        Math.Min(SlotsOf(options.Slots), file.Plan.Trials);

    /// <summary>Sets the number of threads of the whole process. It changes the speed and no bit.</summary>
    /// <param name="slots">How many trials run at the same time.</param>
    /// <param name="first">The configuration of the first trial.</param>
    public static void UseThreads(int slots, RunConfiguration first) =>
        Control.MaxDegreeOfParallelism = ThreadsOf(slots, first);

    private static int ThreadsOf(int slots, RunConfiguration first) =>
        Math.Max(1, first.Threads / slots);

    /// <summary>The runner of a sweep's trials.</summary>
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
        var threads = ThreadsOf(slots, first);
        return first.Precision.IsDouble
            ? new TrialRunner<double>(file, space, threads, note, services)
            : new TrialRunner<float>(file, space, threads, note, services);
    }
}
