using Parquet;
using Parquet.Schema;

namespace Pipeline.Fuzz;

/// <summary>Small Parquet files of another library: a few numbers and texts in each codec.</summary>
internal static class ParquetSeeds
{
    public static IEnumerable<byte[]> All() =>
        new[]
        {
            CompressionMethod.None,
            CompressionMethod.Snappy,
            CompressionMethod.Gzip,
            CompressionMethod.Brotli,
            CompressionMethod.Zstd,
            CompressionMethod.LZ4,
        }.Select(codec => WriteAsync(codec).GetAwaiter().GetResult());

    private static async Task<byte[]> WriteAsync(CompressionMethod codec)
    {
        var (numbers, texts) = (new DataField<double?>("n"), new DataField<string>("t"));
        using var bytes = new MemoryStream();
        await using (
            var writer = await ParquetWriter.CreateAsync(
                new ParquetSchema(numbers, texts),
                bytes,
                new ParquetOptions { CompressionMethod = codec }
            )
        )
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<double>(numbers, new double?[] { 1, null, 0.5, 1 });
            await group.WriteAsync(texts, ["a", "b", "a", ""]);
            group.CompleteValidate();
        }
        return bytes.ToArray();
    }
}
