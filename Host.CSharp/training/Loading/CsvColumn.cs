using System.Collections;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using Pipeline.Learning.Formats;

namespace Pipeline.Training;

/// <summary>A column whose texts are created on demand. Frequent equal texts that are close to each other share
/// one object.</summary>
/// <param name="cells">The table.</param>
/// <param name="column">The column's index.</param>
/// <param name="hasFirst">Whether the table's first record is a row.</param>
internal sealed class CsvColumn(CsvCellStore cells, int column, bool hasFirst) : IDecimalTexts
{
    /// <summary>The most bytes of a text that is shared.</summary>
    private const int LongestShared = 16;

    /// <param name="Words">The text's bytes and zeros.</param>
    /// <param name="Text">The text.</param>
    private sealed record SharedText(Vector128<ulong> Words, string Text);

    private readonly int below = hasFirst ? 1 : 0;
    private readonly bool areAllBelow = cells.AreNumbers(column);
    private readonly SharedText?[] lately = new SharedText?[64];
    private int latest;
    private int made;
    private int shared;

    public int Count => cells.RowsBelow + below;

    public bool AreAll(int first) =>
        areAllBelow && (first >= below || IsNumber(cells.First[column]));

    public string this[int row]
    {
        get
        {
            if (row < below)
                return cells.First[column];
            var (block, place) = cells.Find(row - below, ref latest);
            var cell = block.Cell(place, column, out var text);
            return text.IsEmpty ? cell.ToString() : TextOf(text);
        }
    }

    public void CopyNumbers(int first, Span<double> numbers)
    {
        if (first < below && numbers.Length > 0)
        {
            numbers[0] = NumberOf(cells.First[column]);
            first++;
            numbers = numbers[1..];
        }
        while (numbers.Length > 0)
        {
            var (block, place) = cells.Find(first - below, ref latest);
            var count = Math.Min(block.Rows - place, numbers.Length);
            block.CopyNumbers(column, place, numbers[..count]);
            first += count;
            numbers = numbers[count..];
        }
    }

    public IEnumerator<string> GetEnumerator()
    {
        for (var row = 0; row < Count; row++)
            yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsNumber(string text) => text.Length == 0 || !double.IsNaN(NumberOf(text));

    private static double NumberOf(string text) => NumberText.Parse(Encoding.UTF8.GetBytes(text));

    private string TextOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length > LongestShared || made > 1000 + 4 * shared
            ? Encoding.UTF8.GetString(bytes)
            : Shared(bytes);

    private string Shared(ReadOnlySpan<byte> bytes)
    {
        Span<byte> padded = stackalloc byte[LongestShared];
        padded.Clear();
        bytes.CopyTo(padded);
        // Texts have no zero bytes.
        var words = MemoryMarshal.Read<Vector128<ulong>>(padded);
        var hash = (words[0] ^ BitOperations.RotateLeft(words[1], 29)) * 0x9E3779B97F4A7C15;
        ref var slot = ref lately[hash >> 58];
        if (slot is { } known && known.Words == words)
        {
            shared++;
            return known.Text;
        }
        made++;
        var text = Encoding.UTF8.GetString(bytes);
        slot = new(words, text);
        return text;
    }
}
