using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Pipeline.Training;

/// <summary>Some rows of a table, column by column. A column of decimals takes as many bytes a cell as its
/// numbers need; another one its different texts, if they are few, or its texts and their ends.</summary>
internal sealed class CsvBlock
{
    /// <summary>How a column's cells are kept.</summary>
    private enum Form : byte
    {
        /// <summary>Whole numbers of one byte, all with the same number of digits after the point.</summary>
        Bytes,

        /// <summary>The same with two bytes and empty cells.</summary>
        Shorts,

        /// <summary>Codes of four bytes. Those of other texts are followed by the ends of these texts, and the
        /// texts.</summary>
        Ints,

        /// <summary>The same with codes of eight bytes.</summary>
        Longs,

        /// <summary>The end of each cell's text, then the texts.</summary>
        Texts,
    }

    /// <param name="Start">Its first byte.</param>
    /// <param name="Form">How its cells are kept.</param>
    /// <param name="Decimals">The digits after the point, where all cells have the same number.</param>
    /// <param name="AreNumbers">Whether all cells are decimals, other numbers, of which there are few, or
    /// empty.</param>
    /// <param name="Others">The number of texts that are no decimals.</param>
    /// <param name="Few">The cells, where they are few different texts; the column takes no bytes then.</param>
    private readonly record struct Part(
        int Start,
        Form Form,
        byte Decimals,
        bool AreNumbers,
        int Others,
        CsvTexts? Few = null
    );

    private const short EmptyShort = short.MinValue;

    private readonly byte[] bytes;
    private readonly Part[] parts;

    /// <param name="text">The whole text.</param>
    /// <param name="columns">The number of columns.</param>
    /// <param name="cells">The cells, row by row.</param>
    /// <param name="others">The cells that are no decimals, by their indices.</param>
    public CsvBlock(
        ReadOnlySpan<byte> text,
        int columns,
        ReadOnlySpan<DecimalCell> cells,
        ReadOnlySpan<CsvCell> others
    )
    {
        Rows = cells.Length / columns;
        parts = new Part[columns];
        var length = 0;
        for (var column = 0; column < columns; column++)
        {
            var (part, size) = PartOf(text, cells, column, columns, others);
            parts[column] = part with { Start = length };
            length += size;
        }
        bytes = new byte[length];
        for (var column = 0; column < columns; column++)
            Write(text, parts[column], cells, column, columns, others);
    }

    public int Rows { get; }

    /// <summary>Whether the numbers of all cells of a column are known, unless they are empty.</summary>
    public bool AreNumbers(int column) => parts[column].AreNumbers;

    /// <summary>The text of a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public string Text(int row, int column)
    {
        ref readonly var part = ref parts[column];
        if (part.Few is { } few)
            return few[row];
        var cell = Cell(row, part, out var text);
        return text.IsEmpty ? cell.ToString() : Encoding.UTF8.GetString(text);
    }

    /// <summary>A cell.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="part">Its column, which has many different texts.</param>
    /// <param name="text">The text in UTF-8 of a cell that has no number; nothing for an empty cell.</param>
    private DecimalCell Cell(int row, in Part part, out ReadOnlySpan<byte> text)
    {
        text = default;
        DecimalCell cell;
        switch (part.Form)
        {
            case Form.Bytes:
                return DecimalCell.Of(bytes[part.Start + row], part.Decimals);
            case Form.Shorts:
                var whole = Values<short>(part)[row];
                return whole == EmptyShort ? default : DecimalCell.Of(whole, part.Decimals);
            case Form.Ints:
                cell = new(Values<int>(part)[row]);
                break;
            case Form.Longs:
                cell = new(Values<long>(part)[row]);
                break;
            default:
                text = Text(part.Start, Rows, row);
                return default;
        }
        if (!cell.IsNumber && !cell.IsEmpty)
            text = Text(part.Start + Rows * Width(part.Form), part.Others, cell.Index);
        return cell;
    }

    /// <summary>A text of several that follow their ends.</summary>
    private ReadOnlySpan<byte> Text(int from, int count, int index)
    {
        var ends = MemoryMarshal.Cast<byte, int>(bytes.AsSpan(from, 4 * count));
        var start = index == 0 ? 0 : ends[index - 1];
        return bytes.AsSpan(from + 4 * count + start, ends[index] - start);
    }

    /// <summary>Copies numbers of a column; NaN for a cell whose number is not known.</summary>
    /// <param name="column">The column.</param>
    /// <param name="first">The first row.</param>
    /// <param name="numbers">Where to put them.</param>
    public void CopyNumbers(int column, int first, Span<double> numbers)
    {
        var part = parts[column];
        if (part.Few is { } few)
        {
            few.CopyNumbers(first, numbers);
            return;
        }
        switch (part.Form)
        {
            case Form.Bytes:
                CopyBytes(Values<byte>(part).Slice(first, numbers.Length), part.Decimals, numbers);
                break;
            case Form.Shorts:
                CopyShorts(
                    Values<short>(part).Slice(first, numbers.Length),
                    part.Decimals,
                    numbers
                );
                break;
            case Form.Ints:
                var ints = Values<int>(part).Slice(first, numbers.Length);
                for (var i = 0; i < ints.Length; i++)
                    numbers[i] = new DecimalCell(ints[i]).Number;
                AddOthers(part, first, numbers);
                break;
            case Form.Longs:
                var longs = Values<long>(part).Slice(first, numbers.Length);
                for (var i = 0; i < longs.Length; i++)
                    numbers[i] = new DecimalCell(longs[i]).Number;
                AddOthers(part, first, numbers);
                break;
            default:
                for (var i = 0; i < numbers.Length; i++)
                    numbers[i] = DecimalCell.NumberOf(Text(part.Start, Rows, first + i));
                break;
        }
    }

    /// <summary>Adds the numbers that are no decimals, where there are few.</summary>
    private void AddOthers(in Part part, int first, Span<double> numbers)
    {
        if (part is not { AreNumbers: true, Others: > 0 })
            return;
        for (var i = 0; i < numbers.Length; i++)
        {
            if (
                double.IsNaN(numbers[i])
                && Cell(first + i, part, out var text) is { IsEmpty: false }
            )
                numbers[i] = NumberText.Parse(text);
        }
    }

    private static void CopyBytes(ReadOnlySpan<byte> wholes, int decimals, Span<double> numbers)
    {
        var divisor = DecimalCell.Divisor(decimals);
        for (var i = 0; i < wholes.Length; i++)
            numbers[i] = wholes[i] / divisor;
    }

    private static void CopyShorts(ReadOnlySpan<short> wholes, int decimals, Span<double> numbers)
    {
        var divisor = DecimalCell.Divisor(decimals);
        for (var i = 0; i < wholes.Length; i++)
            numbers[i] = wholes[i] == EmptyShort ? double.NaN : wholes[i] / divisor;
    }

    private Span<TValue> Values<TValue>(Part part)
        where TValue : unmanaged => MemoryMarshal.Cast<byte, TValue>(bytes.AsSpan(part.Start));

    private static int Width(Form form) =>
        form switch
        {
            Form.Bytes => 1,
            Form.Shorts => 2,
            Form.Ints => 4,
            _ => 8,
        };

    /// <summary>The smallest form that holds a column, and its number of bytes.</summary>
    private static (Part Part, int Size) PartOf(
        ReadOnlySpan<byte> text,
        ReadOnlySpan<DecimalCell> cells,
        int column,
        int columns,
        ReadOnlySpan<CsvCell> others
    )
    {
        var rows = cells.Length / columns;
        var (least, most, decimals) = (long.MaxValue, long.MinValue, -1);
        var (hasEmpty, isEven) = (false, true);
        var (count, bytesOfOthers) = (0, 0);
        for (var place = column; place < cells.Length; place += columns)
        {
            var cell = cells[place];
            if (cell.IsNumber)
            {
                least = Math.Min(least, cell.Whole);
                most = Math.Max(most, cell.Whole);
                isEven &= decimals < 0 || decimals == cell.Decimals;
                decimals = cell.Decimals;
            }
            else if (cell.IsEmpty)
                hasEmpty = true;
            else
            {
                count++;
                bytesOfOthers += others[cell.Index].Length;
            }
        }
        if (2 * count > rows)
        {
            if (CsvTexts.Find(text, cells, column, columns, others) is { } few)
                return (new(0, Form.Texts, 0, false, count, few), 0);
            var size = 4 * rows + bytesOfOthers + BytesOfNumbers(cells, column, columns);
            return (new(0, Form.Texts, 0, false, count), size);
        }
        var areNumbers =
            count == 0 || (16 * count <= rows && AreNumbers(text, cells, column, columns, others));
        var form =
            count == 0 && isEven ? FormOfEven(least, most, hasEmpty)
            : AreInts(least, most) ? Form.Ints
            : Form.Longs;
        return (
            new(0, form, (byte)Math.Max(decimals, 0), areNumbers, count),
            Width(form) * rows + 4 * count + bytesOfOthers
        );
    }

    /// <summary>Whether all other texts of a column are numbers.</summary>
    private static bool AreNumbers(
        ReadOnlySpan<byte> text,
        ReadOnlySpan<DecimalCell> cells,
        int column,
        int columns,
        ReadOnlySpan<CsvCell> others
    )
    {
        for (var place = column; place < cells.Length; place += columns)
        {
            var cell = cells[place];
            if (cell.IsNumber || cell.IsEmpty)
                continue;
            var other = others[cell.Index];
            if (double.IsNaN(NumberText.Parse(text.Slice(other.Start, other.Length))))
                return false;
        }
        return true;
    }

    /// <summary>The form of numbers with the same number of digits after the point.</summary>
    private static Form FormOfEven(long least, long most, bool hasEmpty) =>
        !hasEmpty && least >= 0 && most <= byte.MaxValue ? Form.Bytes
        : least > most || (least > EmptyShort && most <= short.MaxValue) ? Form.Shorts
        : AreInts(least, most) ? Form.Ints
        : Form.Longs;

    private static bool AreInts(long least, long most) =>
        least >= DecimalCell.LeastOfInt && most <= DecimalCell.MostOfInt;

    private static int BytesOfNumbers(ReadOnlySpan<DecimalCell> cells, int column, int columns)
    {
        var length = 0;
        for (var place = column; place < cells.Length; place += columns)
            length += cells[place].ToString().Length;
        return length;
    }

    private void Write(
        ReadOnlySpan<byte> text,
        Part part,
        ReadOnlySpan<DecimalCell> cells,
        int column,
        int columns,
        ReadOnlySpan<CsvCell> others
    )
    {
        if (part.Few is not null)
            return;
        switch (part.Form)
        {
            case Form.Bytes:
                for (int row = 0, place = column; row < Rows; row++, place += columns)
                    bytes[part.Start + row] = (byte)cells[place].Whole;
                return;
            case Form.Shorts:
                var shorts = Values<short>(part);
                for (int row = 0, place = column; row < Rows; row++, place += columns)
                    shorts[row] = cells[place].IsEmpty ? EmptyShort : (short)cells[place].Whole;
                return;
            case Form.Texts:
                WriteTexts(text, part, cells, column, columns, others);
                return;
        }
        var (from, end, index) = (part.Start + Width(part.Form) * Rows, 0, 0);
        for (int row = 0, place = column; row < Rows; row++, place += columns)
        {
            var cell = cells[place];
            if (!cell.IsNumber && !cell.IsEmpty)
            {
                end += others[cell.Index].CopyTo(text, bytes.AsSpan(from + 4 * part.Others + end));
                MemoryMarshal.Write(bytes.AsSpan(from + 4 * index), end);
                cell = DecimalCell.Other(index++);
            }
            if (part.Form == Form.Ints)
                Values<int>(part)[row] = (int)cell.Code;
            else
                Values<long>(part)[row] = cell.Code;
        }
    }

    private void WriteTexts(
        ReadOnlySpan<byte> text,
        Part part,
        ReadOnlySpan<DecimalCell> cells,
        int column,
        int columns,
        ReadOnlySpan<CsvCell> others
    )
    {
        var ends = bytes.AsSpan(part.Start);
        var texts = ends[(4 * Rows)..];
        var end = 0;
        for (int row = 0, place = column; row < Rows; row++, place += columns)
        {
            var cell = cells[place];
            if (cell.IsNumber)
                end += Encoding.ASCII.GetBytes(cell.ToString(), texts[end..]);
            else if (!cell.IsEmpty)
                end += others[cell.Index].CopyTo(text, texts[end..]);
            MemoryMarshal.Write(ends[(4 * row)..], end);
        }
    }
}
