namespace Pipeline.Serving;

/// <summary>Counters that many threads add to. Each thread takes one of several sets of them that no other uses at the
/// time, so that none waits; the sets are added when the counts are taken.</summary>
internal sealed class DriftCounts
{
    private readonly Set[] sets;

    /// <param name="count">The number of counters.</param>
    public DriftCounts(int count)
    {
        // Two a processor: a thread that was interrupted holds a set for long.
        sets = new Set[2 * Environment.ProcessorCount];
        for (var i = 0; i < sets.Length; i++)
            sets[i] = new(count);
    }

    /// <summary>The samples since the counts were taken.</summary>
    public long Samples => sets.Sum(set => Volatile.Read(ref set.Samples));

    /// <summary>Counts samples.</summary>
    /// <param name="samples">Their number.</param>
    /// <param name="inputs">The counters of their inputs.</param>
    /// <param name="answers">The counters of their answers.</param>
    public void Add(int samples, ReadOnlySpan<int> inputs, ReadOnlySpan<int> answers)
    {
        var set = Take();
        foreach (var counter in inputs)
            set.Counters[counter]++;
        foreach (var counter in answers)
            set.Counters[counter]++;
        set.Samples += samples;
        set.Release();
    }

    /// <summary>The counts, which begin at 0 again.</summary>
    public long[] Drain()
    {
        var counts = new long[sets[0].Counters.Length];
        foreach (var set in sets)
        {
            var wait = new SpinWait();
            while (!set.TryTake())
                wait.SpinOnce();
            for (var i = 0; i < counts.Length; i++)
                counts[i] += set.Counters[i];
            Array.Clear(set.Counters);
            set.Samples = 0;
            set.Release();
        }
        return counts;
    }

    private Set Take()
    {
        var place = Thread.GetCurrentProcessorId();
        while (true)
        {
            var set = sets[place++ % sets.Length];
            if (set.TryTake())
                return set;
        }
    }

    private sealed class Set(int count)
    {
        public readonly long[] Counters = new long[count];
        public long Samples;
        private int isTaken;

        public bool TryTake() =>
            Volatile.Read(ref isTaken) == 0 && Interlocked.Exchange(ref isTaken, 1) == 0;

        public void Release() => Volatile.Write(ref isTaken, 0);
    }
}
