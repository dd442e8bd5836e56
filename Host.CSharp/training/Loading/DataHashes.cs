namespace Pipeline.Training;

/// <summary>The SHA-256 of data files, by their names: training files first, in reading order.</summary>
internal static class DataHashes
{
    /// <summary>Whether the files have the same contents, each in its role; their names may
    /// differ.</summary>
    public static bool AreSame(
        IReadOnlyDictionary<string, string> one,
        IReadOnlyDictionary<string, string> other
    ) => one.Values.SequenceEqual(other.Values);
}
