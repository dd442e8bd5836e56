using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.FSharp.Core;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The content of a file, unzipped where it is a .gz, and its SHA-256, found while the content is
/// put to use.</summary>
internal sealed record DataFile(string Path, ReadOnlyMemory<byte> Content, Task<string> Hash)
{
    /// <summary>Unless a setting says otherwise, so many bytes are the most that is read.</summary>
    public const long UsualLimit = 1 << 30;

    /// <summary>The file's name, without .gz.</summary>
    public string Name => NameOf(Path);

    /// <summary>What kind of file it is: .csv, .npz, …</summary>
    public string Kind => KindOf(Path);

    public static string KindOf(string path) =>
        System.IO.Path.GetExtension(NameOf(path)).ToLowerInvariant();

    private static string NameOf(string path) =>
        IsZipped(path)
            ? System.IO.Path.GetFileNameWithoutExtension(path)
            : System.IO.Path.GetFileName(path);

    private static bool IsZipped(string path) =>
        path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    public static string Sentence(string path, string expected, string found) =>
        Faults.Create(path, expected, found).ToString();

    public static string Sentence(string path, Fault fault) =>
        Faults.Within(path, fault).ToString();

    /// <summary>What a parser made of a file's content.</summary>
    /// <exception cref="RefusedException">It found faults, which are said of the file.</exception>
    public static TValue Require<TValue>(
        Microsoft.FSharp.Core.FSharpResult<
            TValue,
            Microsoft.FSharp.Collections.FSharpList<Fault>
        > parsed,
        string path
    ) =>
        parsed.TryGet(out var value, out var faults)
            ? value
            : throw new RefusedException(faults.Select(fault => Sentence(path, fault)));

    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that the content may have: nothing is read of more.</param>
    /// <param name="claimed">How long a content of the format says it is, told its first 16 bytes: a small
    /// .gz can hold much, of which nothing is unpacked where that says otherwise.</param>
    /// <exception cref="RefusedException">There is no such file, it is too long, or a .gz is
    /// damaged.</exception>
    public static DataFile Read(
        string path,
        long limit,
        Func<ReadOnlyMemory<byte>, FSharpValueOption<long>>? claimed = null
    )
    {
        path = System.IO.Path.GetFullPath(path);
        limit = Math.Min(limit, Array.MaxLength);
        try
        {
            using var stream = File.OpenRead(path);
            var content = Read(stream, path, stream.CanSeek ? stream.Length : null, limit);
            if (IsZipped(path))
                content = Unzip(content, path, limit, claimed);
            return Of(path, content);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException([
                Sentence(path, "a file that can be read", unreadable.Message.TrimEnd('.')),
            ]);
        }
    }

    /// <summary>The content of a stream, standard input say, under a name of its own.</summary>
    /// <exception cref="RefusedException">It is too long.</exception>
    public static DataFile Read(Stream stream, string name, long limit) =>
        Of(name, Read(stream, name, null, Math.Min(limit, Array.MaxLength)));

    public static DataFile Of(string path, ReadOnlyMemory<byte> content) =>
        new(path, content, Task.Run(() => Convert.ToHexStringLower(SHA256.HashData(content.Span))));

    /// <summary>The stream to its end. A length that is known spares copies of the content.</summary>
    private static ReadOnlyMemory<byte> Read(Stream stream, string path, long? length, long limit)
    {
        if (length > limit)
            throw TooLong(path, limit, $"{length}");
        var content = new MemoryStream((int)(length ?? 0));
        if (!CopyUpTo(stream, content, limit))
            throw TooLong(path, limit, "more");
        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }

    private static RefusedException TooLong(string path, long limit, string found) =>
        new([Sentence(path, $"at most {limit} bytes (Data:MaximumBytes)", found)]);

    /// <summary>Copies a stream to its end, unless that is beyond so many bytes.</summary>
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

    /// <summary>Bytes as a stream to read from, not copied where they are an array's.</summary>
    public static Stream StreamOf(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);

    /// <summary>A gzip stream ends with the length of its content. .NET's reader takes a stream that is
    /// cut short, or followed by other bytes, for a whole one; the length tells.</summary>
    private static ReadOnlyMemory<byte> Unzip(
        ReadOnlyMemory<byte> zipped,
        string path,
        long limit,
        Func<ReadOnlyMemory<byte>, FSharpValueOption<long>>? claimed
    )
    {
        if (zipped.Span is not [0x1f, 0x8b, 8, ..] || zipped.Length < 18)
        {
            throw new RefusedException([
                Sentence(path, "a gzip stream", $"{zipped.Length} bytes that are none"),
            ]);
        }
        var length = BinaryPrimitives.ReadUInt32LittleEndian(zipped.Span[^4..]);
        using var stream = new GZipStream(StreamOf(zipped), CompressionMode.Decompress);
        // Room for the whole spares copies of it. Of a stream cut short any four bytes may pose as the
        // length, so that no more is taken at once than pictures need.
        var room = Math.Min(length, Math.Min(16L * zipped.Length, limit));
        var content = new MemoryStream((int)room);
        bool isWhole;
        try
        {
            var start = new byte[16];
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            var said =
                claimed is null ? (long?)length
                : claimed(start) is { IsSome: true, Value: var known } ? known
                : (long?)null;
            // No content of the format: its start is enough to say so.
            if (said is null)
                return start;
            content.Write(start);
            isWhole = said == length;
            // Deflate makes at most 1032 bytes of one: what claims more has other bytes at its end.
            isWhole = isWhole && length <= 1032L * zipped.Length;
            if (isWhole && length > limit)
                throw TooLong(path, limit, $"{length}, once it is unzipped");
            isWhole = isWhole && CopyUpTo(stream, content, length) && content.Length == length;
        }
        catch (InvalidDataException)
        {
            throw new RefusedException([Sentence(path, "one whole gzip stream", "a damaged one")]);
        }
        if (!isWhole)
        {
            throw new RefusedException([
                Sentence(
                    path,
                    "one whole gzip stream",
                    "one that is cut short, or more that follows it"
                ),
            ]);
        }
        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }
}
