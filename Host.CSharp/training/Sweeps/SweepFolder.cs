using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>What another terminal asks of a sweep.</summary>
internal enum SweepRequest
{
    /// <summary>Nothing: it goes on.</summary>
    None,

    /// <summary>To save all trials and to wait.</summary>
    Pause,

    /// <summary>To save all trials and to end.</summary>
    Stop,
}

/// <summary>The folder of a sweep; one process at a time works on it. Every file is whole or absent.</summary>
internal sealed class SweepFolder : IDisposable
{
    /// <summary>The plan as it was given.</summary>
    public const string PlanName = "plan.json";

    /// <summary>The settings below all trials, and the data.</summary>
    public const string SettingsName = "sweep.json";
    public const string BoardName = "board.json";
    public const string TableName = "trials.csv";
    public const string PictureName = "sweep.svg";
    public const string BestName = "best.safetensors";

    private const string LockName = "lock";
    private const string RequestName = "request";

    private const int MostTries = 5;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    private readonly IFiles files;
    private readonly FileStream held;

    private SweepFolder(IFiles files, string path, FileStream held)
    {
        this.files = files;
        this.held = held;
        Path = path;
    }

    public string Path { get; }

    /// <summary>The run folders of the trials.</summary>
    public TrialFolders Trials => new(Path);

    /// <summary>Whether a folder holds a sweep.</summary>
    public static bool IsSweep(string path) =>
        File.Exists(System.IO.Path.Combine(path, PlanName))
        && File.Exists(System.IO.Path.Combine(path, BoardName));

    /// <summary>Whether a process works on the sweep of a folder.</summary>
    public static bool IsRunning(string path)
    {
        var file = System.IO.Path.Combine(path, LockName);
        if (!File.Exists(file))
            return false;
        try
        {
            using var free = new FileStream(
                file,
                FileMode.Open,
                FileAccess.ReadWrite,
                FileShare.None
            );
            return false;
        }
        catch (Exception inUse) when (AtomicFile.IsDiskError(inUse))
        {
            return true;
        }
    }

    /// <summary>Opens or creates the folder of a sweep, and locks it.</summary>
    /// <exception cref="RefusedException">It cannot be written, holds something else, or another process works on
    /// it.</exception>
    public static SweepFolder Open(IFiles files, string directory, SweepFile file)
    {
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(directory, file.Name));
        if (
            !IsSweep(path)
            && Directory.Exists(path)
            && Directory
                .EnumerateFileSystemEntries(path)
                .Any(entry =>
                    System.IO.Path.GetFileName(entry) is not (LockName or PlanName or SettingsName)
                    && !entry.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal)
                )
        )
        {
            throw RefusedException.Of(
                path,
                "the folder of a sweep, or none (name in the plan gives another one)",
                "a folder with other files"
            );
        }
        var held = Hold(files, path);
        try
        {
            var plan = System.IO.Path.Combine(path, PlanName);
            if (!File.Exists(plan))
                AtomicFile.Write(files, plan, file.Content);
            else if (!IsSame(File.ReadAllBytes(plan), file.Content))
            {
                throw RefusedException.Of(
                    file.Path,
                    $"the plan that {plan} has, to go on with that sweep, or another name for a new one",
                    "another plan of that name"
                );
            }
            return new(files, path, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static FileStream Hold(IFiles files, string path)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                Folders.Create(files, path);
                return new(
                    System.IO.Path.Combine(path, LockName),
                    FileMode.OpenOrCreate,
                    FileAccess.ReadWrite,
                    FileShare.None
                );
            }
            catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
            {
                var isRunning = IsRunning(path);
                // Who looks whether a process works on it holds the file for a moment.
                if (tries < MostTries && (isRunning || trouble is IOException))
                {
                    Thread.Sleep(Moment);
                    continue;
                }
                throw isRunning
                    ? new RunInUseException(
                        $"{path}: another process works on this sweep. The command sweep status shows it."
                    )
                    : RefusedException.Of(
                        path,
                        "a folder that can be written",
                        trouble.Message.TrimEnd('.')
                    );
            }
        }
    }

    /// <summary>Whether two plans are the same, but for blanks and the order of names.</summary>
    private static bool IsSame(byte[] one, byte[] other)
    {
        try
        {
            return JsonNode.DeepEquals(StrictJson.Node(one), StrictJson.Node(other));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Remembers what all trials have in common, or refuses what has changed since the sweep
    /// began.</summary>
    /// <param name="configuration">The settings of the first trial.</param>
    /// <param name="varied">The settings that the plan varies.</param>
    /// <param name="dataSha256">The SHA-256 of the data files.</param>
    /// <exception cref="RefusedException">There are differences; each is named.</exception>
    public void RequireSame(
        RunConfiguration configuration,
        IReadOnlyCollection<string> varied,
        IReadOnlyDictionary<string, string> dataSha256
    )
    {
        var path = PathOf(SettingsName);
        if (!File.Exists(path))
        {
            Write(SettingsName, JsonText.Of(SweepIdentity.Of(configuration, dataSha256)));
            return;
        }
        SweepIdentity stored;
        try
        {
            stored = SweepIdentity.Parse(File.ReadAllBytes(path));
        }
        catch (Exception damaged) when (damaged is JsonException || AtomicFile.IsDiskError(damaged))
        {
            throw RefusedException.Of(
                path,
                "the settings of this sweep (without the file, they are taken from the plan)",
                "a damaged file"
            );
        }
        var differences = stored.Differences(
            $"the sweep in {Path}",
            configuration,
            varied,
            dataSha256
        );
        if (differences.Count > 0)
            throw new RefusedException(differences);
    }

    /// <summary>What was recorded; null before the first trial.</summary>
    /// <exception cref="RefusedException">The file is damaged.</exception>
    public BoardFile? ReadBoard() =>
        File.Exists(PathOf(BoardName)) ? BoardFile.Read(PathOf(BoardName)) : null;

    public void WriteBoard(BoardFile board) => Write(BoardName, board.ToJson());

    public void WriteTable(SweepBoard board) => Write(TableName, TrialsTable.ToCsv(board));

    public void WritePicture(byte[] svg) => Write(PictureName, svg);

    /// <summary>Copies the model of a run as the best one.</summary>
    public void WriteBest(string run) =>
        Write(BestName, File.ReadAllBytes(System.IO.Path.Combine(run, RunFolder.ModelName)));

    /// <summary>What another terminal asks for.</summary>
    public SweepRequest Request => RequestOf(Path);

    /// <summary>What is asked of the sweep of a folder.</summary>
    public static SweepRequest RequestOf(string path)
    {
        var file = System.IO.Path.Combine(path, RequestName);
        try
        {
            return
                File.Exists(file)
                && EnumNames.TryParse<SweepRequest>(File.ReadAllText(file).Trim(), out var request)
                ? request
                : SweepRequest.None;
        }
        catch (Exception missing) when (AtomicFile.IsDiskError(missing))
        {
            return SweepRequest.None;
        }
    }

    /// <summary>Asks something of the sweep of a folder.</summary>
    public static void Ask(IFiles files, string path, SweepRequest request)
    {
        var file = System.IO.Path.Combine(path, RequestName);
        if (request == SweepRequest.None)
            files.Delete(file);
        else
            AtomicFile.Write(files, file, System.Text.Encoding.UTF8.GetBytes($"{request}\n"));
    }

    /// <summary>The path of a file of the folder.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => held.Dispose();

    private void Write(string name, byte[] bytes) => AtomicFile.Write(files, PathOf(name), bytes);
}
