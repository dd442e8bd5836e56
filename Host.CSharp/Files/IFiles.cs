namespace Pipeline.Training;

/// <summary>What a run does to the disk, in so few calls that a test can make each of them fail.</summary>
internal interface IFiles
{
    /// <summary>Makes a folder and those above it, where there are none.</summary>
    void CreateFolder(string path);

    /// <summary>The names of a folder's files; none where there is no folder.</summary>
    IReadOnlyList<string> List(string folder);

    bool Exists(string path);

    byte[] Read(string path);

    /// <summary>A file's bytes, to read one after the other.</summary>
    Stream OpenRead(string path);

    /// <summary>Writes a file anew and sees it through to the disk.</summary>
    void Write(string path, ReadOnlySpan<byte> bytes);

    /// <summary>Writes behind the first <paramref name="length"/> bytes of a file, and makes it where
    /// there is none.</summary>
    void Append(string path, long length, ReadOnlySpan<byte> bytes);

    /// <summary>Cuts a file.</summary>
    void Truncate(string path, long length);

    /// <summary>Sees what was appended to a file through to the disk.</summary>
    void Flush(string path);

    /// <summary>Gives a file another name in the same folder, in the place of one that has it.</summary>
    void Rename(string path, string name);

    /// <summary>Sees the names of a folder's files through to the disk.</summary>
    void FlushFolder(string path);

    void Delete(string path);
}
