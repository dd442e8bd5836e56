using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The layers that settings come from, the lowest first: the program's own file, the operator's file, the
/// settings of a run to resume, a preset, the settings of a run that a command is about or of a sweep's plan, the
/// environment, the command line, the values of a sweep's trial.</summary>
internal static class SettingLayers
{
    /// <summary>The program's own settings file.</summary>
    public const string SettingsFile = "appsettings.json";

    /// <summary>The variable with the path of the operator's settings file. An update of the program replaces its own
    /// file and leaves this one.</summary>
    public const string FileVariable = "PIPELINE_SETTINGS";

    /// <param name="configuration">Where they go.</param>
    /// <param name="given">What the command line gives.</param>
    /// <param name="earlier">The run to resume; if null, the run that the settings name, if any.</param>
    /// <exception cref="RefusedException">A file cannot be read, or there is no such preset or
    /// run.</exception>
    public static void Add(
        ConfigurationManager configuration,
        CommandLineSettings given,
        StoredRun? earlier
    )
    {
        var own = Path.Combine(AppContext.BaseDirectory, SettingsFile);
        AddFile(configuration, 0, ProgramFile.Of(own, isOptional: true));
        if (Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } path)
            AddFile(configuration, 1, OperatorFile(path));
        var place = configuration.Sources.Count;
        Add(configuration, new GivenLayer(_ => "settings of the run", given.Run ?? NoSettings));
        if (given.Plan is { } plan)
            Add(configuration, new GivenLayer(_ => plan.Source, plan.Values));
        configuration.AddEnvironmentVariables();
        Add(
            configuration,
            new GivenLayer(
                key => $"option --{key[(SettingsReader.Root.Length + 1)..]}",
                given.Values
            )
        );
        if (given.Trial is { } trial)
            Add(configuration, new GivenLayer(_ => trial.Source, trial.Values));
        if (PresetOf(configuration, given) is { } preset)
            AddFile(configuration, place, preset);
        if ((earlier ?? NamedRun(configuration)) is { } run)
            configuration.Sources.Insert(place, Of(run));
    }

    /// <summary>The settings of a run.</summary>
    public static IConfigurationSource Of(StoredRun run) =>
        new GivenLayer(_ => $"settings of the run {run.Path}", run.Values());

    private static readonly JsonDocumentOptions Lenient = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private static readonly Dictionary<string, string?> NoSettings = [];

    /// <summary>The file of the preset: that of the option, otherwise that of the highest layer that names
    /// one. Names in lower layers are checked too.</summary>
    private static JsonConfigurationSource? PresetOf(
        IConfigurationRoot configuration,
        CommandLineSettings given
    )
    {
        JsonConfigurationSource? file = null;
        foreach (var layer in configuration.Providers)
        {
            if (layer.TryGet(SettingsReader.Preset, out var name) && name is not null)
                file = Presets.Find(name, "Preset", $" ({layer.Source(SettingsReader.Preset)})");
        }
        return given.Preset is { } named ? Presets.Find(named, "--preset") : file;
    }

    /// <exception cref="RefusedException">There is no such file.</exception>
    private static ProgramFile OperatorFile(string path) =>
        File.Exists(path)
            ? ProgramFile.Of(Path.GetFullPath(path))
            : throw RefusedException.Of(
                FileVariable,
                "the path of a JSON file of settings",
                $"'{path}', which is not a file"
            );

    private static void Add(ConfigurationManager configuration, GivenLayer layer) =>
        ((IConfigurationBuilder)configuration).Add(layer);

    /// <summary>The run to resume that the settings name.</summary>
    public static StoredRun? NamedRun(IConfiguration configuration)
    {
        // An invalid text is refused later, together with all others.
        string? Said(string name) =>
            configuration[$"{SettingsReader.Root}:Run:{name}"] is { } text
                ? SettingCatalog.Find($"Run:{name}")!.Read(text)
                : null;

        return
            Said("Resume") is not { } resume
            || resume.Equals(RunSettings.Never, StringComparison.OrdinalIgnoreCase)
            || resume.Equals(RunSettings.Auto, StringComparison.OrdinalIgnoreCase)
            ? null
            : StoredRun.Find(resume, Said("Directory") ?? new RunSettings().Directory);
    }

    /// <summary>Adds a file of settings at a place among the layers.</summary>
    /// <exception cref="RefusedException">The file cannot be read.</exception>
    public static void AddFile(
        ConfigurationManager configuration,
        int place,
        JsonConfigurationSource file
    )
    {
        try
        {
            configuration.Sources.Insert(place, file);
        }
        catch (Exception unusable)
            when (unusable is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            var path = file.FileProvider!.GetFileInfo(file.Path!).PhysicalPath ?? file.Path!;
            var (where, found) = Reason(unusable.GetBaseException(), path);
            throw new RefusedException([
                Faults.Create(path + where, "a JSON file of settings", found).ToString(),
            ]);
        }
    }

    /// <summary>The error in a file, and its position.</summary>
    private static JsonFault Reason(Exception unusable, string path) =>
        unusable switch
        {
            // The library reads other encodings as well, and reports positions in UTF-8.
            JsonException broken => JsonFault.Of(
                broken,
                Encoding.UTF8.GetBytes(File.ReadAllText(path))
            ),
            // The only error of an object is a name that occurs twice.
            FormatException => new(
                "",
                JsonNode.Parse(File.ReadAllText(path), null, Lenient) is not JsonObject
                    ? "JSON that is no object"
                    : $"{unusable.Message.Split('\'').ElementAtOrDefault(1)} twice"
            ),
            // An escape can stand for half of a surrogate pair, which is not a text.
            InvalidOperationException => new("", "half of a surrogate pair"),
            _ => new("", unusable.Message.TrimEnd('.')),
        };
}
