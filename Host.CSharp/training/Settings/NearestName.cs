namespace Pipeline.Training;

/// <summary>Finds the known name that a misspelt one probably stands for.</summary>
internal static class NearestName
{
    /// <param name="given">The misspelt name.</param>
    /// <param name="names">The known names.</param>
    /// <returns>The name that starts with the given one, otherwise the name with the smallest distance: at
    /// most two letters, or a fifth of them. Null if no name is that close.</returns>
    public static string? Of(string given, IEnumerable<string> names)
    {
        // Long texts are not misspelt names.
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

    /// <summary>Levenshtein distance.</summary>
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
