using System.Globalization;
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

    /// <summary>A run of a trial.</summary>
    /// <param name="id">The sweep.</param>
    /// <param name="trial">The number of the trial.</param>
    /// <param name="part">The name of one of its runs; empty if it is one run.</param>
    /// <returns>Null if there is no such run.</returns>
    public string? FindRun(string id, string trial, string part)
    {
        if (
            Find(id) is not { } path
            || !int.TryParse(trial, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        )
            return null;
        return RunsOf(path, number)
            .Where(run => run.Part.Equals(part, StringComparison.Ordinal))
            .Select(run => run.Path)
            .FirstOrDefault();
    }

    /// <summary>The runs of a trial that have begun: one without a name, or one for each seed and fold.</summary>
    /// <param name="path">The folder of the sweep.</param>
    /// <param name="trial">The number of the trial.</param>
    public static IEnumerable<(string Part, string Path)> RunsOf(string path, int trial)
    {
        var folder = new TrialFolders(path).TrialOf(trial);
        if (RunFolders.IsRun(folder))
            return [("", folder)];
        try
        {
            return Directory
                .GetDirectories(folder)
                .Where(RunFolders.IsRun)
                .Order(StringComparer.Ordinal)
                .Select(part => (Path.GetFileName(part), part));
        }
        catch (Exception missing) when (AtomicFile.IsDiskError(missing))
        {
            // No run has begun, or nobody may read it.
            return [];
        }
    }

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
