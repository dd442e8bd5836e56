using Microsoft.Extensions.Configuration;
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
        var faults = new List<string>();
        var values = new Dictionary<string, string?>();
        foreach (var key in LeafKeys(configuration.GetSection(Root)))
        {
            if (SettingCatalog.Find(key) is null && SettingCatalog.Find(ParentOf(key)) is null)
                faults.Add(Unknown(key));
        }
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
                    faults.Add(Faults.Create(setting.Key, setting.Kind, $"'{value}'").ToString());
            }
        }
        var sifted = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        return new(sifted, faults);
    }

    private static KeyValuePair<string, string>[]? ScalarEntry(
        IConfiguration configuration,
        Setting setting
    )
    {
        var value = configuration[$"{Root}:{setting.Key}"];
        return string.IsNullOrEmpty(value) ? null : [new(setting.Key, value)];
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
            var places = layer
                .GetChildKeys([], path)
                .Distinct()
                .Select(place => layer.TryGet($"{path}:{place}", out var value) ? value : null);
            var whole = layer.TryGet(path, out var text) ? text ?? "" : null;
            string[] found = [.. places.OfType<string>()];
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

    private static string ParentOf(string key) =>
        key.LastIndexOf(':') is > 0 and var end ? key[..end] : key;

    private static IEnumerable<string> LeafKeys(IConfigurationSection root) =>
        from pair in root.AsEnumerable(makePathsRelative: true)
        where pair.Key.Length > 0 && pair.Value is not null
        select pair.Key;

    private static string Unknown(string key)
    {
        var (nearest, distance) = SettingCatalog
            .All.Select(setting => (setting.Key, Distance: Distance(setting.Key, key)))
            .MinBy(candidate => candidate.Distance);
        var hint = distance <= key.Length / 3 ? $"{nearest} is the nearest" : "--help lists them";
        return Faults.Create(key, $"a known setting ({hint})", "an unknown one").ToString();
    }

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
