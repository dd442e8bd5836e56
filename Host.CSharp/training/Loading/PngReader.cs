using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using StbImageSharp;

namespace Pipeline.Training;

/// <summary>PNG files as images of one channel, ink, or of three: red, green and blue.</summary>
internal static class PngReader
{
    private const int Colours = 3;
    private const int SignatureLength = 8;
    private static readonly byte[] Signature =
    [
        0x89,
        (byte)'P',
        (byte)'N',
        (byte)'G',
        13,
        10,
        26,
        10,
    ];

    public static bool IsPng(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Signature);

    /// <summary>Whether a PNG can be read with a number of channels.</summary>
    public static bool CanHave(int channels) => channels is 1 or Colours;

    /// <summary>The size that the header of a file declares; null without a header, and for a size beyond every array.</summary>
    /// <param name="bytes">The file, or its beginning.</param>
    /// <param name="channels">How many channels it is read with.</param>
    public static ImageSize? SizeOf(ReadOnlySpan<byte> bytes, int channels)
    {
        if (!HasHeader(bytes))
            return null;
        var (width, height) = Declared(bytes);
        return
            (UInt128)width * height * (uint)channels is var count
            && count > 0
            && count <= (UInt128)Array.MaxLength
            ? new(channels, (int)height, (int)width)
            : null;
    }

    private static bool HasHeader(ReadOnlySpan<byte> bytes) => IsPng(bytes) && bytes.Length >= 33;

    private static (uint Width, uint Height) Declared(ReadOnlySpan<byte> bytes) =>
        (
            BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[20..])
        );

    /// <summary>The image in a file. With one channel, colours become grey by their luminance, 255 is full ink, and
    /// transparent pixels have none. With three, grey pixels have the same number in each, and transparent pixels are
    /// white.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="isDarkInk">For one channel: whether images have dark ink on light paper; otherwise light ink on dark
    /// paper.</param>
    /// <param name="limit">The largest size of the unpacked image, in bytes.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="isChecked">Whether the checksums of its parts are compared. A fuzzer leaves them out to reach the code
    /// behind them.</param>
    /// <exception cref="RefusedException">The file is not a PNG, is damaged or too large; or dark ink is given for an image
    /// of colours.</exception>
    public static ByteImage Parse(
        ReadOnlyMemory<byte> content,
        int channels,
        bool isDarkInk,
        long limit,
        string path,
        bool isChecked = true
    )
    {
        if (isDarkInk && channels != 1)
        {
            throw new RefusedException([
                Faults
                    .Message(path, "dark ink applies to models of grey images, not of colours")
                    .ToString(),
            ]);
        }
        CheckParts(content, limit, path, isChecked);
        try
        {
            var image = ImageResult.FromMemory(
                content.ToArray(),
                ColorComponents.RedGreenBlueAlpha
            );
            var size = new ImageSize(channels, image.Height, image.Width);
            var numbers = new byte[size.Count];
            for (var i = 0; i < size.Area; i++)
            {
                var pixel = image.Data.AsSpan(4 * i, 4);
                if (channels == 1)
                    numbers[i] = Ink(pixel, isDarkInk);
                else
                {
                    for (var channel = 0; channel < channels; channel++)
                        numbers[(channel * size.Area) + i] = OnWhite(pixel[channel], pixel[3]);
                }
            }
            return new(size, numbers);
        }
        catch (Exception damaged) when (damaged is not OutOfMemoryException)
        {
            // For a damaged file the library may throw any exception.
            throw Refused(path, damaged.Message.TrimEnd('.'));
        }
    }

    /// <summary>The amount of ink of a pixel; a transparent one has none.</summary>
    private static byte Ink(ReadOnlySpan<byte> rgba, bool isDarkInk)
    {
        var light = ((0.299 * rgba[0]) + (0.587 * rgba[1]) + (0.114 * rgba[2])) / byte.MaxValue;
        var ink = isDarkInk ? 1 - light : light;
        return (byte)Math.Round(ink * rgba[3]);
    }

    /// <summary>A colour on white paper, which shows as far as the colour is transparent.</summary>
    private static byte OnWhite(byte colour, byte opacity) =>
        (byte)(byte.MaxValue - ((byte.MaxValue - colour) * opacity + 127) / byte.MaxValue);

    /// <summary>Checks the checksums, and the size of the image, as the library unpacks any amount: unpacks as many
    /// bytes as the header declares, and no more.</summary>
    private static void CheckParts(
        ReadOnlyMemory<byte> content,
        long limit,
        string path,
        bool isChecked
    )
    {
        var bytes = content.Span;
        if (!HasHeader(bytes))
            throw Refused(path, $"{bytes.Length} bytes of another kind");
        var (width, height) = Declared(bytes);
        // Four channels of 16 bits at most, a byte a row, and seven passes at most.
        var most = (((UInt128)width * 8) + 8) * ((UInt128)height + 7);
        if (width == 0 || height == 0 || most > (UInt128)limit)
        {
            throw RefusedException.Of(
                path,
                $"an image of 1 pixel or more and at most {limit} bytes",
                $"{height} × {width} pixels"
            );
        }
        var packed = new MemoryStream();
        long place = SignatureLength;
        var kind = "";
        while (place + 12 <= bytes.Length && kind != "IEND")
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[(int)place..]);
            if (place + 12 + length > bytes.Length)
                throw Refused(path, "one that is cut short");
            var named = bytes.Slice((int)place + 4, (int)length + 4);
            kind = Encoding.ASCII.GetString(named[..4]);
            var checksum = BinaryPrimitives.ReadUInt32BigEndian(bytes[(int)(place + 8 + length)..]);
            if (isChecked && Crc32.HashToUInt32(named) != checksum)
                throw Refused(
                    path,
                    $"one with a wrong checksum of its part {VisibleText.Of(kind)}"
                );
            if (kind == "IDAT")
                packed.Write(named[4..]);
            place += 12 + length;
        }
        // The library allocates the declared length of a chunk, even if the file ends before it.
        if (place != bytes.Length)
            throw Refused(path, "one that is cut short, or more that follows it");
        packed.Position = 0;
        try
        {
            using var stream = new ZLibStream(packed, CompressionMode.Decompress);
            if (!DataFile.CopyUpTo(stream, new MemoryStream(), (long)most))
                throw Refused(path, "one that holds more than its header claims");
        }
        catch (Exception damaged) when (DataFile.IsDamage(damaged))
        {
            throw Refused(path, "one whose pixels cannot be decompressed");
        }
    }

    private static RefusedException Refused(string path, string found) =>
        new([DataFile.Sentence(path, "a PNG image", found)]);
}
