namespace Pipeline.Training;

/// <summary>The disk operations of a run: few enough that a test can make each of them fail.</summary>
internal interface IFiles
{
    /// <summary>Creates a folder and its parents if necessary.</summary>
    void CreateFolder(string path);

    /// <summary>The names of a folder's files; empty if there is no folder.</summary>
    IReadOnlyList<string> List(string folder);

    bool Exists(string path);

    /// <summary>The stamp of a file, or of the target of a symbolic link; null if it does not exist.</summary>
    FileStamp? StampOf(string path);

    byte[] Read(string path);

    /// <summary>A file's bytes as a stream.</summary>
    Stream OpenRead(string path);

    /// <summary>Writes a new file and flushes it to the disk.</summary>
    void Write(string path, ReadOnlySpan<byte> bytes);

    /// <summary>Writes after the first <paramref name="length"/> bytes of a file, and creates it if
    /// necessary.</summary>
    void Append(string path, long length, ReadOnlySpan<byte> bytes);

    /// <summary>Truncates a file.</summary>
    void Truncate(string path, long length);

    /// <summary>Flushes a file to the disk.</summary>
    void Flush(string path);

    /// <summary>Renames a file within its folder; a file with the new name is replaced.</summary>
    void Rename(string path, string name);

    /// <summary>Flushes the names of a folder's files to the disk.</summary>
    void FlushFolder(string path);

    void Delete(string path);
}
