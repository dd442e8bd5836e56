using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The configuration after it was read: the valid values, and a sentence for each error.</summary>
internal sealed record ReadSettings(IConfiguration Values, IReadOnlyList<string> Faults);

/// <summary>Reads and checks the layers of the configuration before they are bound, so that all faults are
/// reported at once; the binder stops at the first.</summary>
internal static class SettingsReader
{
    public const string Root = "Pipeline";

    /// <summary>The key of the preset where no option names it.</summary>
    public const string Preset = $"{Root}:Preset";

    /// <summary>The expected text where a single value stands in the place of a section.</summary>
    public const string Section = "a section of settings";

    /// <param name="configuration">The layers.</param>
    /// <param name="isOwn">Whether all sections of a file are the program's own; in the file of an application
    /// others are none of Pipeline's business.</param>
    public static ReadSettings ReadChecked(IConfigurationRoot configuration, bool isOwn = true)
    {
        List<string> faults = [.. Misplaced(configuration, isOwn).Distinct()];
        var values = new Dictionary<string, string?>();
        foreach (var setting in SettingCatalog.All)
        {
            if (Find(configuration, setting) is not { } found)
                continue;
            // An empty list means "none"; an absent one means the default.
            if (setting.IsList && found.Texts.Length == 0)
                values[setting.Key] = "";
            foreach (var (place, text) in found.Texts.Index())
            {
                if (text is not null && setting.Read(text) is { } value)
                    values[setting.IsList ? $"{setting.Key}:{place}" : setting.Key] = value;
                else
                    faults.Add(
                        Sentence(
                            setting.Key,
                            setting.Kind,
                            text is null ? "null" : $"'{text}'",
                            found.Layer
                        )
                    );
            }
            if (setting.IsList && WrongPlaces(found.Layer, setting) is { } places)
            {
                faults.Add(
                    Sentence(
                        setting.Key,
                        "values at the places 0, 1, 2, …, each once, or a list in one value",
                        places,
                        found.Layer
                    )
                );
            }
        }
        foreach (var overridden in Overridden(configuration))
            values.Remove(overridden);
        var read = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        return new(read, faults);
    }

    /// <summary>A fault of a value as a sentence with the value's origin.</summary>
    public static string Sentence(IConfigurationRoot configuration, Fault fault) =>
        SettingCatalog.OfSubject(fault.Subject) is { } setting
        && Find(configuration, setting) is { } found
            ? Faults.WithRemark(found.Layer.Source($"{Root}:{setting.Key}"), fault).ToString()
            : fault.ToString();

    /// <summary>A setting's texts in the highest layer that has it.</summary>
    private sealed record Said(IConfigurationProvider Layer, string?[] Texts);

    /// <summary>The value of a setting, or the values of a list. All values of a list come from the highest
    /// layer that has it, so that a shorter list replaces a longer one.</summary>
    /// <returns>Null if no layer has it, or if it is set to null.</returns>
    private static Said? Find(IConfigurationRoot configuration, Setting setting)
    {
        var path = $"{Root}:{setting.Key}";
        foreach (var layer in configuration.Providers.Reverse())
        {
            var places = PlacesOf(layer, setting);
            if (places.Length > 0)
            {
                return new(layer, [.. places.Select(place => TextOf(layer, $"{path}:{place}"))]);
            }
            if (!layer.TryGet(path, out var text))
                continue;
            if (text is null && setting.MayBeOpen)
                return null;
            var texts = setting.IsList && text is not null ? Split(setting, text, layer) : [text];
            return new(layer, texts);
        }
        return null;
    }

    /// <summary>The indices of the values of a list in a layer.</summary>
    private static string[] PlacesOf(IConfigurationProvider layer, Setting setting) =>
        setting.IsList
            ?
            [
                .. layer
                    .GetChildKeys([], $"{Root}:{setting.Key}")
                    .Distinct(StringComparer.OrdinalIgnoreCase)
                    .Where(place => IsKnown($"{setting.Key}:{place}")),
            ]
            : [];

    /// <summary>The error in the indices of a list's values in a layer; null if they are 0, 1, 2, …</summary>
    private static string? WrongPlaces(IConfigurationProvider layer, Setting setting)
    {
        var places = PlacesOf(layer, setting);
        if (places.Length == 0)
            return null;
        var said = $"values at {string.Join(", ", places)}";
        if (TextOf(layer, $"{Root}:{setting.Key}") is { } text)
            return $"'{text}' and {said}";
        var numbers = places.Select(place => int.Parse(place, CultureInfo.InvariantCulture));
        return numbers.Order().SequenceEqual(Enumerable.Range(0, places.Length)) ? null : said;
    }

    private static string? TextOf(IConfigurationProvider layer, string path) =>
        layer.TryGet(path, out var text) ? text : null;

    /// <summary>The values of a list that is one text, with commas between them.</summary>
    private static string?[] Split(Setting setting, string text, IConfigurationProvider layer) =>
        text.Equals("none", StringComparison.OrdinalIgnoreCase) ? []
        // The provider turns an empty list of a file into an empty text.
        : text.Length == 0 && layer is JsonConfigurationProvider ? []
        : setting.Key == "Model:Layers" ? [.. LayerKinds.Split(text)]
        : text.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>A run's length is given as iterations or epochs: the one in the higher layer counts. Both in
    /// one layer are a fault, which the core reports.</summary>
    private static IEnumerable<string> Overridden(IConfigurationRoot configuration)
    {
        const string iterations = "Training:Iterations";
        const string epochs = "Training:Epochs";

        int Layer(string key) =>
            configuration
                .Providers.ToList()
                .FindLastIndex(layer =>
                    layer.TryGet($"{Root}:{key}", out var text) && text is not null
                );

        var (first, second) = (Layer(iterations), Layer(epochs));
        if (first > second)
            yield return epochs;
        if (second > first)
            yield return iterations;
    }

    /// <summary>The expected text for an unknown setting.</summary>
    public static string Known(string key, params IEnumerable<string> others)
    {
        var names = SettingCatalog.All.Select(setting => setting.Key).Concat(others);
        var hint = NearestName.Of(key, names) is { } nearest
            ? $"{nearest} is the nearest"
            : "--help lists them";
        return $"a known setting ({hint})";
    }

    /// <summary>Sentences for keys that are not settings.</summary>
    private static IEnumerable<string> Misplaced(IConfigurationRoot configuration, bool isOwn)
    {
        foreach (var layer in configuration.Providers)
        {
            if (isOwn && layer is JsonConfigurationProvider)
            {
                foreach (var section in layer.GetChildKeys([], null))
                {
                    if (!Is(section, Root) && !Is(section, LoggingSettings.Section))
                        yield return SentenceOf(
                            section,
                            section,
                            $"the sections {Root} and {LoggingSettings.Section}",
                            "another",
                            layer
                        );
                }
            }
            if (layer.TryGet(Root, out var text) && text is not null)
                yield return SentenceOf(Root, Root, Section, $"'{text}'", layer);
            foreach (var (path, value) in layer.Values(Root))
            {
                var key = path[(Root.Length + 1)..];
                if (IsKnown(key) || Is(path, Preset) && (!isOwn || HasPreset(layer)))
                    continue;
                if (!SettingCatalog.All.Any(setting => Is(setting.Section, key)))
                    yield return Sentence(key, Known(key), "an unknown one", layer);
                else if (value is not null)
                    yield return Sentence(key, Section, $"'{value}'", layer);
            }
        }
    }

    /// <summary>Whether a layer may name the preset: the environment, the program's own file and the operator's file
    /// may.</summary>
    private static bool HasPreset(IConfigurationProvider layer) =>
        layer is EnvironmentVariablesConfigurationProvider
        || layer is JsonConfigurationProvider { Source: ProgramFile };

    private static bool Is(string one, string other) =>
        one.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a key is that of a setting or of a value of a list.</summary>
    private static bool IsKnown(string key) =>
        SettingCatalog.Find(key) is not null
        || key.LastIndexOf(':') is > 0 and var end
            && SettingCatalog.Find(key[..end]) is { IsList: true }
            && int.TryParse(
                key[(end + 1)..],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out _
            );

    private static string Sentence(
        string key,
        string expected,
        string found,
        IConfigurationProvider layer
    ) => SentenceOf($"{Root}:{key}", key, expected, found, layer);

    /// <summary>The sentence of a fault.</summary>
    /// <param name="path">The full key in the configuration.</param>
    /// <param name="subject">Its name in messages.</param>
    /// <param name="expected">What is expected.</param>
    /// <param name="found">What was found.</param>
    /// <param name="layer">The layer that has it.</param>
    public static string SentenceOf(
        string path,
        string subject,
        string expected,
        string found,
        IConfigurationProvider layer
    ) => Faults.Create(subject, expected, $"{found} ({layer.Source(path)})").ToString();
}
