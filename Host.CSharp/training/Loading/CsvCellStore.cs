using System.Runtime.CompilerServices;
using Pipeline.Learning.Formats;

namespace Pipeline.Training;

/// <summary>The cells of a table: those of the first record, which may be a header, and those of the rows below it
/// in blocks of rows.</summary>
internal sealed class CsvCellStore
{
    private readonly CsvBlock[] blocks;

    /// <summary>The first row of each block.</summary>
    private readonly int[] starts;

    /// <param name="first">The texts of the first record.</param>
    /// <param name="blocks">The rows below it.</param>
    public CsvCellStore(string[] first, IEnumerable<CsvBlock> blocks)
    {
        First = first;
        this.blocks = [.. blocks];
        starts = new int[this.blocks.Length];
        for (var block = 0; block < starts.Length; block++)
        {
            starts[block] = RowsBelow;
            RowsBelow += this.blocks[block].Rows;
        }
    }

    public int Columns => First.Length;

    /// <summary>The texts of the first record.</summary>
    public string[] First { get; }

    /// <summary>The number of rows below the first record.</summary>
    public int RowsBelow { get; }

    /// <summary>The texts of a column.</summary>
    /// <param name="column">Its index.</param>
    /// <param name="hasFirst">Whether the first record is among them.</param>
    public IDecimalTexts Column(int column, bool hasFirst) => new CsvColumn(this, column, hasFirst);

    /// <summary>Whether a column has a text below the first record.</summary>
    public bool HasTexts(int column)
    {
        foreach (var block in blocks)
        {
            for (var row = 0; row < block.Rows; row++)
            {
                if (block.Text(row, column).Length > 0)
                    return true;
            }
        }
        return false;
    }

    /// <summary>Whether the numbers of all cells of a column below the first record are known, unless they are
    /// empty.</summary>
    public bool AreNumbers(int column) =>
        Array.TrueForAll(blocks, block => block.AreNumbers(column));

    /// <summary>The block of a row below the first record, and the row's index there.</summary>
    /// <param name="row">The row.</param>
    /// <param name="latest">The index of the block that was found last: rows are mostly read one after the
    /// other.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (CsvBlock Block, int Row) Find(int row, ref int latest)
    {
        var block = latest;
        if (row < starts[block] || row - starts[block] >= blocks[block].Rows)
        {
            var found = Array.BinarySearch(starts, row);
            block = found < 0 ? ~found - 1 : found;
            latest = block;
        }
        return (blocks[block], row - starts[block]);
    }
}
