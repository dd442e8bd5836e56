using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What the configuration says, sifted: values that fit their settings, and a sentence for
/// each thing that does not.</summary>
internal sealed record SiftedConfiguration(IConfiguration Values, IReadOnlyList<string> Faults);

/// <summary>Looks through the layers of the configuration before they are bound, so that every fault
/// is said at once; a binder stops at its first.</summary>
internal static class SettingsReader
{
    public const string Root = "Pipeline";

    public static SiftedConfiguration Sift(IConfigurationRoot configuration)
    {
        List<string> faults = [.. Misplaced(configuration)];
        var values = new Dictionary<string, string?>();
        foreach (var setting in SettingCatalog.All)
        {
            var entries = setting.IsList
                ? ListEntries(configuration, setting)
                : ScalarEntry(configuration, setting);
            // An empty list says "none", where an absent one leaves the default.
            if (entries is [])
                values[setting.Key] = "";
            foreach (var (key, value) in entries ?? [])
            {
                if (setting.Accepts(value))
                    values[key] = value;
                else
                    faults.Add(Sentence(setting.Key, setting.Kind, $"'{value}'"));
            }
        }
        foreach (var overridden in Overridden(configuration))
            values.Remove(overridden);
        var sifted = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        return new(sifted, faults);
    }

    /// <summary>A run's length is said in one of two ways: the one in the upper layer counts. Both in one
    /// layer is a fault, which the core finds.</summary>
    private static IEnumerable<string> Overridden(IConfigurationRoot configuration)
    {
        const string iterations = "Training:Iterations";
        const string epochs = "Training:Epochs";

        int Layer(string key) =>
            configuration
                .Providers.ToList()
                .FindLastIndex(layer => layer.TryGet($"{Root}:{key}", out _));

        var (first, second) = (Layer(iterations), Layer(epochs));
        if (first > second)
            yield return epochs;
        if (second > first)
            yield return iterations;
    }

    /// <summary>A sentence for a setting that nobody knows.</summary>
    public static string Unknown(string key)
    {
        var (nearest, distance) = SettingCatalog
            .All.Select(setting => (setting.Key, Distance: Distance(setting.Key, key)))
            .MinBy(candidate => candidate.Distance);
        var hint = distance <= key.Length / 5 ? $"{nearest} is the nearest" : "--help lists them";
        return Sentence(key, $"a known setting ({hint})", "an unknown one");
    }

    /// <summary>Levels and formats that logging does not know; it would throw at the first message, or
    /// say nothing.</summary>
    public static IEnumerable<string> LoggingFaults(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.GetSection("Logging").AsEnumerable())
        {
            if (value is null)
                continue;
            if (
                key.Contains("LogLevel:", StringComparison.Ordinal)
                && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _)
            )
                yield return Sentence(key, OneOf(Enum.GetNames<LogLevel>()), $"'{value}'");
            if (
                key.EndsWith(":FormatterName", StringComparison.OrdinalIgnoreCase)
                && !Formatters.Contains(value, StringComparer.OrdinalIgnoreCase)
            )
                yield return Sentence(key, OneOf(Formatters), $"'{value}'");
        }
    }

    private static readonly string[] Formatters =
    [
        ConsoleFormatterNames.Simple,
        ConsoleFormatterNames.Json,
        ConsoleFormatterNames.Systemd,
    ];

    private static string OneOf(string[] names) => $"one of {string.Join(", ", names)}";

    /// <summary>What stands where no setting does.</summary>
    private static IEnumerable<string> Misplaced(IConfigurationRoot configuration)
    {
        var files = configuration.Providers.OfType<JsonConfigurationProvider>();
        foreach (var section in files.SelectMany(file => file.GetChildKeys([], null)).Distinct())
        {
            if (
                !section.Equals(Root, StringComparison.OrdinalIgnoreCase)
                && !section.Equals("Logging", StringComparison.OrdinalIgnoreCase)
            )
                yield return Sentence(section, $"the sections {Root} and Logging", "another");
        }
        if (configuration[Root] is { } text)
            yield return Sentence(Root, "a section of settings", $"'{text}'");
        foreach (var pair in configuration.GetSection(Root).AsEnumerable(makePathsRelative: true))
        {
            if (pair.Key.Length > 0 && pair.Value is not null && !IsKnown(pair.Key))
                yield return Unknown(pair.Key);
        }
    }

    /// <summary>Whether a value may stand there: a setting, or a place in a list.</summary>
    private static bool IsKnown(string key) =>
        SettingCatalog.Find(key) is not null
        || key.LastIndexOf(':') is > 0 and var end
            && SettingCatalog.Find(key[..end]) is { IsList: true }
            && int.TryParse(key[(end + 1)..], CultureInfo.InvariantCulture, out _);

    private static string Sentence(string key, string expected, string found) =>
        Faults.Create(key, expected, found).ToString();

    private static KeyValuePair<string, string>[]? ScalarEntry(
        IConfiguration configuration,
        Setting setting
    )
    {
        var value = configuration[$"{Root}:{setting.Key}"];
        return value is null ? null : [new(setting.Key, value)];
    }

    /// <summary>A list comes whole from the last layer that has it: a short one leaves no tail of a
    /// longer one below. Its values stand apart, or in one text with commas.</summary>
    private static KeyValuePair<string, string>[]? ListEntries(
        IConfigurationRoot configuration,
        Setting setting
    )
    {
        var path = $"{Root}:{setting.Key}";
        foreach (var layer in configuration.Providers.Reverse())
        {
            string[] found =
            [
                .. layer
                    .GetChildKeys([], path)
                    .Distinct()
                    .Where(place => IsKnown($"{setting.Key}:{place}"))
                    .Select(place =>
                        layer.TryGet($"{path}:{place}", out var value) ? value ?? "" : ""
                    ),
            ];
            var whole = layer.TryGet(path, out var text) ? text ?? "" : null;
            if (found.Length == 0 && whole is null)
                continue;
            var values = found.Length > 0 ? found : SplitList(whole!);
            return
            [
                .. values.Select((value, i) => KeyValuePair.Create($"{setting.Key}:{i}", value)),
            ];
        }
        return null;
    }

    private static string[] SplitList(string text) =>
        text.Equals("none", StringComparison.OrdinalIgnoreCase)
            ? []
            : text.Split(
                ',',
                StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
            );

    /// <summary>Levenshtein's distance: how many letters to change.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var same = char.ToUpperInvariant(one[i - 1]) == char.ToUpperInvariant(other[j - 1]);
                var change = diagonal + (same ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
