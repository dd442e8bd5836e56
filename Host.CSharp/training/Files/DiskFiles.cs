using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipeline.Training;

/// <summary>The real disk.</summary>
internal sealed class DiskFiles : IFiles
{
    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public IReadOnlyList<string> List(string folder) =>
        Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))]
            : [];

    public bool Exists(string path) => File.Exists(path);

    public FileStamp? StampOf(string path)
    {
        var file = new FileInfo(path);
        try
        {
            // The time and length of a link are its own, whatever its target contains.
            file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            // The file is missing or may not be looked at, or the links form a cycle.
            return null;
        }
        return file.Exists ? new(file.LastWriteTimeUtc, file.Length) : null;
    }

    public byte[] Read(string path) => File.ReadAllBytes(path);

    public Stream OpenRead(string path) =>
        new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);

    public void Write(string path, ReadOnlySpan<byte> bytes)
    {
        // A pipe cannot be written at an offset, as the calls of a file handle require.
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 0);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    public void Append(string path, long length, ReadOnlySpan<byte> bytes)
    {
        using var file = File.OpenHandle(
            path,
            FileMode.OpenOrCreate,
            FileAccess.Write,
            FileShare.ReadWrite
        );
        var found = RandomAccess.GetLength(file);
        if (found < length)
            throw new IOException($"{path} has {found} bytes where {length} were written");
        RandomAccess.Write(file, bytes, length);
    }

    public void Truncate(string path, long length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(file, length);
    }

    public void Flush(string path)
    {
        using var file = File.OpenHandle(
            path,
            FileMode.Open,
            FileAccess.Write,
            FileShare.ReadWrite
        );
        RandomAccess.FlushToDisk(file);
    }

    public void Rename(string path, string name) =>
        File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, name), overwrite: true);

    public void FlushFolder(string path)
    {
        // On Windows the file system journals names itself.
        if (OperatingSystem.IsWindows())
            return;
        // .NET cannot open folders.
        using var folder = new SafeFileHandle(Open(path, ReadOnly), ownsHandle: true);
        if (folder.IsInvalid)
            throw new IOException(
                $"{path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}"
            );
        RandomAccess.FlushToDisk(folder);
    }

    public void Delete(string path) => File.Delete(path);

    private const int ReadOnly = 0;

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
