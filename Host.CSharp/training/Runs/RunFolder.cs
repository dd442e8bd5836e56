using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The folder of one run; one process at a time works on it. Logs grow line by line; every other
/// file is whole or absent.</summary>
internal sealed class RunFolder : IDisposable
{
    public const string SettingsFile = "settings.json";
    public const string SummaryFile = "summary.json";
    public const string ModelName = "model.safetensors";
    public const string CurvesName = "curves.svg";
    public const string LockName = "lock";

    /// <summary>The files that <c>evaluate</c> writes: for programs, texts and browsers.</summary>
    public static readonly string[] EvaluationFiles =
    [
        "evaluation.json",
        "evaluation.md",
        "evaluation.html",
    ];

    /// <summary>The format of the time in a folder's name: when its run began, in UTC.</summary>
    private const string Stamp = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>How many names are tried if other runs take them at the same moment.</summary>
    private const int MostAtOnce = 100;

    private readonly IFiles files;
    private readonly FileStream held;

    private RunFolder(IFiles files, string path)
    {
        this.files = files;
        Path = path;
        Checkpoints = CheckpointsOf(path);
        Folders.Create(files, path);
        files.CreateFolder(Checkpoints);
        held = Hold(path);
        Logs = new(files, path);
    }

    public string Path { get; }

    /// <summary>The folder of its checkpoints.</summary>
    public string Checkpoints { get; }

    public RunLogs Logs { get; }

    /// <summary>The checkpoint folder of a run folder.</summary>
    public static string CheckpointsOf(string path) => System.IO.Path.Combine(path, "checkpoints");

    private static string LockOf(string path) =>
        System.IO.Path.Combine(CheckpointsOf(path), LockName);

    /// <summary>When a run began, by its folder's name; null for other names.</summary>
    public static DateTime? BeganAt(string name) =>
        DateTime.TryParseExact(
            name.Split('-')[0],
            Stamp,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AdjustToUniversal,
            out var began
        )
            ? began
            : null;

    /// <summary>The accepted names of runs, in words.</summary>
    public const string Name = "1 to 200 bytes of a folder's name, without control characters";

    /// <summary>Whether a folder's name can end with it.</summary>
    public static bool CanBeName(string name) =>
        !string.IsNullOrWhiteSpace(name)
        && System.Text.Encoding.UTF8.GetByteCount(name) <= 200
        && name.IndexOfAny(['/', '\\', .. System.IO.Path.GetInvalidFileNameChars()]) < 0
        && !name.Any(char.IsControl);

    /// <summary>A new folder.</summary>
    /// <exception cref="RefusedException">It cannot be created.</exception>
    public static RunFolder Create(
        IFiles files,
        RunConfiguration configuration,
        Learning.Architecture architecture,
        TimeProvider clock
    )
    {
        var parent = System.IO.Path.GetFullPath(configuration.Settings.Run.Directory);
        var time = clock.GetUtcNow().ToString(Stamp, CultureInfo.InvariantCulture);
        var sizes = architecture.ToString();
        if (!CanBeName(sizes))
            sizes = $"{architecture.Sizes.Length - 1}-layers";
        var name = configuration.Settings.Run.Name ?? sizes;
        try
        {
            Directory.CreateDirectory(parent);
            for (var count = 1; ; count++)
            {
                var again = count == 1 ? "" : $"-{count}";
                var path = System.IO.Path.Combine(parent, $"{time}-{name}{again}");
                if (Directory.Exists(path))
                    continue;
                try
                {
                    return new(files, path);
                }
                catch (IOException) when (File.Exists(LockOf(path)) && count < MostAtOnce)
                {
                    // Another run that was started at the same moment has locked it.
                }
            }
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            throw Refused("Run:Directory", "a folder that can be written", parent, trouble);
        }
    }

    /// <summary>The folder of a run to resume.</summary>
    /// <exception cref="RefusedException">Another process works on it, or it cannot be written.</exception>
    public static RunFolder Open(IFiles files, string path)
    {
        try
        {
            return new(files, path);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            var refused = Refused(
                path,
                "a run folder that can be written and that no other process works on",
                "another",
                trouble
            );
            throw trouble is IOException && File.Exists(LockOf(path))
                ? new RunInUseException(refused.Reasons[0])
                : refused;
        }
    }

    /// <summary>The program's version.</summary>
    public static string? Version { get; } =
        typeof(RunFolder)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion;

    /// <summary>Writes all that is needed to repeat the run.</summary>
    /// <param name="configuration">Its settings.</param>
    /// <param name="dataHashes">The SHA-256 of its data files, by their names.</param>
    /// <param name="cadence">Which iterations have a line in the log.</param>
    /// <param name="beganWith">The folder of the run whose network it began with, if any.</param>
    public void WriteSettings(
        RunConfiguration configuration,
        IReadOnlyDictionary<string, string> dataHashes,
        Cadence cadence,
        string? beganWith
    )
    {
        var settings = SettingsJson.Of(configuration);
        settings["run"]!["progress_every"] = cadence.Every;
        var effective = new
        {
            Settings = settings,
            DataSha256 = dataHashes,
            BeganWith = beganWith,
            Build = new
            {
                Version,
                Runtime = RuntimeInformation.FrameworkDescription,
                System = RuntimeInformation.OSDescription,
                Architecture = RuntimeInformation.ProcessArchitecture.ToString(),
            },
            Cpu = new
            {
                Processors = Environment.ProcessorCount,
                Vector512 = Vector512.IsHardwareAccelerated,
                Vector256 = Vector256.IsHardwareAccelerated,
                Vector128 = Vector128.IsHardwareAccelerated,
            },
        };
        Write(SettingsFile, JsonText.Of(effective));
    }

    public void WriteModel<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        Write(ModelName, Safetensors.Write(model));

    public void WriteCurves(byte[] svg) => Write(CurvesName, svg);

    public void WriteSummary(RunSummary summary) => Write(SummaryFile, JsonText.Of(summary));

    /// <summary>Deletes the summary and, if the run continues, the evaluation files of its earlier
    /// model. They do not come back after a loss of power.</summary>
    public void DeleteResults(bool continues)
    {
        var paths = ((string[])[SummaryFile, .. continues ? EvaluationFiles : []])
            .Select(name => System.IO.Path.Combine(Path, name))
            .Where(files.Exists)
            .ToArray();
        if (paths.Length == 0)
            return;
        foreach (var path in paths)
            files.Delete(path);
        files.FlushFolder(Path);
    }

    public void Dispose() => held.Dispose();

    private void Write(string name, byte[] bytes) =>
        AtomicFile.Write(files, System.IO.Path.Combine(Path, name), bytes);

    /// <summary>Locks the folder: the system lets one process at a time open the file, and releases it
    /// however the process ends.</summary>
    public static FileStream Hold(string path) =>
        new(LockOf(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private static RefusedException Refused(
        string subject,
        string expected,
        string found,
        Exception trouble
    ) =>
        new([
            Faults
                .Create(subject, expected, $"{found} ({trouble.Message.TrimEnd('.')})")
                .ToString(),
        ]);
}
