using System.Runtime.InteropServices;

namespace Pipeline.Training;

/// <summary>Makes blocks of the rows of a table.</summary>
/// <param name="columns">The number of columns.</param>
internal sealed class CsvBlockBuilder(int columns)
{
    /// <summary>The approximate number of cells in a block.</summary>
    private const int BlockCells = 1 << 16;

    private readonly int most = columns * Math.Max(1, BlockCells / columns);
    private readonly List<CsvBlock> blocks = [];

    /// <summary>The cells of the unfinished block, row by row.</summary>
    private DecimalCell[] waiting = [];
    private readonly List<CsvCell> others = [];
    private int filled;

    /// <summary>Adds a row.</summary>
    /// <param name="text">The whole text, the same for all rows.</param>
    /// <param name="cells">One cell for each column.</param>
    public void Add(ReadOnlySpan<byte> text, ReadOnlySpan<CsvCell> cells)
    {
        if (filled == waiting.Length)
            Array.Resize(ref waiting, Math.Min(most, Math.Max(columns, 2 * filled)));
        var row = waiting.AsSpan(filled, columns);
        for (var column = 0; column < row.Length; column++)
        {
            ref readonly var cell = ref cells[column];
            row[column] = cell.Decimal.IsNumber || cell.Length == 0 ? cell.Decimal : Other(cell);
        }
        filled += columns;
        if (filled == most)
            EndBlock(text);
    }

    /// <summary>All blocks.</summary>
    /// <param name="text">The whole text.</param>
    public List<CsvBlock> End(ReadOnlySpan<byte> text)
    {
        if (filled > 0)
            EndBlock(text);
        return blocks;
    }

    private DecimalCell Other(CsvCell cell)
    {
        others.Add(cell);
        return DecimalCell.Other(others.Count - 1);
    }

    private void EndBlock(ReadOnlySpan<byte> text)
    {
        blocks.Add(
            new(text, columns, waiting.AsSpan(0, filled), CollectionsMarshal.AsSpan(others))
        );
        others.Clear();
        filled = 0;
    }
}
