namespace Pipeline.Training;

/// <summary>Creates folders whose names survive a loss of power.</summary>
internal static class Folders
{
    /// <summary>Creates a folder and its parents if necessary, and flushes their names to the disk. That of a folder which
    /// is there is flushed, too: the process that created it may have been killed before it did so.</summary>
    public static void Create(IFiles files, string path)
    {
        var parent = Path.GetDirectoryName(path);
        if (parent is not null && !Directory.Exists(parent))
            Create(files, parent);
        files.CreateFolder(path);
        if (parent is not null)
            files.FlushFolder(parent);
    }
}
