namespace Pipeline.Training;

/// <summary>Recognises the binary format of a misnamed file by its first bytes.</summary>
internal static class BinaryFormat
{
    public const string Gzip = "a gzip stream (its name should end in .gz)";

    /// <summary>The name of the format in messages.</summary>
    /// <returns>Null for other bytes.</returns>
    public static string? Of(ReadOnlySpan<byte> content) =>
        content switch
        {
            [0x1f, 0x8b, 8, ..] => Gzip,
            [(byte)'P', (byte)'K', 3, 4, ..] =>
                "a ZIP archive, as an Excel workbook is (export it as CSV) or an .npz",
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] =>
                "an old Excel workbook (export it as CSV)",
            [
                (byte)'P',
                (byte)'A',
                (byte)'R',
                (byte)'1',
                ..,
                (byte)'P',
                (byte)'A',
                (byte)'R',
                (byte)'1',
            ] => "Parquet (its name should end in .parquet)",
            _ => null,
        };
}
