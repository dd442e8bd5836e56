using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Pipeline.Training;

/// <summary>The cells of a block's column that has few different texts: each text is held once, and a cell takes the
/// byte of its index.</summary>
internal sealed class CsvTexts
{
    /// <summary>The most different texts.</summary>
    private const int Most = byte.MaxValue + 1;

    /// <summary>The most bytes of a text.</summary>
    private const int Longest = 32;

    /// <summary>Twice as many places as texts: one at least stays free.</summary>
    private const int PlaceBits = 9;

    private readonly byte[] indices;
    private readonly string[] texts;

    /// <summary>The numbers of the texts; NaN for one that is no decimal.</summary>
    private readonly double[] numbers;

    private CsvTexts(byte[] indices, ReadOnlySpan<Words> different)
    {
        this.indices = indices;
        texts = new string[different.Length];
        numbers = new double[different.Length];
        for (var i = 0; i < different.Length; i++)
        {
            var bytes = MemoryMarshal.AsBytes(different.Slice(i, 1)).TrimEnd((byte)0);
            texts[i] = Encoding.UTF8.GetString(bytes);
            numbers[i] = DecimalCell.NumberOf(bytes);
        }
    }

    /// <summary>A text as its bytes and zeros; texts have no zero bytes.</summary>
    private readonly record struct Words(ulong First, ulong Second, ulong Third, ulong Fourth)
    {
        /// <summary>Where a table of texts is searched first for this one.</summary>
        public int Place =>
            (int)(
                (
                    First
                    ^ BitOperations.RotateLeft(Second, 29)
                    ^ BitOperations.RotateLeft(Third, 17)
                    ^ BitOperations.RotateLeft(Fourth, 43)
                ) * 0x9E3779B97F4A7C15
                >> (64 - PlaceBits)
            );
    }

    /// <summary>The text of a row.</summary>
    public string this[int row] => texts[indices[row]];

    /// <summary>Copies the numbers of texts; NaN for one that is no decimal.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="destination">Where to put them, one a row.</param>
    public void CopyNumbers(int first, Span<double> destination)
    {
        for (var i = 0; i < destination.Length; i++)
            destination[i] = numbers[indices[first + i]];
    }

    /// <summary>The cells of a column, if it has few different texts, none of them long.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="cells">The cells of all columns, row by row.</param>
    /// <param name="column">The column.</param>
    /// <param name="columns">The number of columns.</param>
    /// <param name="others">The cells that are no decimals, by their indices.</param>
    public static CsvTexts? Find(
        ReadOnlySpan<byte> text,
        ReadOnlySpan<DecimalCell> cells,
        int column,
        int columns,
        ReadOnlySpan<CsvCell> others
    )
    {
        var indices = new byte[cells.Length / columns];
        Span<Words> different = stackalloc Words[Math.Min(Most, indices.Length / 4)];
        // The index of the text that has a place, and one more.
        Span<short> places = stackalloc short[1 << PlaceBits];
        places.Clear();
        var count = 0;
        for (var row = 0; row < indices.Length; row++)
        {
            if (!Read(text, cells[column + row * columns], others, out var words))
                return null;
            var place = words.Place;
            while (places[place] > 0 && different[places[place] - 1] != words)
                place = (place + 1) % places.Length;
            if (places[place] == 0)
            {
                if (count == different.Length)
                    return null;
                different[count++] = words;
                places[place] = (short)count;
            }
            indices[row] = (byte)(places[place] - 1);
        }
        return new(indices, different[..count]);
    }

    /// <returns>Whether the cell's text is not long.</returns>
    private static bool Read(
        ReadOnlySpan<byte> text,
        DecimalCell cell,
        ReadOnlySpan<CsvCell> others,
        out Words words
    )
    {
        words = default;
        var bytes = MemoryMarshal.AsBytes(new Span<Words>(ref words));
        if (cell.IsNumber)
            Encoding.ASCII.GetBytes(cell.ToString(), bytes);
        else if (!cell.IsEmpty)
        {
            var other = others[cell.Index];
            if (other.Length > Longest)
                return false;
            other.CopyTo(text, bytes);
        }
        return true;
    }
}
