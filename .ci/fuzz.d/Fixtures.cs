namespace Pipeline.Fuzz;

/// <summary>Files of the tests.</summary>
internal static class Fixtures
{
    /// <summary>The path of a file; the program is started in the root of the repository.</summary>
    public static string Path(string name) =>
        System.IO.Path.Combine("Properties.Tests", "Fixtures", name);
}
