namespace Pipeline.Training;

/// <summary>A part of a long series that shows its course.</summary>
internal static class EvenlySpaced
{
    /// <summary>The most elements that are drawn.</summary>
    private const int Most = 500;

    /// <summary>All elements if they are few; else every second, fourth and so on, and the last.</summary>
    public static IEnumerable<TElement> Of<TElement>(IReadOnlyList<TElement> series)
    {
        var step = 1;
        while (series.Count / step > Most)
            step *= 2;
        return series.Where((_, place) => place % step == 0 || place == series.Count - 1);
    }
}
