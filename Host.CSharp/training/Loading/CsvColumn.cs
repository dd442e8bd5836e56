using System.Collections;
using System.Runtime.CompilerServices;
using System.Text;
using Pipeline.Learning.Formats;

namespace Pipeline.Training;

/// <summary>A column whose texts are created on demand. Of few different ones, equal texts that are close to each
/// other share one object.</summary>
/// <param name="cells">The table.</param>
/// <param name="column">The column's index.</param>
/// <param name="hasFirst">Whether the table's first record is a row.</param>
internal sealed class CsvColumn(CsvCellStore cells, int column, bool hasFirst) : IDecimalTexts
{
    private readonly int below = hasFirst ? 1 : 0;
    private readonly bool areAllBelow = cells.AreNumbers(column);
    private int latest;

    public int Count => cells.RowsBelow + below;

    public bool AreAll(int first) =>
        areAllBelow && (first >= below || IsNumber(cells.First[column]));

    public string this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        get
        {
            if (row < below)
                return cells.First[column];
            var (block, place) = cells.Find(row - below, ref latest);
            return block.Text(place, column);
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
}
