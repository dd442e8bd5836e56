using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Pipeline.Training;

/// <summary>Gzip streams of one member or several (RFC 1952), as written by <c>cat a.gz b.gz</c>, bgzip and
/// log rotation.</summary>
internal static class Gzip
{
    /// <summary>The largest ratio of Deflate.</summary>
    private const long MostRatio = 1032;

    /// <summary>The content of a stream. .NET's reader accepts a stream that is cut short or followed by
    /// other bytes. The last eight bytes of a whole stream are the checksum and the length of its last
    /// member, so these are checked.</summary>
    /// <param name="zipped">The stream.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="limit">The largest size of the content in bytes.</param>
    /// <param name="claimed">Returns the length of the content that its first 20 bytes declare, or null if
    /// they are not of the format. A stream of another length is not unpacked any further.</param>
    /// <exception cref="RefusedException">The stream is damaged, cut short or too long.</exception>
    public static ReadOnlyMemory<byte> Unpack(
        ReadOnlyMemory<byte> zipped,
        string path,
        long limit,
        Func<ReadOnlyMemory<byte>, long?>? claimed
    )
    {
        if (zipped.Span is not [0x1f, 0x8b, 8, ..] || zipped.Length < 18)
            throw RefusedException.Of(
                path,
                "a gzip stream",
                $"{zipped.Length} bytes of another kind"
            );
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(zipped.Span[^8..]);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(zipped.Span[^4..]);
        var most = MostRatio * zipped.Length;
        using var stream = new GZipStream(DataFile.StreamOf(zipped), CompressionMode.Decompress);
        try
        {
            var start = new byte[20];
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            if (claimed is not null)
            {
                // The content is not of the format; its start suffices to report that.
                if (claimed(start) is not { } declared)
                    return start;
                if (declared > most)
                    throw NotWhole(path);
                if (declared > limit)
                    throw DataFile.TooLong(path, limit, $"{declared}, once it is unzipped");
                limit = declared;
            }
            else if (length > limit && length <= most)
            {
                throw DataFile.TooLong(path, limit, $"{length}, once it is unzipped");
            }
            // Allocating the whole length avoids copies. In a stream that is cut short any four bytes may be
            // read as the length, so no more is allocated at first than images need.
            var room = Math.Min(length, Math.Min(16L * zipped.Length, limit));
            var content = new MemoryStream((int)room);
            content.Write(start);
            if (!DataFile.CopyUpTo(stream, content, limit))
            {
                throw claimed is null
                    ? DataFile.TooLong(path, limit, "more, once it is unzipped")
                    : NotWhole(path);
            }
            var bytes = content.GetBuffer().AsMemory(0, (int)content.Length);
            return
                (claimed is null || content.Length == limit)
                && EndsWith(bytes.Span, length, checksum)
                && (length > 0 || IsEmptyMember(zipped.Span))
                ? bytes
                : throw NotWhole(path);
        }
        catch (Exception damaged) when (DataFile.IsDamage(damaged))
        {
            throw RefusedException.Of(path, "one whole gzip stream", "a damaged one");
        }
    }

    private static bool EndsWith(ReadOnlySpan<byte> content, long length, uint checksum) =>
        length <= content.Length && Crc32.HashToUInt32(content[^(int)length..]) == checksum;

    /// <summary>Whether the last member is an empty one: a checksum and length of zero alone do not prove
    /// it.</summary>
    private static bool IsEmptyMember(ReadOnlySpan<byte> zipped) =>
        zipped[..^8].EndsWith((ReadOnlySpan<byte>)[3, 0])
        || zipped[..^8].EndsWith((ReadOnlySpan<byte>)[1, 0, 0, 0xff, 0xff]);

    private static RefusedException NotWhole(string path) =>
        RefusedException.Of(
            path,
            "one whole gzip stream",
            "one that is cut short, or more that follows it"
        );
}
