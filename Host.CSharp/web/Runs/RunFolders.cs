using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The runs of a folder. A run's files are read again only when they have changed; nothing is written.</summary>
/// <param name="directory">The folder in which run folders are.</param>
internal sealed class RunFolders(string directory)
{
    /// <summary>What the id of a run is.</summary>
    public const string Expected = "the name of a run folder in Run:Directory";

    private readonly Lock gate = new();
    private readonly Dictionary<string, (Stamp Stamp, RunRow Row)> known = new(
        StringComparer.Ordinal
    );
    private HashSet<string> names = [];

    /// <summary>The folder in which run folders are.</summary>
    public string Directory { get; } = Path.GetFullPath(directory);

    private sealed record Stamp(DateTime Settings, DateTime Summary, DateTime Epochs, long Length);

    /// <summary>The folder of a run. The name is looked up among those that the folder has, and never used as a
    /// path.</summary>
    /// <returns>Null if there is no such run.</returns>
    public string? Find(string id)
    {
        lock (gate)
        {
            if (!names.Contains(id))
                names = [.. Names()];
            if (!names.TryGetValue(id, out var name))
                return null;
            var path = Path.Combine(Directory, name);
            return IsRun(path) ? path : null;
        }
    }

    /// <summary>All runs.</summary>
    public IReadOnlyList<RunRow> List()
    {
        lock (gate)
        {
            names = [.. Names()];
            var rows = new List<RunRow>(names.Count);
            foreach (var id in names)
            {
                if (RowOf(id) is { } row)
                    rows.Add(row);
            }
            foreach (var gone in known.Keys.Where(id => !names.Contains(id)).ToArray())
                known.Remove(gone);
            return rows;
        }
    }

    private IEnumerable<string> Names()
    {
        try
        {
            return System.IO.Directory.Exists(Directory)
                ? System
                    .IO.Directory.EnumerateDirectories(Directory)
                    .Select(path => Path.GetFileName(path))
                    .Where(name => !name.StartsWith('.'))
                    .ToArray()
                : [];
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

    /// <summary>Whether a folder is that of a run.</summary>
    public static bool IsRun(string path) =>
        File.Exists(Path.Combine(path, RunFolder.SettingsFile));

    private RunRow? RowOf(string id)
    {
        var path = Path.Combine(Directory, id);

        DateTime Written(string name) => File.GetLastWriteTimeUtc(Path.Combine(path, name));

        if (!IsRun(path))
            return null;
        var epochs = new FileInfo(Path.Combine(path, RunLogs.EpochsName));
        var stamp = new Stamp(
            Written(RunFolder.SettingsFile),
            Written(RunFolder.SummaryFile),
            epochs.Exists ? epochs.LastWriteTimeUtc : default,
            epochs.Exists ? epochs.Length : 0
        );
        if (!known.TryGetValue(id, out var entry) || entry.Stamp != stamp)
            known[id] = entry = (stamp, Read(id, path));
        if (entry.Row.Outcome is not null)
            return entry.Row;
        var news = new[] { stamp.Settings, stamp.Epochs, Written(RunLogs.ProgressName) }.Max();
        return entry.Row with { News = news };
    }

    private static RunRow Read(string id, string path)
    {
        var settings = Value(ObjectOf(Path.Combine(path, RunFolder.SettingsFile)), "settings");
        var summary = ObjectOf(Path.Combine(path, RunFolder.SummaryFile));
        var (validation, test) = (BestFigures.None, BestFigures.None);
        long? last = null;
        double? seconds = null;
        new LogTail(Path.Combine(path, RunLogs.EpochsName)).Read(cells =>
        {
            if (LogLines.Epoch(cells) is not { } epoch)
                return;
            (last, seconds) = (epoch.Epoch, epoch.Seconds);
            test = test.And(epoch.Test.Loss, epoch.Test.Accuracy);
            validation = validation.And(epoch.Validation?.Loss, epoch.Validation?.Accuracy);
        });
        return new(
            id,
            RunFolder.BeganAt(id),
            Text(summary, "outcome"),
            DataOf(Value(settings, "data")),
            NetworkOf(Value(settings, "model")),
            last,
            validation.And(
                Number(summary, "final_validation_loss"),
                Number(summary, "final_validation_accuracy")
            ),
            test.And(Number(summary, "final_test_loss"), Number(summary, "final_test_accuracy")),
            Number(summary, "train_seconds") ?? seconds,
            default
        );
    }

    /// <summary>The training file's name, or that of the folder of the digits.</summary>
    private static string DataOf(JsonNode? data) =>
        Path.GetFileName(
            Path.TrimEndingDirectorySeparator(Text(data, "train") ?? Text(data, "directory") ?? "–")
        );

    private static string NetworkOf(JsonNode? model) =>
        Value(model, "layers") is JsonArray layers ? SettingsJson.Text(layers)
        : Value(model, "hidden") is JsonArray hidden
            ? $"{SettingsJson.Text(hidden)} {Text(model, "activation")}"
        : "–";

    /// <summary>The object in a file; null if the file is missing or holds something else.</summary>
    private static JsonObject? ObjectOf(string path)
    {
        try
        {
            return StrictJson.Node(File.ReadAllBytes(path)) as JsonObject;
        }
        catch (Exception missing) when (missing is JsonException || AtomicFile.IsDiskError(missing))
        {
            return null;
        }
    }

    /// <summary>The value of a name; null if the node is no object, or has none.</summary>
    private static JsonNode? Value(JsonNode? node, string name) => (node as JsonObject)?[name];

    private static string? Text(JsonNode? node, string name) =>
        Value(node, name) is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : null;

    private static double? Number(JsonNode? node, string name) =>
        Value(node, name) is JsonValue value && value.TryGetValue<double>(out var number)
            ? number
            : null;
}
