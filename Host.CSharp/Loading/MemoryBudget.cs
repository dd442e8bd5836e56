using System.Globalization;

namespace Pipeline.Training;

/// <summary>Refuses data that the memory cannot hold: before they are read where that can be told, else when
/// the memory ends.</summary>
internal static class MemoryBudget
{
    private const string Advice = "give the process more memory, or the file fewer rows or columns";

    /// <summary>Refuses what needs more memory than there is.</summary>
    /// <param name="path">Where it is from.</param>
    /// <param name="what">What it is.</param>
    /// <param name="bytes">About how many bytes it needs.</param>
    /// <exception cref="RefusedException">Fewer bytes are available.</exception>
    public static void Require(string path, string what, long bytes)
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - GC.GetTotalMemory(false);
        if (bytes > available)
        {
            throw new RefusedException([
                DataFile.Sentence(
                    path,
                    $"data that fit in memory, of which {Megabytes(available)} are left ({Advice})",
                    $"{what}, which need about {Megabytes(bytes)}"
                ),
            ]);
        }
    }

    /// <summary>What loading gives.</summary>
    /// <exception cref="RefusedException">The memory is not enough.</exception>
    public static TValue Guard<TValue>(string path, Func<TValue> load)
    {
        try
        {
            return load();
        }
        catch (OutOfMemoryException)
        {
            var all = Megabytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            throw new RefusedException([
                DataFile.Sentence(
                    path,
                    $"data that fit in memory, of which there are {all} ({Advice})",
                    "more"
                ),
            ]);
        }
    }

    private static string Megabytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, bytes) / 1e6:N0} MB");
}
