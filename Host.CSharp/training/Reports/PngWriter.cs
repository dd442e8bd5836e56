using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Pipeline.Training;

/// <summary>Small pictures as PNG.</summary>
internal static class PngWriter
{
    private readonly record struct Rgb(byte Red, byte Green, byte Blue);

    /// <summary>Ink on paper: 0 is white, 255 black.</summary>
    public static byte[] OfInk(GreyImage image) =>
        Create(
            image.Rows,
            image.Columns,
            place =>
            {
                var grey = (byte)(byte.MaxValue - image.Pixels[place]);
                return new Rgb(grey, grey, grey);
            }
        );

    /// <summary>Numbers as colours: blue below 0, white at 0, red above, saturated at the limit.</summary>
    public static byte[] OfNumbers(int rows, int columns, double[] numbers, double limit) =>
        Create(rows, columns, place => Colour(numbers[place] / limit));

    /// <summary>An image of 8 bits a channel without transparency, as the PNG specification (third edition, chapters 5,
    /// 9 and 10) has it; no row is filtered.</summary>
    private static byte[] Create(int rows, int columns, Func<int, Rgb> colour)
    {
        using var png = new MemoryStream();
        png.Write([0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n']);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, columns);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], rows);
        (header[8], header[9]) = (8, 2);
        WriteChunk(png, "IHDR"u8, header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var row = new byte[1 + (3 * columns)];
            for (var i = 0; i < rows; i++)
            {
                for (var k = 0; k < columns; k++)
                {
                    (row[1 + (3 * k)], row[2 + (3 * k)], row[3 + (3 * k)]) = colour(
                        (i * columns) + k
                    );
                }
                zlib.Write(row);
            }
        }
        WriteChunk(png, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        WriteChunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void WriteChunk(
        MemoryStream png,
        ReadOnlySpan<byte> type,
        ReadOnlySpan<byte> content
    )
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        png.Write(type);
        png.Write(content);
        var check = new Crc32();
        check.Append(type);
        check.Append(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, check.GetCurrentHashAsUInt32());
        png.Write(number);
    }

    /// <summary>The colour of a number of −1 to 1.</summary>
    private static Rgb Colour(double number)
    {
        var share = double.IsNaN(number) ? 0 : Math.Min(1, Math.Abs(number));

        byte Blend(int full) => (byte)Math.Round(byte.MaxValue + (share * (full - byte.MaxValue)));

        return number < 0
            ? new Rgb(Blend(33), Blend(102), Blend(172))
            : new Rgb(Blend(178), Blend(24), Blend(43));
    }
}
