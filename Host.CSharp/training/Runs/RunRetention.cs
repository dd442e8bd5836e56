using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Deletes the oldest run folders of mode Watch, so that a service does not fill its disk: folders
/// of finished runs that this service created in its Run:Directory and that contain only files of a run. The
/// run of the model in use is kept.</summary>
internal sealed class RunRetention(
    RunConfiguration configuration,
    ModelPublisher publisher,
    ILogger<RunRetention> logger
)
{
    /// <summary>The beginning of a folder's name while it is deleted.</summary>
    private const string Deleted = ".deleted-";

    private static readonly HashSet<string> Known =
    [
        RunFolder.SettingsFile,
        RunFolder.SummaryFile,
        RunFolder.ModelName,
        RunFolder.CurvesName,
        RunLogs.ProgressName,
        RunLogs.EpochsName,
        .. RunFolder.EvaluationFiles,
    ];

    private readonly string directory = Path.GetFullPath(configuration.Settings.Run.Directory);

    public void Apply()
    {
        var kept = configuration.Settings.Run.Kept;
        if (kept == 0)
            return;
        try
        {
            foreach (var left in Directory.EnumerateDirectories(directory, $"{Deleted}*"))
                Delete(left, left);
            var used = publisher.Current();
            var runs = Directory
                .EnumerateDirectories(directory)
                .Where(IsFinishedHere)
                .OrderByDescending(path => RunFolder.BeganAt(Path.GetFileName(path)))
                // -10 is after -2.
                .ThenByDescending(path => path.Length)
                .ThenByDescending(path => path, StringComparer.Ordinal);
            foreach (var run in runs.Skip(kept))
            {
                if (run == used?.Run || run == used?.Considered || IsHeld(run) || !IsWhole(run))
                    continue;
                // A folder that is deleted in part would look like an unfinished run.
                var renamed = Path.Combine(directory, Deleted + Path.GetFileName(run));
                Directory.Move(run, renamed);
                if (Delete(renamed, run))
                    logger.RunDeleted(run, kept);
            }
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            logger.RunNotDeleted(directory, trouble.Message.TrimEnd('.'));
        }
    }

    /// <summary>Whether a folder is that of a finished run of mode Watch in this directory.</summary>
    private bool IsFinishedHere(string path)
    {
        if (
            RunFolder.BeganAt(Path.GetFileName(path)) is null
            || new DirectoryInfo(path).LinkTarget is not null
            || !File.Exists(Path.Combine(path, RunFolder.SettingsFile))
        )
            return false;
        try
        {
            var run = StoredRun.Read(path);
            var settings = run.Settings["run"]!;
            return StoredRun.FinishedAs(path) is not null
                && EnumNames.TryParse<RunMode>((string?)settings["mode"] ?? "", out var mode)
                && mode == RunMode.Watch
                && Path.GetFullPath((string?)settings["directory"] ?? "/") == directory;
        }
        catch (RefusedException)
        {
            return false;
        }
    }

    /// <summary>Whether another process works on a run.</summary>
    private static bool IsHeld(string path)
    {
        try
        {
            RunFolder.Hold(path).Dispose();
            return false;
        }
        catch (Exception held) when (AtomicFile.IsDiskError(held))
        {
            return true;
        }
    }

    /// <summary>Whether a folder contains only files of a run.</summary>
    private static bool IsWhole(string path)
    {
        var checkpoints = RunFolder.CheckpointsOf(path);
        return Directory.EnumerateDirectories(path).All(folder => folder == checkpoints)
            && !Directory.EnumerateDirectories(checkpoints).Any()
            && Directory.EnumerateFiles(path).Select(Name).All(IsOfRun)
            && Directory.EnumerateFiles(checkpoints).Select(Name).All(IsOfCheckpoints);

        static string Name(string file) => Path.GetFileName(file);

        static bool IsOfRun(string name) =>
            Known.Contains(Finished(name))
            || name.StartsWith(EventFile.Beginning, StringComparison.Ordinal);

        static bool IsOfCheckpoints(string name) =>
            name == RunFolder.LockName
            || long.TryParse(
                Finished(name).Split('.')[0],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out _
            );

        static string Finished(string name) =>
            name.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal)
                ? name[..^AtomicFile.Unfinished.Length]
                : name;
    }

    private bool Delete(string path, string run)
    {
        try
        {
            Directory.Delete(path, recursive: true);
            return true;
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            logger.RunNotDeleted(run, trouble.Message.TrimEnd('.'));
            return false;
        }
    }
}
