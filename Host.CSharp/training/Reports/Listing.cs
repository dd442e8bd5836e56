namespace Pipeline.Training;

/// <summary>Lists of names in sentences.</summary>
internal static class Listing
{
    /// <summary>The names with commas between them, and a word before the last: a, b or c.</summary>
    public static string Of(IEnumerable<string> names, string word) =>
        names.ToArray() is [.. var others, var last] && others.Length > 0
            ? $"{string.Join(", ", others)} {word} {last}"
            : string.Concat(names);
}
