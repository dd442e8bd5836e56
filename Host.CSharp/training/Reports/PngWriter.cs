using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Small pictures as PNG.</summary>
internal static class PngWriter
{
    private readonly record struct Rgb(byte Red, byte Green, byte Blue);

    private static readonly Rgb Line = new(221, 227, 234);

    /// <summary>Whether pictures show the channels of images as the three primary colours.</summary>
    public static bool AreColours(int channels) => channels == 3;

    /// <summary>An image. With three channels these are its colours. Otherwise each channel is ink on paper, 0 is white
    /// and 255 black, and the channels stand side by side.</summary>
    public static byte[] OfBytes(ByteImage image)
    {
        var (size, numbers) = (image.Size, image.Numbers);
        var (channels, rows, columns) = (size.Channels, size.Rows, size.Columns);
        if (AreColours(channels))
        {
            return Create(
                rows,
                columns,
                place =>
                    new(
                        numbers[place],
                        numbers[size.Area + place],
                        numbers[(2 * size.Area) + place]
                    )
            );
        }
        var width = channels * columns;
        return Create(
            rows,
            width,
            place =>
            {
                var (channel, column) = Math.DivRem(place % width, columns);
                var grey = (byte)(
                    byte.MaxValue
                    - numbers[(channel * size.Area) + (place / width * columns) + column]
                );
                return new(grey, grey, grey);
            }
        );
    }

    /// <summary>The size of the picture of an image.</summary>
    public static ImageSize SizeOf(ImageSize image) =>
        AreColours(image.Channels)
            ? image
            : ImageSize.Grey(image.Rows, image.Channels * image.Columns);

    /// <summary>Numbers as colours, saturated at the limit. One channel: blue below 0, white at 0, red above. Three
    /// channels: the amounts of red, green and blue, none at −limit, half at 0 and all at the limit. NaN is a line between
    /// pictures.</summary>
    public static byte[] OfNumbers(ImageSize size, double[] numbers, double limit)
    {
        byte Amount(int place) =>
            (byte)Math.Round(byte.MaxValue * (Share(numbers[place], limit) + 1) / 2);

        return Create(
            size.Rows,
            size.Columns,
            place =>
                double.IsNaN(numbers[place]) ? Line
                : AreColours(size.Channels)
                    ? new(Amount(place), Amount(size.Area + place), Amount((2 * size.Area) + place))
                : Colour(Share(numbers[place], limit))
        );
    }

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

    /// <summary>The share of the limit that a number has, −1 to 1.</summary>
    private static double Share(double number, double limit) => Math.Clamp(number / limit, -1, 1);

    /// <summary>The colour of a number of −1 to 1.</summary>
    private static Rgb Colour(double number)
    {
        var share = Math.Abs(number);

        byte Blend(int full) => (byte)Math.Round(byte.MaxValue + (share * (full - byte.MaxValue)));

        return number < 0
            ? new Rgb(Blend(33), Blend(102), Blend(172))
            : new Rgb(Blend(178), Blend(24), Blend(43));
    }
}
