using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using StbImageSharp;

namespace Pipeline.Training;

/// <summary>PNG files as grey images.</summary>
internal static class PngReader
{
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

    /// <summary>The image in a file: 255 is full ink.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="isDarkInk">Whether images have dark ink on light paper; otherwise light ink on dark
    /// paper.</param>
    /// <param name="limit">The largest size of the unpacked image, in bytes.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="RefusedException">The file is not a PNG, is damaged or too large.</exception>
    public static GreyImage Parse(
        ReadOnlyMemory<byte> content,
        bool isDarkInk,
        long limit,
        string path
    )
    {
        CheckSize(content, limit, path);
        try
        {
            var image = ImageResult.FromMemory(
                content.ToArray(),
                ColorComponents.RedGreenBlueAlpha
            );
            var pixels = new byte[image.Width * image.Height];
            for (var i = 0; i < pixels.Length; i++)
                pixels[i] = Ink(image.Data.AsSpan(4 * i, 4), isDarkInk);
            return new(image.Height, image.Width, pixels);
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

    /// <summary>Checks the size of the image first, as the library unpacks any amount: unpacks as many bytes
    /// as the header declares, and no more.</summary>
    private static void CheckSize(ReadOnlyMemory<byte> content, long limit, string path)
    {
        var bytes = content.Span;
        if (!IsPng(bytes) || bytes.Length < 33)
            throw Refused(path, $"{bytes.Length} bytes of another kind");
        var width = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
        var height = BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]);
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
        while (place + 12 <= bytes.Length)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[(int)place..]);
            if (place + 12 + length > bytes.Length)
                throw Refused(path, "one that is cut short");
            if (Encoding.ASCII.GetString(bytes.Slice((int)place + 4, 4)) == "IDAT")
                packed.Write(bytes.Slice((int)place + 8, (int)length));
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
