namespace Pipeline.Benchmarks;

/// <summary>The named figures of one run, in the order they were given.</summary>
internal sealed class Figures : OrderedDictionary<string, object?>
{
    public double Number(string name) => Convert.ToDouble(this[name]);

    /// <summary>Takes over every figure of another run.</summary>
    public Figures With(Figures others)
    {
        foreach (var (name, value) in others)
            this[name] = value;
        return this;
    }

    /// <summary>The figures without lists, which are for plots.</summary>
    public Figures WithoutLists()
    {
        var single = new Figures();
        foreach (var (name, value) in this)
        {
            if (value is not System.Collections.ICollection)
                single[name] = value;
        }
        return single;
    }
}
