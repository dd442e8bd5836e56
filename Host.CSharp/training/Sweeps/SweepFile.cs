using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A sweep as a file describes it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Name">The name of the sweep's folder.</param>
/// <param name="Preset">The preset below the settings; null for none.</param>
/// <param name="Settings">The settings of all trials, by their full names with the section Pipeline.</param>
/// <param name="Plan">What is tried.</param>
/// <param name="Goal">What is to improve.</param>
/// <param name="Repeats">How each trial is repeated.</param>
/// <param name="Content">The file's bytes.</param>
internal sealed record SweepFile(
    string Path,
    string Name,
    string? Preset,
    IReadOnlyDictionary<string, string?> Settings,
    SweepPlan Plan,
    SweepGoal Goal,
    SweepRepeats Repeats,
    byte[] Content
)
{
    private const int UsualLag = 8;
    private const int UsualFactor = 3;
    private const string Tpe = "TPE";

    /// <summary>Reads a file.</summary>
    /// <exception cref="RefusedException">It cannot be read, or is not a plan; every fault is named.</exception>
    public static SweepFile Read(string path)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception unreadable)
            when (AtomicFile.IsDiskError(unreadable) || unreadable is ArgumentException)
        {
            throw RefusedException.Of(
                path.Length == 0 ? "the plan" : path,
                "a JSON file with the plan of a sweep",
                Directory.Exists(path) ? "a folder"
                    : path.Length == 0 || !File.Exists(path) ? "no such file"
                    : unreadable.Message.TrimEnd('.')
            );
        }
        return Parse(path, content);
    }

    /// <summary>The plan in a file's bytes.</summary>
    /// <exception cref="RefusedException">They are not a plan; every fault is named.</exception>
    public static SweepFile Parse(string path, byte[] content)
    {
        try
        {
            using var json = StrictJson.Document(content);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw RefusedException.Of(
                    path,
                    "a JSON object with the plan of a sweep",
                    "JSON that is no object"
                );
            return Parse(path, content, json.RootElement);
        }
        catch (JsonException broken)
        {
            var (place, found) = JsonFault.Of(broken, content);
            throw RefusedException.Of(path + place, "a JSON file with the plan of a sweep", found);
        }
    }

    private static SweepFile Parse(string path, byte[] content, JsonElement json)
    {
        List<string> faults = [];
        var reader = new PlanReader("", json, faults);
        var name = reader.Text("name") ?? System.IO.Path.GetFileNameWithoutExtension(path);
        if (!RunFolder.CanBeName(name) || name.StartsWith('.'))
            faults.Add(PlanReader.Sentence("name", RunFolder.Name, $"'{name}'"));
        var preset = reader.Text("preset");
        if (preset is not null)
        {
            try
            {
                Presets.Find(preset, "preset");
            }
            catch (RefusedException refused)
            {
                faults.AddRange(refused.Reasons);
            }
        }
        var settings = SettingsOf(reader, faults);
        var space = SpaceOf(reader, faults);
        var method = MethodOf(reader, faults);
        var trials = reader.Count("trials");
        var rungs = reader.Counts("rungs");
        if (reader.Has("factor") && rungs.Count == 0)
            faults.Add("factor does not apply without rungs.");
        var factor = reader.Count("factor") ?? UsualFactor;
        var seed = reader.Seed("seed") ?? 1;
        var goal = reader.Text("goal") is { } text
            ? SweepGoal.Parse(text, faults)
            : SweepGoal.Default;
        var repeats = SweepRepeats.Read(reader, faults);
        reader.End();
        foreach (var (varied, _) in space)
        {
            if (settings.Keys.Any(key => IsOf(key, varied)))
                faults.Add($"{varied} is among the settings and in the space. Remove one of both.");
            if (repeats.Seeds > 1 && varied == "Training:Seed")
                faults.Add(
                    "Training:Seed does not apply in the space beside seeds, which vary it."
                );
        }
        var plan = PlanOf(space, method, trials, rungs, factor, seed, faults);
        return faults.Count == 0 && plan is not null && goal is not null
            ? new(path, name, preset, settings, plan, goal, repeats, content)
            : throw new RefusedException(faults.Select(fault => $"{path}, {fault}"));
    }

    private static SweepPlan? PlanOf(
        IReadOnlyList<(string, SettingRange)> space,
        SearchMethod? method,
        int? trials,
        IReadOnlyList<int> rungs,
        int factor,
        ulong seed,
        List<string> faults
    )
    {
        // Ranges that are wrong have faults of their own.
        if (method is null || space.Count == 0 && faults.Count > 0)
            return null;
        if (
            SweepPlans
                .Create(space, method, trials, rungs, factor, seed)
                .TryGet(out var plan, out var found)
        )
            return plan;
        faults.AddRange(found.Select(fault => fault.ToString()));
        return null;
    }

    private static SearchMethod? MethodOf(PlanReader reader, List<string> faults)
    {
        var lag = reader.Count("lag");
        var name = reader.Text("method");
        string[] names = ["Grid", "Random", "Sobol", Tpe];
        var known = names.FirstOrDefault(each =>
            each.Equals(name, StringComparison.OrdinalIgnoreCase)
        );
        if (known is null)
        {
            faults.Add(
                PlanReader.Sentence(
                    "method",
                    $"one of {string.Join(", ", names)}",
                    name is null ? "none" : $"'{name}'"
                )
            );
            return null;
        }
        if (lag is not null && known != Tpe)
            faults.Add($"lag does not apply to {known}.");
        return known switch
        {
            "Grid" => SearchMethod.Grid,
            "Random" => SearchMethod.Random,
            "Sobol" => SearchMethod.Sobol,
            _ => SearchMethod.NewTreeParzen(lag ?? UsualLag),
        };
    }

    private static List<(string, SettingRange)> SpaceOf(PlanReader reader, List<string> faults)
    {
        List<(string, SettingRange)> space = [];
        if (reader.Object("space") is not { } json)
        {
            if (!reader.Has("space"))
                faults.Add(PlanReader.Sentence("space", "the settings to vary", "nothing"));
            return space;
        }
        foreach (var property in json.EnumerateObject())
        {
            var subject = $"space, {property.Name}";
            if (SettingOf(property.Name, subject, SweepSpace.CanVary, faults) is not { } setting)
                continue;
            if (space.Any(other => other.Item1 == setting.Key))
            {
                faults.Add(PlanReader.Sentence(subject, "each setting once", "it twice"));
                continue;
            }
            if (RangeOf(subject, property.Value, faults) is { } range)
                space.Add((setting.Key, range));
        }
        return space;
    }

    private static SettingRange? RangeOf(string subject, JsonElement json, List<string> faults)
    {
        SettingRange? range;
        if (json.ValueKind == JsonValueKind.Array)
        {
            var before = faults.Count;
            var texts = json.EnumerateArray()
                .Select(value => PlanReader.TextOf(subject, value, faults))
                .ToArray();
            if (faults.Count > before)
                return null;
            if (!SettingRanges.OfTexts(subject, texts!).TryGet(out range, out var listed))
                faults.AddRange(listed.Select(fault => fault.ToString()));
            return range;
        }
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add(
                PlanReader.Sentence(
                    subject,
                    "a list of values, or an object with from and to",
                    json.GetRawText()
                )
            );
            return null;
        }
        var reader = new PlanReader(subject, json, faults);
        var (from, to) = (reader.Number("from"), reader.Number("to"));
        var scale = reader.Text("scale") ?? "Linear";
        var isLogarithmic = scale.Equals("Log", StringComparison.OrdinalIgnoreCase);
        if (!isLogarithmic && !scale.Equals("Linear", StringComparison.OrdinalIgnoreCase))
            faults.Add(PlanReader.Sentence(reader.Subject("scale"), "Linear or Log", $"'{scale}'"));
        var isWhole = reader.Flag("whole");
        var steps = reader.Count("steps");
        reader.End();
        foreach (var end in (string[])["from", "to"])
        {
            if (!reader.Has(end))
                faults.Add(PlanReader.Sentence(reader.Subject(end), "a number", "nothing"));
        }
        if (from is null || to is null)
            return null;
        if (
            !SettingRanges
                .OfNumbers(subject, from.Value, to.Value, isLogarithmic, isWhole, steps)
                .TryGet(out range, out var found)
        )
            faults.AddRange(found.Select(fault => fault.ToString()));
        return range;
    }

    /// <summary>The settings of all trials: sections with settings, or full names.</summary>
    private static Dictionary<string, string?> SettingsOf(PlanReader reader, List<string> faults)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (reader.Object("settings") is not { } json)
            return settings;
        foreach (var property in json.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Object)
            {
                Add(property.Name, property.Value);
                continue;
            }
            foreach (var inner in property.Value.EnumerateObject())
                Add($"{property.Name}:{inner.Name}", inner.Value);
        }
        return settings;

        void Add(string name, JsonElement value)
        {
            var subject = $"settings, {name}";
            if (SettingOf(name, subject, SweepSpace.CanSet, faults) is not { } setting)
                return;
            var key = $"{SettingsReader.Root}:{setting.Key}";
            if (settings.Keys.Any(other => IsOf(other, setting.Key)))
            {
                faults.Add(PlanReader.Sentence(subject, "each setting once", "it twice"));
                return;
            }
            if (value.ValueKind == JsonValueKind.Null)
            {
                settings[key] = null;
                return;
            }
            // A value of a list may contain a comma.
            if (
                setting.IsList
                && value.ValueKind == JsonValueKind.Array
                && value.GetArrayLength() > 0
            )
            {
                foreach (var (place, each) in value.EnumerateArray().Index())
                    settings[$"{key}:{place}"] = PlanReader.TextOf(subject, each, faults);
                return;
            }
            settings[key] = PlanReader.TextOf(subject, value, faults);
        }
    }

    private static bool IsOf(string key, string setting)
    {
        var full = $"{SettingsReader.Root}:{setting}";
        return key.Equals(full, StringComparison.OrdinalIgnoreCase)
            || key.StartsWith(full + ":", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Finds a setting by its name. Adds a fault and returns null if the setting does not exist or a plan may not have it there.</summary>
    private static Setting? SettingOf(
        string name,
        string subject,
        Func<Setting, bool> isAllowed,
        List<string> faults
    )
    {
        if (SettingCatalog.Find(name) is not { } setting)
        {
            faults.Add(PlanReader.Sentence(subject, SettingsReader.Known(name), "an unknown one"));
            return null;
        }
        if (isAllowed(setting))
            return setting;
        faults.Add(
            PlanReader.Sentence(
                subject,
                "a setting that a plan may have there",
                SweepSpace.CanSet(setting)
                    ? "one that all trials have in common"
                    : "one of the machine, the process or the folder"
            )
        );
        return null;
    }
}
