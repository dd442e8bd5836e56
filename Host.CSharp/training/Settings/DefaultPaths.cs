namespace Pipeline.Training;

/// <summary>The places of data and runs unless settings name others.</summary>
internal static class DefaultPaths
{
    private const string DigitFolder = "data/mnist";

    /// <summary>The folder with Pipeline.sln above the program; of a program that was installed or published, the
    /// working folder.</summary>
    private static readonly string Root =
        RepositoryAbove(AppContext.BaseDirectory) ?? Environment.CurrentDirectory;

    /// <summary>The digits that commands use.</summary>
    public static readonly string Digits = DigitsOf(
        AppContext.BaseDirectory,
        Environment.CurrentDirectory
    );

    /// <summary>A path of the repository or, without one, of the working folder.</summary>
    public static string PathOf(string relative) => Path.GetFullPath(relative, Root);

    /// <summary>The digits of the repository above the program; without one, those beside the program, as the
    /// tool's package has them; without these, those of the working folder.</summary>
    /// <param name="program">The program's folder.</param>
    /// <param name="working">The working folder.</param>
    public static string DigitsOf(string program, string working)
    {
        if (RepositoryAbove(program) is { } repository)
            return Path.GetFullPath(DigitFolder, repository);
        var beside = Path.GetFullPath(DigitFolder, program);
        return Directory.Exists(beside) ? beside : Path.GetFullPath(DigitFolder, working);
    }

    private static string? RepositoryAbove(string program)
    {
        for (DirectoryInfo? folder = new(program); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pipeline.sln")))
                return folder.FullName;
        }
        return null;
    }
}
