using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The content of a file, unzipped if it is a .gz, and its SHA-256, which is computed in the
/// background.</summary>
/// <param name="Path">Its path, for messages.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Hash">Their SHA-256.</param>
/// <param name="Kind">The kind of the file: .csv, .npz, …</param>
internal sealed record DataFile(
    string Path,
    ReadOnlyMemory<byte> Content,
    Task<string> Hash,
    string Kind
)
{
    /// <summary>The default of the largest size that is read, in bytes.</summary>
    public const long UsualLimit = 1 << 30;

    /// <summary>The file without its content, after it was parsed.</summary>
    public DataFile Parsed => this with { Content = default };

    /// <summary>What its samples are called: the file's name, without .gz, unless something else is set.</summary>
    public string Name { get; init; } = NameOf(Path);

    /// <summary>The ending of a file's name, without .gz.</summary>
    public static string KindOf(string path) =>
        System.IO.Path.GetExtension(NameOf(path)).ToLowerInvariant();

    /// <summary>A file's name, without .gz.</summary>
    public static string NameOf(string path) =>
        IsZipped(path)
            ? System.IO.Path.GetFileNameWithoutExtension(path)
            : System.IO.Path.GetFileName(path);

    private static bool IsZipped(string path) =>
        path.EndsWith(FileKinds.Zipped, StringComparison.OrdinalIgnoreCase);

    public static string Sentence(string path, string expected, string found) =>
        Faults.Create(path, expected, found).ToString();

    public static string Sentence(string path, Fault fault) =>
        Faults.Within(path, fault).ToString();

    /// <param name="path">The file.</param>
    /// <param name="limit">The largest size of the content in bytes; a larger file is not read.</param>
    /// <param name="setting">The setting that names the file, for messages; null if the path was given
    /// directly.</param>
    /// <param name="claimed">Returns the length of the content that its first 20 bytes declare, or null if
    /// they are not of the format. A .gz with another length is not unpacked any further, which guards
    /// against small files of huge content.</param>
    /// <param name="open">Opens the file; null for the disk.</param>
    /// <exception cref="RefusedException">There is no such file, it is too long, or a .gz is
    /// damaged.</exception>
    public static DataFile Read(
        string path,
        long limit,
        string? setting = null,
        Func<ReadOnlyMemory<byte>, long?>? claimed = null,
        Func<string, Stream>? open = null
    )
    {
        path = System.IO.Path.GetFullPath(path);
        limit = Math.Min(limit, Array.MaxLength);
        var subject = setting is null ? path : $"{setting}, {path}";
        if (Directory.Exists(path))
            throw new RefusedException([Sentence(subject, "a file", "a folder")]);
        try
        {
            using var stream = (open ?? File.OpenRead)(path);
            var content = ReadAll(stream, path, stream.CanSeek ? stream.Length : null, limit);
            if (IsZipped(path))
                content = Gzip.Unpack(content, path, limit, claimed);
            return Of(path, content);
        }
        catch (Exception missing)
            when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RefusedException([Sentence(subject, "a file that can be read", "none")]);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            var found =
                unreadable is UnauthorizedAccessException
                    ? "one that this user may not read"
                    // .NET adds the path to the message of the system.
                    : unreadable.Message.Split(" : '")[0].TrimEnd('.');
            throw new RefusedException([Sentence(subject, "a file that can be read", found)]);
        }
    }

    /// <summary>The content of a stream, for example of standard input.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="kind">The kind of the file: .csv, .npz, …</param>
    /// <param name="limit">The largest size of the content in bytes.</param>
    /// <exception cref="RefusedException">The content is too long.</exception>
    public static DataFile Read(Stream stream, string name, string kind, long limit) =>
        Of(name, ReadAll(stream, name, null, Math.Min(limit, Array.MaxLength)), kind);

    public static DataFile Of(string path, ReadOnlyMemory<byte> content, string? kind = null) =>
        new(
            path,
            content,
            Task.Run(() => Convert.ToHexStringLower(SHA256.HashData(content.Span))),
            kind ?? KindOf(path)
        );

    /// <summary>Reads the stream to its end. If the length is known, the content is not copied.</summary>
    private static ReadOnlyMemory<byte> ReadAll(
        Stream stream,
        string path,
        long? length,
        long limit
    )
    {
        if (length > limit)
            throw TooLong(path, limit, $"{length}");
        if (length is { } known)
            MemoryBudget.Require(path, $"{known} bytes", known);
        // One byte more shows the end.
        var start = GC.AllocateUninitializedArray<byte>((int)Math.Min(limit, (length ?? 0) + 1));
        var count = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (count < start.Length)
            return start.AsMemory(0, count);
        var content = new MemoryStream();
        content.Write(start);
        if (!CopyUpTo(stream, content, limit))
            throw TooLong(path, limit, "more");
        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }

    public static RefusedException TooLong(string path, long limit, string found) =>
        new([Sentence(path, $"at most {limit} bytes (Data:MaximumBytes)", found)]);

    /// <summary>Copies a stream to its end, unless it has more bytes than the limit.</summary>
    public static bool CopyUpTo(Stream source, MemoryStream destination, long limit)
    {
        var buffer = new byte[81920];
        while (source.Read(buffer) is > 0 and var count)
        {
            if (destination.Length + count > limit)
                return false;
            destination.Write(buffer, 0, count);
        }
        return true;
    }

    /// <summary>Whether an exception of a stream that decompresses bytes in memory means that they are
    /// damaged.</summary>
    public static bool IsDamage(Exception exception) =>
        exception is InvalidDataException or IOException;

    /// <summary>Bytes as a stream; an array is not copied.</summary>
    public static Stream StreamOf(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);

    /// <summary>Refuses a secret that others may read or write.</summary>
    /// <param name="path">The file.</param>
    /// <param name="setting">The setting that names it.</param>
    /// <exception cref="RefusedException">Others may.</exception>
    public static void RequireSecret(string path, string setting)
    {
        const UnixFileMode Others =
            UnixFileMode.GroupRead
            | UnixFileMode.GroupWrite
            | UnixFileMode.OtherRead
            | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw RefusedException.Of(
                $"{setting}, {path}",
                "a file that its owner alone may read (chmod 600)",
                "one that others may read or write"
            );
        }
    }
}
