using System.Collections;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Pipeline.Training;

/// <summary>The cells of a table, kept as bytes: column by column within blocks of rows, so that a column is
/// read from front to back. A cell takes its own bytes and four more.</summary>
internal sealed class CsvCellStore
{
    /// <summary>The approximate number of cells in a block.</summary>
    private const int BlockCells = 1 << 16;

    /// <param name="Bytes">The cells' bytes, one column after the other.</param>
    /// <param name="Ends">The end of each cell.</param>
    /// <param name="Rows">The number of rows.</param>
    private readonly record struct Block(byte[] Bytes, int[] Ends, int Rows);

    /// <summary>The rows of a block are a power of two, so that a row's block is found by a shift.</summary>
    private readonly int blockShift;
    private readonly List<Block> blocks = [];

    /// <summary>The rows of the unfinished block, one after the other.</summary>
    private readonly List<CsvCell> waiting = [];

    public CsvCellStore(int columns)
    {
        Columns = columns;
        blockShift = BitOperations.Log2((uint)Math.Max(1, BlockCells / columns));
    }

    public int Columns { get; }

    public int Rows { get; private set; }

    /// <summary>Adds a row.</summary>
    /// <param name="text">The whole text, the same for all rows.</param>
    /// <param name="cells">One cell for each column.</param>
    public void Add(ReadOnlySpan<byte> text, ReadOnlySpan<CsvCell> cells)
    {
        waiting.AddRange(cells);
        Rows++;
        if ((Rows & ((1 << blockShift) - 1)) == 0)
            EndBlock(text);
    }

    /// <summary>Completes the table.</summary>
    public void End(ReadOnlySpan<byte> text)
    {
        if (waiting.Count > 0)
            EndBlock(text);
        waiting.Capacity = 0;
    }

    /// <summary>The texts of a column.</summary>
    /// <param name="column">Its index.</param>
    /// <param name="first">The first row to include.</param>
    public IReadOnlyList<string> Column(int column, int first) =>
        new CsvColumn(this, column, first);

    public ReadOnlySpan<byte> Cell(int row, int column)
    {
        var (bytes, ends, rows) = blocks[row >> blockShift];
        var place = column * rows + (row & ((1 << blockShift) - 1));
        var start = place == 0 ? 0 : ends[place - 1];
        return bytes.AsSpan(start, ends[place] - start);
    }

    private void EndBlock(ReadOnlySpan<byte> text)
    {
        var cells = CollectionsMarshal.AsSpan(waiting);
        var length = 0;
        foreach (var cell in cells)
            length += cell.Length;
        var rows = cells.Length / Columns;
        var block = new Block(new byte[length], new int[cells.Length], rows);
        var (place, end) = (0, 0);
        for (var column = 0; column < Columns; column++)
        {
            for (var row = 0; row < rows; row++)
            {
                var cell = cells[row * Columns + column];
                var content = text.Slice(cell.Start, cell.Length);
                end += cell.HasQuotes
                    ? CopyQuoted(content, block.Bytes.AsSpan(end))
                    : Copy(content, block.Bytes.AsSpan(end));
                block.Ends[place++] = end;
            }
        }
        blocks.Add(block);
        waiting.Clear();
    }

    private static int Copy(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        content.CopyTo(destination);
        return content.Length;
    }

    /// <summary>Copies a cell, with doubled quotes turned into single ones.</summary>
    private static int CopyQuoted(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        var length = 0;
        for (var i = 0; i < content.Length; i++)
        {
            destination[length++] = content[i];
            if (content[i] == '"')
                i++;
        }
        return length;
    }

    /// <summary>A column whose texts are created on demand. Frequent equal texts that are close to each other
    /// share one object.</summary>
    private sealed class CsvColumn(CsvCellStore cells, int column, int first)
        : IReadOnlyList<string>
    {
        private readonly string?[] lately = new string?[64];
        private int made;
        private int shared;

        public int Count => cells.Rows - first;

        public string this[int row]
        {
            get
            {
                var bytes = cells.Cell(row + first, column);
                if (bytes.IsEmpty)
                    return "";
                return bytes.Length > 32 || made > 1000 + 4 * shared
                    ? Encoding.UTF8.GetString(bytes)
                    : Shared(bytes);
            }
        }

        private string Shared(ReadOnlySpan<byte> bytes)
        {
            Span<char> chars = stackalloc char[32];
            chars = chars[..Encoding.UTF8.GetChars(bytes, chars)];
            ref var known = ref lately[Hash(bytes) % lately.Length];
            if (known is { } text && chars.SequenceEqual(text))
            {
                shared++;
                return text;
            }
            made++;
            return known = new(chars);
        }

        public IEnumerator<string> GetEnumerator()
        {
            for (var row = 0; row < Count; row++)
                yield return this[row];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private static uint Hash(ReadOnlySpan<byte> bytes)
        {
            var hash = 2166136261u;
            foreach (var b in bytes)
                hash = (hash ^ b) * 16777619;
            return hash ^ (hash >> 16);
        }
    }
}
