using System.Runtime.InteropServices;

namespace Pipeline.Training;

/// <summary>The kind of an output path.</summary>
internal enum OutputKind
{
    /// <summary>Nothing.</summary>
    Missing,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A pipe, a terminal, a character device or an open file of a process: it takes bytes, but
    /// cannot be replaced.</summary>
    Stream,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A whole disk, or a part of one.</summary>
    Disk,
}

/// <summary>The target of a path given by the user, after all symbolic links are followed.</summary>
/// <param name="Path">The full path, without links; the last part need not exist.</param>
/// <param name="Kind">The kind of the target.</param>
internal sealed record OutputTarget(string Path, OutputKind Kind)
{
    /// <summary>The number of links that Linux follows.</summary>
    private const int MostLinks = 40;

    /// <summary>Links in this file system point to open files, some of which have no path.</summary>
    private const string Processes = "/proc/";

    /// <summary>Whether it is this process's own standard output or error.</summary>
    public bool IsStandard(int number) =>
        Path.StartsWith($"{Processes}{Environment.ProcessId}/", StringComparison.Ordinal)
        && Path.EndsWith($"/fd/{number}", StringComparison.Ordinal);

    /// <exception cref="IOException">The links form a cycle, or a part of the path is not a
    /// folder.</exception>
    /// <exception cref="UnauthorizedAccessException">A part of the path cannot be read.</exception>
    public static OutputTarget Of(string path)
    {
        path = OperatingSystem.IsWindows()
            ? System.IO.Path.GetFullPath(path)
            : System.IO.Path.Combine(Environment.CurrentDirectory, path);
        var resolved = System.IO.Path.GetPathRoot(path)!;
        var parts = new Stack<string>(Parts(path[resolved.Length..]));
        var links = 0;
        while (parts.TryPop(out var part))
        {
            if (part == "..")
            {
                resolved = System.IO.Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }
            var next = System.IO.Path.Combine(resolved, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }
            if (parts.Count == 0 && next.StartsWith(Processes, StringComparison.Ordinal))
                return new(next, OutputKind.Stream);
            if (++links > MostLinks)
                throw new IOException("symbolic links that form a cycle");
            if (System.IO.Path.GetPathRoot(target) is { Length: > 0 } root)
            {
                resolved = root;
                target = target[root.Length..];
            }
            foreach (var piece in Parts(target))
                parts.Push(piece);
        }
        return new(resolved, KindOf(resolved));
    }

    /// <summary>The parts of a path, the last one first.</summary>
    private static IEnumerable<string> Parts(string path) =>
        path.Split(
                [System.IO.Path.DirectorySeparatorChar, System.IO.Path.AltDirectorySeparatorChar],
                StringSplitOptions.RemoveEmptyEntries
            )
            .Where(part => part != ".")
            .Reverse();

    private static OutputKind KindOf(string path)
    {
        if (Directory.Exists(path))
            return OutputKind.Folder;
        if (!File.Exists(path))
            return OutputKind.Missing;
        if (OperatingSystem.IsLinux())
            return KindOnLinux(path);
        // Without a system call for the kind of a file, devices are recognised by their folder.
        return
            path.StartsWith("/dev/", StringComparison.Ordinal)
            || path.StartsWith(@"\\.\", StringComparison.Ordinal)
            ? OutputKind.Stream
            : OutputKind.File;
    }

    /// <summary>The result of <c>statx</c>, which has the same layout on every processor.</summary>
    private static OutputKind KindOnLinux(string path)
    {
        const int CurrentFolder = -100;
        const uint TypeAlone = 1;
        const int Size = 256;
        const int PlaceOfMode = 28;
        var answer = new byte[Size];
        if (StatX(CurrentFolder, path, 0, TypeAlone, answer) != 0)
            throw new IOException(
                new System.ComponentModel.Win32Exception(Marshal.GetLastPInvokeError()).Message
            );
        return (BitConverter.ToUInt16(answer, PlaceOfMode) & 0xF000) switch
        {
            0x8000 => OutputKind.File,
            0x4000 => OutputKind.Folder,
            0x6000 => OutputKind.Disk,
            _ => OutputKind.Stream,
        };
    }

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int StatX(
        int folder,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path,
        int flags,
        uint mask,
        byte[] answer
    );
}
