namespace Pipeline.Training;

/// <summary>The SHA-256 of data files, by their names.</summary>
internal static class DataHashes
{
    public static bool AreSame(
        IReadOnlyDictionary<string, string> one,
        IReadOnlyDictionary<string, string> other
    ) =>
        one.Count == other.Count
        && one.All(file => other.GetValueOrDefault(file.Key) == file.Value);
}
