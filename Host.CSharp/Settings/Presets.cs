using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Files of settings that come with the program, each known by its name.</summary>
internal static class Presets
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "presets");

    public static IReadOnlyList<string> Names { get; } =
    [
        .. Directory
            .EnumerateFiles(Folder, "*.json")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The file of a preset: one of the program's by its name, or any by its path.</summary>
    /// <param name="preset">The name or path.</param>
    /// <param name="subject">The setting or option that names the preset.</param>
    /// <param name="source">The origin of the name, preceded by a space; empty if the subject is the
    /// origin.</param>
    /// <exception cref="RefusedException">There is no such preset.</exception>
    public static string PathOf(string preset, string subject, string source = "")
    {
        var isPath = preset.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        var path = isPath ? Path.GetFullPath(preset) : Path.Combine(Folder, $"{preset}.json");
        if (isPath ? File.Exists(path) : Names.Contains(preset))
            return path;
        var expected = $"{string.Join(", ", Names)} or the path of a .json file";
        throw new RefusedException([
            Faults.Create(subject, expected, $"'{preset}'{source}").ToString(),
        ]);
    }
}
