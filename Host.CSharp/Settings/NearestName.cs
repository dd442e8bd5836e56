namespace Pipeline.Training;

/// <summary>The name that somebody meant who wrote another.</summary>
internal static class NearestName
{
    /// <param name="given">What was written.</param>
    /// <param name="names">The names that there are.</param>
    /// <returns>The name that begins so, or else the one with the fewest letters to change: at most a
    /// fifth of them, or two. Null where no name is so near.</returns>
    public static string? Of(string given, IEnumerable<string> names)
    {
        // Nobody means a name by a text of thousands of letters.
        if (given.Length is 0 or > 100)
            return null;
        string[] all = [.. names];
        if (
            given.Length > 2
            && Array.FindAll(
                all,
                name => name.StartsWith(given, StringComparison.OrdinalIgnoreCase)
            )
                is [var beginning]
        )
            return beginning;
        var (nearest, distance) = all.Select(name => (name, Distance(name, given)))
            .MinBy(candidate => candidate.Item2);
        return distance <= Math.Max(given.Length / 5, Math.Min(2, given.Length / 2))
            ? nearest
            : null;
    }

    /// <summary>Levenshtein's distance: how many letters to change.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var same = char.ToUpperInvariant(one[i - 1]) == char.ToUpperInvariant(other[j - 1]);
                var change = diagonal + (same ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
