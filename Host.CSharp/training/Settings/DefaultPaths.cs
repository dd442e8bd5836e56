namespace Pipeline.Training;

/// <summary>The folder with Pipeline.sln above the program, which default paths start from; of a
/// published program, the working folder.</summary>
internal static class DefaultPaths
{
    private static readonly string Root = Find();

    public static string PathOf(string relative) => Path.GetFullPath(relative, Root);

    private static string Find()
    {
        for (
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            folder is not null;
            folder = folder.Parent
        )
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pipeline.sln")))
                return folder.FullName;
        }
        return Environment.CurrentDirectory;
    }
}
