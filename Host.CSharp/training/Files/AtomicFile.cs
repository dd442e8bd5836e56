namespace Pipeline.Training;

/// <summary>Writes files that are whole or absent, whatever happens: a file is written under a temporary name
/// and flushed to the disk, then renamed, and the folder is flushed too.</summary>
internal static class AtomicFile
{
    /// <summary>The end of a temporary name.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>Writes a file of the program, and creates its folder if necessary.</summary>
    public static void Write(IFiles files, string path, ReadOnlySpan<byte> bytes) =>
        Replace(files, path, path + Unfinished, bytes, mode: null);

    /// <summary>Writes a file to a path given by the user. A symbolic link is kept, and its target is
    /// replaced with the same permissions. A pipe or a device gets the bytes directly.</summary>
    /// <exception cref="IOException">The path is a folder or a disk, its links form a cycle, or the disk
    /// fails.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void WriteTo(IFiles files, OutputTarget target, ReadOnlySpan<byte> bytes)
    {
        switch (target.Kind)
        {
            case OutputKind.Folder:
                throw new IOException("a folder");
            case OutputKind.Disk:
                throw new IOException("a whole disk");
            case OutputKind.Stream:
                files.Write(target.Path, bytes);
                break;
            default:
                // A random name, as a file with the usual temporary name may belong to the user.
                var unfinished = Path.Combine(
                    Path.GetDirectoryName(target.Path)!,
                    $".{Path.GetRandomFileName()}{Unfinished}"
                );
                Replace(files, target.Path, unfinished, bytes, ModeOf(target));
                break;
        }
    }

    private static void Replace(
        IFiles files,
        string path,
        string unfinished,
        ReadOnlySpan<byte> bytes,
        UnixFileMode? mode
    )
    {
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
            Folders.Create(files, folder);
        try
        {
            files.Write(unfinished, bytes);
            if (mode is { } known && !OperatingSystem.IsWindows())
                File.SetUnixFileMode(unfinished, known);
            files.Rename(unfinished, Path.GetFileName(path));
        }
        catch (Exception trouble) when (IsDiskError(trouble))
        {
            Clear(files, unfinished);
            throw;
        }
        files.FlushFolder(folder);
    }

    private static UnixFileMode? ModeOf(OutputTarget target) =>
        target.Kind == OutputKind.File && !OperatingSystem.IsWindows()
            ? File.GetUnixFileMode(target.Path)
            : null;

    private static void Clear(IFiles files, string unfinished)
    {
        try
        {
            files.Delete(unfinished);
        }
        catch (Exception trouble) when (IsDiskError(trouble))
        {
            // The failing disk does not delete the file either.
        }
    }

    /// <summary>Whether an exception is an error of the disk, not of this program.</summary>
    public static bool IsDiskError(Exception exception) =>
        exception is IOException or UnauthorizedAccessException;

    /// <summary>Whether the disk or the user's quota is full.</summary>
    public static bool IsFull(Exception exception) =>
        // ENOSPC and EDQUOT of Linux; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows.
        exception is IOException
        && exception.HResult
            is 28
                or 122
                or unchecked((int)0x80070070)
                or unchecked((int)0x80070027);
}
