using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Files of settings that come with the library, each known by its name.</summary>
internal static class Presets
{
    private const string Ending = ".json";

    private static readonly EmbeddedFileProvider Files = new(
        typeof(Presets).Assembly,
        "Pipeline.Training.presets"
    );

    public static IReadOnlyList<string> Names { get; } =
    [
        .. Files
            .GetDirectoryContents("")
            .Select(file => Path.GetFileNameWithoutExtension(file.Name))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The settings of a preset: one of the library's by its name, or any file by its path.</summary>
    /// <param name="preset">The name or path.</param>
    /// <param name="subject">The setting or option that names the preset.</param>
    /// <param name="source">The origin of the name, preceded by a space; empty if the subject is the
    /// origin.</param>
    /// <exception cref="RefusedException">There is no such preset.</exception>
    public static JsonConfigurationSource Find(string preset, string subject, string source = "")
    {
        var isPath = preset.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);
        if (isPath && Path.GetFullPath(preset) is var path && File.Exists(path))
            return OfFile(path);
        if (!isPath && Names.Contains(preset))
            return new() { FileProvider = Files, Path = preset + Ending };
        var expected = $"{string.Join(", ", Names)} or the path of a .json file";
        throw new RefusedException([
            Faults.Create(subject, expected, $"'{preset}'{source}").ToString(),
        ]);
    }

    /// <summary>A file of settings, wherever it is.</summary>
    private static JsonConfigurationSource OfFile(string path)
    {
        var file = new JsonConfigurationSource { Path = path };
        file.ResolveFileProvider();
        return file;
    }
}
