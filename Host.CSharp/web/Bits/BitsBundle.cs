namespace Pipeline.Web;

/// <summary>The fixed set of training cases for browsers, as <c>.ci/bundle</c> builds it.</summary>
/// <param name="folder">The folder that it was built into, which need not exist.</param>
internal sealed class BitsBundle(string folder)
{
    /// <summary>The bundle beside the program.</summary>
    public static BitsBundle BesideProgram { get; } =
        new(Path.Combine(AppContext.BaseDirectory, "same-bits"));

    private string Framework => Path.Combine(folder, "wwwroot", "_framework");

    /// <summary>Whether it was built.</summary>
    public bool Exists => File.Exists(Path.Combine(Framework, "dotnet.js"));

    /// <summary>The path of a file by its name; null if the bundle has no such file.</summary>
    public string? Find(string name) =>
        Exists
            ? Directory
                .EnumerateFiles(Framework)
                .FirstOrDefault(path => Path.GetFileName(path) == name)
            : null;
}
