using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipeline.Training;

/// <summary>Settings as they are stored in a run folder.</summary>
internal static class SettingsJson
{
    /// <summary>The settings of a run, with full paths and with the values that were chosen for unset
    /// ones.</summary>
    public static JsonNode Of(RunConfiguration configuration)
    {
        var settings = Of(configuration.Settings);
        foreach (var path in SettingCatalog.All.Where(setting => setting.IsPath))
        {
            if (Value(settings, path) is { } given)
                settings[Name(path.Section)]![Name(path.Property.Name)] = Path.GetFullPath(
                    given.GetValue<string>()
                );
        }
        if (configuration.Settings.Model.Layers is null)
            settings["model"]!["hidden"] = JsonSerializer.SerializeToNode(
                configuration.Hidden,
                JsonText.Options
            );
        if (configuration.Head.IsIdentity)
            settings["data"]!["target_scaling"] = configuration.TargetScaling.ToString();
        var training = settings["training"]!;
        if (configuration.Hyperparameters.Length is Learning.RunLength.Iterations steps)
            training["iterations"] = steps.Item;
        training["threads"] = configuration.Threads;
        return settings;
    }

    public static JsonNode Of(PipelineSettings settings) =>
        JsonSerializer.SerializeToNode(settings, JsonText.Options)!;

    /// <summary>The value of a setting; null if it is unset.</summary>
    public static JsonNode? Value(JsonNode settings, Setting setting) =>
        settings[Name(setting.Section)]?[Name(setting.Property.Name)];

    /// <summary>A value as it is written on a command line.</summary>
    public static string Text(JsonNode? value) =>
        value switch
        {
            null => "nothing",
            JsonArray { Count: 0 } => "none",
            JsonArray list => string.Join(',', list.Select(Text)),
            _ => value.ToString(),
        };

    /// <summary>A value as configuration entries: one for each value of a list, as a name may contain a
    /// comma.</summary>
    public static IEnumerable<(string Key, string Value)> Entries(string key, JsonNode value) =>
        value is JsonArray { Count: > 0 } list
            ? list.Select((one, place) => ($"{key}:{place}", Text(one)))
            : [(key, Text(value))];

    /// <summary>The SHA-256 of some settings' values. Defaults are left out, so that a setting added in a
    /// later version does not change the hash.</summary>
    public static string Hash(JsonNode settings, IEnumerable<Setting> some)
    {
        // Runs from before the setting scaled no targets.
        var unlessSet = Of(new PipelineSettings { Data = new() { TargetScaling = "None" } });
        var lines =
            from setting in some
            let text = Text(Value(settings, setting))
            where text != Text(Value(unlessSet, setting))
            select $"{setting.Key}={text}\n";
        return Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines)))
        );
    }

    private static string Name(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
