namespace Pipeline.Training;

/// <summary>Files that are whole or absent, whatever happens: written under another name and seen through
/// to the disk, then renamed, and the name seen through as well.</summary>
internal static class WholeFile
{
    /// <summary>The end of the name that a file has while it is written.</summary>
    public const string Unfinished = ".tmp";

    public static void Write(IFiles files, string path, ReadOnlySpan<byte> bytes)
    {
        var folder = Path.GetDirectoryName(path)!;
        files.CreateFolder(folder);
        try
        {
            files.Write(path + Unfinished, bytes);
            files.Rename(path + Unfinished, Path.GetFileName(path));
        }
        catch (Exception trouble) when (IsTrouble(trouble))
        {
            Clear(files, path + Unfinished);
            throw;
        }
        files.FlushFolder(folder);
    }

    private static void Clear(IFiles files, string unfinished)
    {
        try
        {
            files.Delete(unfinished);
        }
        catch (Exception trouble) when (IsTrouble(trouble))
        {
            // The disk that did not take it does not let go of it either.
        }
    }

    /// <summary>Whether a disk said no, and not a slip of this program's.</summary>
    public static bool IsTrouble(Exception exception) =>
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
