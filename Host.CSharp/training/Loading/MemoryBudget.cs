using System.Globalization;

namespace Pipeline.Training;

/// <summary>Refuses data that do not fit in memory: before they are read if their size is known, otherwise
/// when memory runs out.</summary>
internal static class MemoryBudget
{
    /// <summary>From this number of bytes on, a collection is worth its time.</summary>
    private const long Large = 1 << 25;

    private const string Advice =
        "give the process more memory, or use a file with fewer rows or columns";

    /// <summary>Refuses data that need more memory than is available.</summary>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="what">The data in words.</param>
    /// <param name="bytes">The approximate number of bytes needed.</param>
    /// <exception cref="RefusedException">Fewer bytes are available.</exception>
    public static void Require(string path, string what, long bytes)
    {
        if (!Allows(bytes))
        {
            throw RefusedException.Of(
                path,
                $"data that fit in memory, of which {Megabytes(Available)} are left ({Advice})",
                $"{what}, which need about {Megabytes(bytes)}"
            );
        }
    }

    /// <summary>Returns whether a number of bytes is available.</summary>
    public static bool Allows(long bytes) => bytes <= Available;

    /// <summary>The bytes in use.</summary>
    public static long Used => GC.GetTotalMemory(forceFullCollection: false);

    private static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Used;

    /// <summary>The result of loading.</summary>
    /// <exception cref="RefusedException">Memory ran out.</exception>
    public static TValue Guard<TValue>(string path, Func<TValue> load)
    {
        try
        {
            return load();
        }
        catch (OutOfMemoryException)
        {
            var all = Megabytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            throw RefusedException.Of(
                path,
                $"data that fit in memory, of which there are {all} ({Advice})",
                "more"
            );
        }
    }

    /// <summary>Returns the memory of large files that were parsed to the system, before their numbers are put together.
    /// Otherwise both would be in memory: the collector waits until the next large arrays have filled it, and keeps
    /// what it has freed for a while.</summary>
    /// <param name="before">The bytes in use before the files were read.</param>
    public static void Release(long before)
    {
        if (Used - before > Large)
            GC.Collect(
                GC.MaxGeneration,
                GCCollectionMode.Aggressive,
                blocking: true,
                compacting: true
            );
    }

    private static string Megabytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, bytes) / 1e6:N0} MB");
}
