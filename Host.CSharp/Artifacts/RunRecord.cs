using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipeline.Training;

/// <summary>What a run has left in its folder.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Settings">What it was set to.</param>
/// <param name="Summary">What it came to.</param>
/// <param name="Epochs">Its figures after each epoch: a header, then a line an epoch.</param>
internal sealed record RunRecord(
    string Path,
    JsonNode Settings,
    JsonObject Summary,
    IReadOnlyList<string> Epochs
)
{
    /// <exception cref="RefusedException">It is no run's folder, or a file in it is damaged.</exception>
    public static RunRecord Read(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        var settings = Json(path, "settings.json");
        var epochs = DataFile.Read(System.IO.Path.Combine(path, "epochs.csv"), DataFile.UsualLimit);
        return new(
            path,
            settings["settings"]
                ?? throw Refused(System.IO.Path.Combine(path, "settings.json"), "no settings"),
            Json(path, "summary.json"),
            System
                .Text.Encoding.UTF8.GetString(epochs.Content.Span)
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        );
    }

    /// <summary>Its settings by their full names, but for those of the machine.</summary>
    public Dictionary<string, string?> Values()
    {
        var values = new Dictionary<string, string?>();
        foreach (var setting in SettingCatalog.All)
        {
            if (setting.Property.Name != "Threads" && Value(setting) is { } value)
                values[$"{SettingsReader.Root}:{setting.Key}"] = value;
        }
        return values;
    }

    /// <summary>A setting as a person writes it; null where it was left open.</summary>
    public string? Value(Setting setting) =>
        Settings[Name(setting.Section)]?[Name(setting.Property.Name)] switch
        {
            null => null,
            JsonArray { Count: 0 } => "none",
            JsonArray list => string.Join(',', list),
            var value => value.ToString(),
        };

    /// <summary>A figure of the summary as a person reads it.</summary>
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

    private static string Name(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private static JsonObject Json(string folder, string name)
    {
        var path = System.IO.Path.Combine(folder, name);
        try
        {
            var file = DataFile.Read(path, DataFile.UsualLimit);
            return JsonNode.Parse(file.Content.Span) as JsonObject
                ?? throw Refused(path, "no JSON object");
        }
        catch (JsonException damaged)
        {
            throw Refused(path, damaged.Message.TrimEnd('.'));
        }
    }

    private static RefusedException Refused(string path, string found) =>
        new([DataFile.Sentence(path, "what a run leaves", found)]);
}
