using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipeline.Training;

/// <summary>The results in a run folder.</summary>
/// <param name="Run">The run and its settings.</param>
/// <param name="Summary">The content of summary.json.</param>
/// <param name="Epochs">Its figures after each epoch: a header, then a line for each epoch.</param>
internal sealed record RunRecord(StoredRun Run, JsonObject Summary, IReadOnlyList<string> Epochs)
{
    private const string EpochsFile = "epochs.csv";

    public string Path => Run.Path;

    /// <summary>The run's own files, which are not overwritten by a picture.</summary>
    public IEnumerable<string> Files =>
        new[]
        {
            RunFolder.SettingsFile,
            RunFolder.SummaryFile,
            RunLogs.ProgressName,
            EpochsFile,
            RunFolder.ModelName,
        }.Select(name => System.IO.Path.Combine(Path, name));

    /// <summary>The record of a run.</summary>
    /// <param name="path">Its folder.</param>
    /// <param name="mayBeUnfinished">Whether it may have no summary, which is then empty.</param>
    /// <exception cref="RefusedException">The folder is not a run folder, or a file in it is
    /// damaged.</exception>
    public static RunRecord Read(string path, bool mayBeUnfinished = false)
    {
        var run = StoredRun.Read(path);
        var epochs = DataFile.Read(
            System.IO.Path.Combine(run.Path, EpochsFile),
            DataFile.UsualLimit
        );
        return new(
            run,
            mayBeUnfinished && !File.Exists(System.IO.Path.Combine(run.Path, RunFolder.SummaryFile))
                ? []
                : SummaryOf(run.Path),
            System
                .Text.Encoding.UTF8.GetString(epochs.Content.Span)
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        );
    }

    /// <summary>A setting as it is written on a command line; null if it is unset.</summary>
    public string? Value(Setting setting) =>
        SettingsJson.Value(Run.Settings, setting) is { } value ? SettingsJson.Text(value) : null;

    private static JsonObject SummaryOf(string folder)
    {
        var path = System.IO.Path.Combine(folder, RunFolder.SummaryFile);
        var file = DataFile.Read(path, DataFile.UsualLimit);
        try
        {
            return StrictJson.Node(file.Content.Span) as JsonObject
                ?? throw Refused(path, "no JSON object");
        }
        catch (JsonException damaged)
        {
            var (place, found) = JsonFault.Of(damaged, file.Content.Span);
            throw Refused(path + place, found);
        }
    }

    /// <summary>A figure of the summary as text.</summary>
    public string Figure(string name) =>
        Summary[name] switch
        {
            null => "–",
            JsonValue value when value.TryGetValue<double>(out var number) => number.ToString(
                double.IsInteger(number) ? "F0" : "G6",
                System.Globalization.CultureInfo.InvariantCulture
            ),
            var other => other.ToString(),
        };

    private static RefusedException Refused(string path, string found) =>
        new([DataFile.Sentence(path, "what a run leaves", found)]);
}
