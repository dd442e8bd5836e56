using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>An earlier run, as the settings.json of its folder describes it.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Settings">Its settings, with the values that were chosen for unset ones.</param>
/// <param name="DataSha256">The SHA-256 of its data files, by their names: training files first.</param>
/// <param name="BeganWith">The folder of the run whose network it began with; null if it began from
/// scratch.</param>
internal sealed record StoredRun(
    string Path,
    JsonNode Settings,
    IReadOnlyDictionary<string, string> DataSha256,
    string? BeganWith = null
)
{
    /// <summary>The required content of settings.json; the rest is information for readers.</summary>
    private sealed record Stored(
        PipelineSettings Settings,
        IReadOnlyDictionary<string, string> DataSha256,
        string? BeganWith = null
    );

    private static readonly JsonSerializerOptions Json = new(JsonText.Options)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The run of a folder.</summary>
    /// <param name="said">Its path, or its name in <paramref name="directory"/>.</param>
    /// <param name="directory">Where run folders are.</param>
    /// <exception cref="RefusedException">There is no such run, or its settings.json is
    /// damaged.</exception>
    public static StoredRun Find(string said, string directory)
    {
        var inDirectory = System.IO.Path.GetFullPath(said, System.IO.Path.GetFullPath(directory));
        var path = System.IO.Path.GetFullPath(said);
        foreach (var candidate in (string[])[path, inDirectory])
        {
            if (File.Exists(System.IO.Path.Combine(candidate, RunFolder.SettingsFile)))
                return Read(candidate);
        }
        throw RefusedException.Of(
            "Run:Resume",
            $"a run folder with {RunFolder.SettingsFile}",
            path
        );
    }

    /// <summary>The run folders of a directory, newest first: by the time that a folder's name begins with,
    /// then by the number at its end if several began in the same second. Other folders are
    /// ignored.</summary>
    /// <exception cref="RefusedException">The directory cannot be read.</exception>
    public static IReadOnlyList<string> Folders(string directory)
    {
        if (!Directory.Exists(directory))
            return [];
        try
        {
            return
            [
                .. Directory
                    .EnumerateDirectories(System.IO.Path.GetFullPath(directory))
                    .Where(path =>
                        File.Exists(System.IO.Path.Combine(path, RunFolder.SettingsFile))
                    )
                    .Select(path => (Path: path, Name: System.IO.Path.GetFileName(path)))
                    .Select(run => (run.Path, run.Name, Began: RunFolder.BeganAt(run.Name)))
                    .Where(run => run.Began is not null)
                    .OrderByDescending(run => run.Began)
                    // -10 is after -2.
                    .ThenByDescending(run => run.Name.Length)
                    .ThenByDescending(run => run.Name, StringComparer.Ordinal)
                    .Select(run => run.Path),
            ];
        }
        catch (Exception unreadable) when (AtomicFile.IsDiskError(unreadable))
        {
            throw RefusedException.Of(
                "Run:Directory",
                "a folder that can be read",
                unreadable.Message.TrimEnd('.')
            );
        }
    }

    /// <summary>The outcome of a finished run, completed or diverged; null for a run that was stopped or
    /// killed, or is in progress.</summary>
    public static Outcome? FinishedAs(string path)
    {
        var file = System.IO.Path.Combine(path, RunFolder.SummaryFile);
        try
        {
            var outcome = StrictJson.Node(File.ReadAllBytes(file))?["outcome"]?.GetValue<string>();
            return
                Enum.TryParse<Outcome>(outcome, ignoreCase: true, out var known)
                && known is Outcome.Completed or Outcome.Diverged
                ? known
                : null;
        }
        catch (Exception missing)
            when (missing is JsonException or InvalidOperationException
                || AtomicFile.IsDiskError(missing)
            )
        {
            return null;
        }
    }

    /// <summary>Its settings by their full names, except for those of a machine or a process.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Values() =>
        from setting in SettingCatalog.All
        where setting.Key is not ("Training:Threads" or "Run:Resume")
        let value = SettingsJson.Value(Settings, setting)
        where value is not null
        from entry in SettingsJson.Entries(setting.Key, value)
        select KeyValuePair.Create($"{SettingsReader.Root}:{entry.Key}", (string?)entry.Value);

    /// <summary>A sentence for every setting of a configuration that differs and affects this run's
    /// result.</summary>
    public IReadOnlyList<string> Differences(RunConfiguration configuration)
    {
        var now = SettingsJson.Of(configuration);
        return
        [
            .. from setting in configuration.AffectingResult
            let before = SettingsJson.Text(SettingsJson.Value(Settings, setting))
            let after = SettingsJson.Text(SettingsJson.Value(now, setting))
            where before != after
            select Faults
                .Create(setting.Key, $"{before}, as the run in {Path} has it", after)
                .ToString(),
        ];
    }

    /// <summary>A sentence for every data file that is not the one the run began with. A file is known by
    /// its content: it may have another name or be in another folder.</summary>
    public IReadOnlyList<string> Differences(IReadOnlyDictionary<string, string> dataSha256)
    {
        if (DataHashes.AreSame(DataSha256, dataSha256))
            return [];
        return
        [
            .. from name in DataSha256.Keys.Union(dataSha256.Keys).Order(StringComparer.Ordinal)
            let before = DataSha256.GetValueOrDefault(name, "none")
            let now = dataSha256.GetValueOrDefault(name, "none")
            where before != now
            select Faults
                .Create(name, $"the data of the run in {Path}, SHA-256 {before}", now)
                .ToString(),
        ];
    }

    /// <summary>Refuses settings or data files other than those the run began with, and says what can be
    /// done instead.</summary>
    /// <exception cref="RefusedException">There are differences.</exception>
    public void RefuseDifferences(
        RunConfiguration configuration,
        IReadOnlyDictionary<string, string> dataSha256
    )
    {
        var settings = Differences(configuration);
        string[] differences = [.. settings, .. Differences(dataSha256)];
        if (differences.Length == 0)
            return;
        var free = SettingCatalog
            .All.Except(configuration.AffectingResult)
            .Select(setting => setting.Key);
        var advice =
            $"Settings that may change when a run is resumed: {string.Join(", ", free)}. To start a new run with the given settings, set Run:Resume=Never.";
        throw new RefusedException([
            .. differences,
            .. settings.Count == 0 ? (string[])[] : [advice],
        ]);
    }

    /// <summary>The settings of a run. One that predicts numbers and says nothing of their scaling is from before
    /// there was any.</summary>
    private static PipelineSettings WithTargetScaling(PipelineSettings settings) =>
        settings.Data.TargetScaling is null
        && settings.Model.Head.Equals(nameof(Head.Identity), StringComparison.OrdinalIgnoreCase)
            ? settings with
            {
                Data = settings.Data with { TargetScaling = nameof(Scaling.None) },
            }
            : settings;

    /// <summary>The run of a folder.</summary>
    /// <exception cref="RefusedException">Its settings.json is missing or damaged.</exception>
    public static StoredRun Read(string path)
    {
        if (path.Length == 0)
            throw RefusedException.Of("the run", "a run folder", "nothing");
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var file = System.IO.Path.Combine(path, RunFolder.SettingsFile);
        if (!File.Exists(file))
            throw NoRun(path);
        byte[] text = [];
        try
        {
            text = File.ReadAllBytes(file);
            var stored = JsonSerializer.Deserialize<Stored>(text, Json);
            return stored is null
                ? throw RefusedException.Of(file, "a run's settings", "null")
                : new(
                    path,
                    SettingsJson.Of(WithTargetScaling(stored.Settings)),
                    stored.DataSha256,
                    stored.BeganWith
                );
        }
        catch (JsonException damaged)
        {
            var (place, found) = JsonFault.Of(damaged, text);
            throw RefusedException.Of(file + place, "a run's settings", found);
        }
        // A number beyond double precision can be read, but not written again.
        catch (ArgumentException)
        {
            throw RefusedException.Of(file, "a run's settings", "a number beyond double precision");
        }
        catch (Exception unreadable) when (AtomicFile.IsDiskError(unreadable))
        {
            throw RefusedException.Of(file, "a run's settings", unreadable.Message.TrimEnd('.'));
        }
    }

    /// <summary>The exception for a path that is not a run folder.</summary>
    public static RefusedException NoRun(string path) =>
        RefusedException.Of(
            path,
            $"a run folder, which holds {RunFolder.SettingsFile}, {RunFolder.SummaryFile} and {RunFolder.ModelName}",
            Directory.Exists(path) ? $"a folder without {RunFolder.SettingsFile}"
                : File.Exists(path) ? "a file"
                : "no such folder"
        );
}
