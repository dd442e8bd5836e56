using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Reads the values of a JSON object. Each value that is not of the expected kind is a fault, and so is each
/// name that was not asked for.</summary>
/// <param name="place">Where the object is, in messages; empty for the whole file.</param>
/// <param name="json">The object.</param>
/// <param name="faults">Gets a sentence for every fault.</param>
internal sealed class PlanReader(string place, JsonElement json, ICollection<string> faults)
{
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);

    /// <summary>The name of a value in messages.</summary>
    public string Subject(string name) => place.Length == 0 ? name : $"{place}, {name}";

    /// <summary>Whether a value is given.</summary>
    public bool Has(string name) => json.TryGetProperty(name, out _);

    /// <summary>The text of that name; null without one.</summary>
    public string? Text(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : Wrong<string>(name, "a text", value);

    /// <summary>The whole number of that name; null without one.</summary>
    public int? Count(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) ? count
        : WrongValue<int>(name, "a whole number", value);

    /// <summary>The seed of that name; null without one.</summary>
    public ulong? Seed(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var seed) ? seed
        : WrongValue<ulong>(name, "a whole number of 0 or more", value);

    /// <summary>The number of that name; null without one.</summary>
    public double? Number(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : WrongValue<double>(name, "a number", value);

    /// <summary>Whether something is so, by that name; false without a value.</summary>
    public bool Flag(string name) =>
        Find(name) is { } value
        && (
            value.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? value.GetBoolean()
                : WrongValue<bool>(name, "true or false", value) ?? false
        );

    /// <summary>The whole numbers of that name; empty without any.</summary>
    public IReadOnlyList<int> Counts(string name)
    {
        if (Find(name) is not { } value)
            return [];
        if (
            value.ValueKind == JsonValueKind.Array
            && value
                .EnumerateArray()
                .All(each => each.ValueKind == JsonValueKind.Number && each.TryGetInt32(out _))
        )
            return [.. value.EnumerateArray().Select(each => each.GetInt32())];
        WrongValue<int>(name, "a list of whole numbers", value);
        return [];
    }

    /// <summary>The object of that name; null without one.</summary>
    public JsonElement? Object(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? value
        : WrongValue<JsonElement>(name, "an object", value);

    /// <summary>Adds a fault for each name that was not asked for.</summary>
    public void End()
    {
        foreach (var property in json.EnumerateObject())
        {
            if (asked.Contains(property.Name))
                continue;
            var expected = NearestName.Of(property.Name, asked) is { } nearest
                ? $"a known name ({nearest} is the nearest)"
                : $"one of {string.Join(", ", asked.Order(StringComparer.Ordinal))}";
            faults.Add(Sentence(Subject(property.Name), expected, "an unknown name"));
        }
    }

    /// <summary>A value as it is written on a command line; null and a fault for an object.</summary>
    public static string? TextOf(string subject, JsonElement value, ICollection<string> faults)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return value.GetString();
            case JsonValueKind.Number:
                return value.GetRawText();
            case JsonValueKind.True:
                return "true";
            case JsonValueKind.False:
                return "false";
            case JsonValueKind.Array:
                var values = value
                    .EnumerateArray()
                    .Select(each => TextOf(subject, each, faults))
                    .ToArray();
                return values.Length == 0 ? "none" : string.Join(',', values);
            default:
                faults.Add(Sentence(subject, "a value of a setting", Kind(value)));
                return null;
        }
    }

    public static string Sentence(string subject, string expected, string found) =>
        Faults.Create(subject, expected, found).ToString();

    private JsonElement? Find(string name)
    {
        asked.Add(name);
        return json.TryGetProperty(name, out var value) ? value : null;
    }

    private TValue? Wrong<TValue>(string name, string expected, JsonElement value)
        where TValue : class
    {
        faults.Add(Sentence(Subject(name), expected, Kind(value)));
        return null;
    }

    private TValue? WrongValue<TValue>(string name, string expected, JsonElement value)
        where TValue : struct
    {
        faults.Add(Sentence(Subject(name), expected, Kind(value)));
        return null;
    }

    private static string Kind(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.String => $"'{value.GetString()}'",
            JsonValueKind.Null => "null",
            _ => value.GetRawText(),
        };
}
