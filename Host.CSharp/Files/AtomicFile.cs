namespace Pipeline.Training;

/// <summary>Files that are whole or absent, whatever happens: written under another name and seen through
/// to the disk, then renamed, and the name seen through as well.</summary>
internal static class AtomicFile
{
    /// <summary>The end of the name that a file has while it is written.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>Writes a file of the program's own, in a folder that is made where there is
    /// none.</summary>
    public static void Write(IFiles files, string path, ReadOnlySpan<byte> bytes) =>
        Replace(files, path, path + Unfinished, bytes, mode: null);

    /// <summary>Writes a file where a person said. A symbolic link stays, and the file that it leads to is
    /// replaced, which keeps its permissions. A pipe or a device takes the bytes as they come.</summary>
    /// <exception cref="IOException">It is a folder or a whole disk, its links lead in a circle, or the disk
    /// does not take it.</exception>
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
                // A name of its own, as a file of the usual one may be somebody's.
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
        files.CreateFolder(folder);
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
            // The disk that did not take it does not let go of it either.
        }
    }

    /// <summary>Whether a disk said no, and not a slip of this program's.</summary>
    public static bool IsDiskError(Exception exception) =>
        exception is IOException or UnauthorizedAccessException;

    /// <summary>Whether the disk is full, or the share of it that one may use.</summary>
    public static bool IsFull(Exception exception) =>
        // ENOSPC and EDQUOT of Linux; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows.
        exception is IOException
        && exception.HResult
            is 28
                or 122
                or unchecked((int)0x80070070)
                or unchecked((int)0x80070027);
}
