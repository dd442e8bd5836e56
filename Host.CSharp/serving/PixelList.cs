using System.Buffers;
using System.Runtime.InteropServices;

namespace Pipeline.Serving;

/// <summary>Lists of whole numbers of 0 to 255 in JSON, such as the pixels of images.</summary>
internal static class PixelList
{
    /// <summary>Four zeros, as most pixels of a drawing are.</summary>
    private static readonly ulong Zeros = MemoryMarshal.Read<ulong>("0,0,0,0,"u8);

    /// <summary>Reads a list that holds whole numbers of 0 to 255 alone.</summary>
    /// <param name="text">The text after the opening bracket.</param>
    /// <param name="length">The number of bytes before the closing bracket.</param>
    /// <param name="count">The number of values, 1 or more.</param>
    /// <returns>An array of <see cref="ArrayPool{T}.Shared"/> that begins with the values; null if there are other
    /// values, or the text is no such list.</returns>
    public static byte[]? Read(ReadOnlySpan<byte> text, out int length, out int count)
    {
        count = 0;
        length = text.IndexOf((byte)']');
        if (length <= 0)
            return null;
        text = text[..length];
        count = text.Count((byte)',') + 1;
        var values = ArrayPool<byte>.Shared.Rent(count);
        if (Read(text, values.AsSpan(0, count)))
            return values;
        ArrayPool<byte>.Shared.Return(values);
        return null;
    }

    private static bool Read(ReadOnlySpan<byte> text, Span<byte> values)
    {
        var place = 0;
        for (var i = 0; i < values.Length; i++)
        {
            while (
                text.Length - place >= sizeof(ulong)
                && MemoryMarshal.Read<ulong>(text[place..]) == Zeros
            )
            {
                values.Slice(i, 4).Clear();
                i += 4;
                place += sizeof(ulong);
            }
            SkipBlanks(text, ref place);
            var first = place;
            var value = 0;
            while (place < text.Length && (uint)(text[place] - '0') <= 9 && value <= byte.MaxValue)
                value = 10 * value + text[place++] - '0';
            var digits = place - first;
            // JSON has no leading zeros.
            if (digits == 0 || value > byte.MaxValue || digits > 1 && text[first] == '0')
                return false;
            SkipBlanks(text, ref place);
            if (i < values.Length - 1 && (place == text.Length || text[place++] != ','))
                return false;
            values[i] = (byte)value;
        }
        return place == text.Length;
    }

    private static void SkipBlanks(ReadOnlySpan<byte> text, ref int place)
    {
        while (
            place < text.Length
            && text[place] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'
        )
            place++;
    }
}
