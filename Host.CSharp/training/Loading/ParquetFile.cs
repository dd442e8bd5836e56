using System.IO.Compression;
using K4os.Compression.LZ4;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Snappier;
using ZstdSharp;

namespace Pipeline.Training;

/// <summary>Reads tables from Parquet files; libraries decompress their pages.</summary>
internal static class ParquetFile
{
    /// <summary>The table in a file.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="limit">The largest size of all unpacked columns together, in bytes.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="RefusedException">The file is not a Parquet file, has columns of unsupported types or
    /// is too large.</exception>
    public static Table Parse(ReadOnlyMemory<byte> content, long limit, string path) =>
        Tables.OfParquet(limit, Unpack, content).OrThrow(RefusedException.At(path));

    /// <returns>Whether the bytes hold a page of exactly this size.</returns>
    private static bool Unpack(ParquetCodec codec, ReadOnlyMemory<byte> packed, Memory<byte> page)
    {
        try
        {
            return codec switch
            {
                ParquetCodec.Snappy => Snappy.GetUncompressedLength(packed.Span) == page.Length
                    && Snappy.Decompress(packed.Span, page.Span) == page.Length,
                ParquetCodec.Gzip => Unzip(packed, page),
                ParquetCodec.Brotli => BrotliDecoder.TryDecompress(
                    packed.Span,
                    page.Span,
                    out var written
                )
                    && written == page.Length,
                ParquetCodec.Zstd => UnpackZstd(packed, page),
                ParquetCodec.Lz4Raw => LZ4Codec.Decode(packed.Span, page.Span) == page.Length,
                _ => false,
            };
        }
        catch (Exception damaged)
            when (DataFile.IsDamage(damaged) || damaged is ArgumentException or ZstdException)
        {
            return false;
        }
    }

    private static bool Unzip(ReadOnlyMemory<byte> packed, Memory<byte> page)
    {
        using var stream = new GZipStream(DataFile.StreamOf(packed), CompressionMode.Decompress);
        return stream.ReadAtLeast(page.Span, page.Length, throwOnEndOfStream: false) == page.Length
            && stream.ReadByte() == -1;
    }

    private static bool UnpackZstd(ReadOnlyMemory<byte> packed, Memory<byte> page)
    {
        using var decompressor = new Decompressor();
        return decompressor.Unwrap(packed.Span, page.Span) == page.Length;
    }
}
