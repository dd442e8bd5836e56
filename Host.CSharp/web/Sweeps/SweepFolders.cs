using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The sweeps of a folder. Nothing is written.</summary>
/// <param name="runs">The runs of the folder.</param>
internal sealed class SweepFolders(RunFolders runs)
{
    /// <summary>The folder of a sweep. The name is looked up among those that the folder has, and never used as a
    /// path.</summary>
    /// <returns>Null if there is no such sweep.</returns>
    public string? Find(string id) =>
        Paths().FirstOrDefault(path => Path.GetFileName(path).Equals(id, StringComparison.Ordinal));

    /// <summary>All sweeps, by their names.</summary>
    public IReadOnlyList<SweepRow> List() => [.. Paths().Select(RowOf)];

    private IEnumerable<string> Paths()
    {
        try
        {
            return Directory.Exists(runs.Directory)
                ?
                [
                    .. Directory
                        .EnumerateDirectories(runs.Directory)
                        .Where(SweepFolder.IsSweep)
                        .Order(StringComparer.Ordinal),
                ]
                : [];
        }
        catch (Exception unreadable) when (AtomicFile.IsDiskError(unreadable))
        {
            // The list of runs says so.
            return [];
        }
    }

    private static SweepRow RowOf(string path)
    {
        try
        {
            var sweep = SweepStatus.Read(path);
            return new(Path.GetFileName(path), sweep.State, sweep.Summary);
        }
        catch (RefusedException damaged)
        {
            return new(Path.GetFileName(path), "damaged", VisibleText.Of(damaged.Reasons[0]));
        }
    }
}
