namespace Pipeline.Training;

/// <summary>The losses of mini-batches as means over equal numbers of iterations: a power of two that doubles
/// whenever there are too many means. The same steps give the same means, whenever they are asked for.</summary>
internal sealed class LossMeans
{
    /// <summary>The most means.</summary>
    private const int Most = 1000;

    private readonly List<Bucket> buckets = [];

    private readonly record struct Bucket(long Place, long First, long Last, double Sum, int Count)
    {
        public Bucket With(Bucket next) =>
            this with
            {
                Last = next.Last,
                Sum = Sum + next.Sum,
                Count = Count + next.Count,
            };
    }

    /// <summary>The number of iterations of a mean.</summary>
    public long Width { get; private set; } = 1;

    /// <summary>The last iteration; 0 before the first.</summary>
    public long Last => buckets.Count == 0 ? 0 : buckets[^1].Last;

    /// <summary>The middle of each mean's iterations, and the mean.</summary>
    public IEnumerable<(double Iteration, double Loss)> Points =>
        buckets.Select(bucket => ((bucket.First + bucket.Last) / 2.0, bucket.Sum / bucket.Count));

    /// <summary>Adds the loss of an iteration; iterations increase from 1.</summary>
    public void Add(long iteration, double loss)
    {
        Append(buckets, new((iteration - 1) / Width, iteration, iteration, loss, 1));
        while (buckets.Count > Most)
            Double();
    }

    private void Double()
    {
        Width *= 2;
        var wider = new List<Bucket>(Most + 1);
        foreach (var bucket in buckets)
            Append(wider, bucket with { Place = bucket.Place / 2 });
        buckets.Clear();
        buckets.AddRange(wider);
    }

    private static void Append(List<Bucket> to, Bucket bucket)
    {
        if (to.Count > 0 && to[^1].Place == bucket.Place)
            to[^1] = to[^1].With(bucket);
        else
            to.Add(bucket);
    }
}
