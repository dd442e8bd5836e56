using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A run that can be gone on with, as its folder tells of it.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Settings">What it was set to, what was chosen included.</param>
/// <param name="DataSha256">The SHA-256 of its data files, by their names.</param>
internal sealed record EarlierRun(
    string Path,
    JsonNode Settings,
    IReadOnlyDictionary<string, string> DataSha256
)
{
    /// <summary>What settings.json must have; the rest of it is for people.</summary>
    private sealed record Stored(
        PipelineSettings Settings,
        IReadOnlyDictionary<string, string> DataSha256
    );

    private static readonly JsonSerializerOptions Json = new(JsonText.Options)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The run of a folder.</summary>
    /// <param name="said">Its path, or its name in <paramref name="directory"/>.</param>
    /// <param name="directory">Where run folders are.</param>
    /// <exception cref="RefusedException">There is none, or it does not tell.</exception>
    public static EarlierRun Find(string said, string directory)
    {
        var inDirectory = System.IO.Path.GetFullPath(said, System.IO.Path.GetFullPath(directory));
        var path = System.IO.Path.GetFullPath(said);
        foreach (var candidate in (string[])[path, inDirectory])
        {
            if (File.Exists(System.IO.Path.Combine(candidate, RunFolder.SettingsFile)))
                return Read(candidate);
        }
        throw Refused("Run:Resume", $"a run folder with {RunFolder.SettingsFile}", path);
    }

    /// <summary>The newest run, by the time that its folder's name begins with, then by the number that it
    /// ends with where several began at once. Folders of other names are a person's.</summary>
    /// <exception cref="RefusedException">It does not tell of itself.</exception>
    public static EarlierRun? Newest(string directory)
    {
        if (!Directory.Exists(directory))
            return null;
        var newest = Directory
            .EnumerateDirectories(directory)
            .Where(path => File.Exists(System.IO.Path.Combine(path, RunFolder.SettingsFile)))
            .Select(path => (Path: path, Name: System.IO.Path.GetFileName(path)))
            .Select(run => (run.Path, run.Name, Began: RunFolder.BeganAt(run.Name)))
            .Where(run => run.Began is not null)
            .OrderBy(run => run.Began)
            // -10 is after -2.
            .ThenBy(run => run.Name.Length)
            .ThenBy(run => run.Name, StringComparer.Ordinal)
            .LastOrDefault()
            .Path;
        return newest is null ? null : Read(System.IO.Path.GetFullPath(newest));
    }

    /// <summary>Whether its summary says that there is nothing more to do.</summary>
    public bool IsFinished()
    {
        var file = System.IO.Path.Combine(Path, RunFolder.SummaryFile);
        try
        {
            var outcome = JsonNode.Parse(File.ReadAllBytes(file))?["outcome"]?.GetValue<string>();
            return Enum.TryParse<Outcome>(outcome, ignoreCase: true, out var known)
                && known is Outcome.Completed or Outcome.Diverged;
        }
        catch (Exception missing)
            when (missing is JsonException or InvalidOperationException
                || WholeFile.IsTrouble(missing)
            )
        {
            return false;
        }
    }

    /// <summary>Its settings by their full names, but for those of the machine and of one process.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Values() =>
        from setting in SettingCatalog.All
        where setting.Key is not ("Training:Threads" or "Run:Resume")
        let value = SettingsJson.Value(Settings, setting)
        where value is not null
        select KeyValuePair.Create(
            $"{SettingsReader.Root}:{setting.Key}",
            (string?)SettingsJson.Text(value)
        );

    /// <summary>What a run set so would not do as this one did, and nothing where it goes on the
    /// same.</summary>
    public IReadOnlyList<string> Differences(RunPlan plan)
    {
        var now = SettingsJson.Of(plan);
        string[] faults =
        [
            .. from setting in plan.Deciding
            let before = SettingsJson.Text(SettingsJson.Value(Settings, setting))
            let after = SettingsJson.Text(SettingsJson.Value(now, setting))
            where before != after
            select Faults
                .Create(setting.Key, $"{before}, as the run in {Path} has it", after)
                .ToString(),
        ];
        if (faults.Length == 0)
            return [];
        var free = SettingCatalog.All.Except(plan.Deciding).Select(setting => setting.Key);
        return
        [
            .. faults,
            $"Settings that may change as a run goes on: {string.Join(", ", free)}.",
        ];
    }

    /// <summary>A sentence for every data file that is not the one the run began with.</summary>
    public IReadOnlyList<string> Differences(IReadOnlyDictionary<string, string> dataSha256) =>
        [
            .. from name in DataSha256.Keys.Union(dataSha256.Keys).Order(StringComparer.Ordinal)
            let before = DataSha256.GetValueOrDefault(name, "none")
            let now = dataSha256.GetValueOrDefault(name, "none")
            where before != now
            select Faults
                .Create(name, $"the data of the run in {Path}, SHA-256 {before}", now)
                .ToString(),
        ];

    /// <summary>The run of a folder.</summary>
    /// <exception cref="RefusedException">It does not tell of itself.</exception>
    public static EarlierRun Read(string path)
    {
        if (path.Length == 0)
            throw Refused("the run", "a run folder", "nothing");
        path = System.IO.Path.GetFullPath(path);
        var file = System.IO.Path.Combine(path, RunFolder.SettingsFile);
        try
        {
            var stored = JsonSerializer.Deserialize<Stored>(File.ReadAllBytes(file), Json);
            return stored is null
                ? throw Refused(file, "a run's settings", "null")
                : new(path, SettingsJson.Of(stored.Settings), stored.DataSha256);
        }
        catch (Exception damaged)
            // A number beyond all bounds is read, and cannot be written again.
            when (damaged is JsonException or ArgumentException || WholeFile.IsTrouble(damaged))
        {
            throw Refused(file, "a run's settings", damaged.Message.TrimEnd('.'));
        }
    }

    private static RefusedException Refused(string subject, string expected, string found) =>
        new([Faults.Create(subject, expected, found).ToString()]);
}
