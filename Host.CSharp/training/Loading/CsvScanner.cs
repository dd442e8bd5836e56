using System.Runtime.CompilerServices;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Splits a text into records and cells by RFC 4180: a quoted cell may contain separators, line ends
/// and doubled quotes. CR, LF and CRLF end records; a quote inside an unquoted cell is an ordinary character.
/// Empty lines are skipped and counted.</summary>
internal ref struct CsvScanner
{
    private readonly ReadOnlySpan<byte> text;
    private readonly CsvDialect dialect;

    /// <summary>Whether no byte of a decimal separates cells.</summary>
    private readonly bool mayReadDecimals;

    /// <summary>The separator, if it is one byte that no decimal has; otherwise −1.</summary>
    private readonly int separator;
    private int place;
    private int next;
    private CsvCell[] cells = new CsvCell[16];

    /// <param name="text">The text.</param>
    /// <param name="dialect">The separator of cells.</param>
    /// <param name="line">The line of the file on which the text begins.</param>
    public CsvScanner(ReadOnlySpan<byte> text, CsvDialect dialect, int line = 1)
    {
        this.text = text;
        this.dialect = dialect;
        mayReadDecimals = !"0123456789.-"u8.Contains(dialect.Separator[0]);
        separator =
            mayReadDecimals && !dialect.IsBlanks && dialect.Separator.Length == 1
                ? dialect.Separator[0]
                : -1;
        next = line;
    }

    /// <summary>The first byte behind the record.</summary>
    public readonly int Place => place;

    /// <summary>The line, counted from 1, on which the record begins.</summary>
    public int Line { get; private set; }

    /// <summary>The number of empty lines right before the record.</summary>
    public int EmptyLines { get; private set; }

    /// <summary>The number of cells of the record.</summary>
    public int Count { get; private set; }

    /// <summary>The error in the text, if reading has ended early.</summary>
    public Fault? Fault { get; private set; }

    /// <summary>The record's cells.</summary>
    public readonly ReadOnlySpan<CsvCell> Cells => cells.AsSpan(0, Count);

    /// <summary>Reads the next record.</summary>
    /// <returns>Whether there is one: false at the end and at an error.</returns>
    public bool Read()
    {
        (Count, EmptyLines) = (0, 0);
        while (place < text.Length && IsAtLineEnd())
        {
            EmptyLines++;
            EndLine();
        }
        Line = next;
        if (dialect.IsBlanks)
        {
            PassBlanks();
            if (place < text.Length && IsAtLineEnd())
            {
                EndLine();
                return Read();
            }
        }
        if (place == text.Length || Fault is not null)
            return false;
        while (true)
        {
            if (separator >= 0)
            {
                if (ReadShortDecimals())
                    return true;
                if (place == text.Length)
                {
                    Add(new(place, 0));
                    return true;
                }
            }
            if (!ReadCell())
                return false;
            if (place == text.Length)
                return true;
            if (IsAtLineEnd())
            {
                EndLine();
                return true;
            }
            // A cell is followed by a separator or a line end.
            if (dialect.IsBlanks)
            {
                PassBlanks();
                if (place == text.Length)
                    return true;
                if (IsAtLineEnd())
                {
                    EndLine();
                    return true;
                }
                continue;
            }
            place += dialect.Separator.Length;
            if (place == text.Length)
            {
                Add(new(place, 0));
                return true;
            }
        }
    }

    /// <summary>Reads cells that are empty or short decimals, with the separators behind them.</summary>
    /// <returns>Whether they are the last of the record.</returns>
    private bool ReadShortDecimals()
    {
        while (place + 9 <= text.Length)
        {
            var length = 0;
            DecimalCell number = default;
            if (text[place] != separator)
            {
                length = DecimalCell.ReadShort(text[place..], out number);
                if (length == 0)
                    return false;
            }
            var next = text[place + length];
            if (next != separator && next != '\n')
                return false;
            Add(new(place, length, number));
            place += length;
            if (next == '\n')
            {
                EndLine();
                return true;
            }
            place++;
        }
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool ReadCell()
    {
        if (text[place] == '"')
            return ReadQuoted();
        var rest = text[place..];
        if (
            mayReadDecimals
            && DecimalCell.Read(rest, out var number) is > 0 and var digits
            && (digits == rest.Length || IsEnd(rest[digits..]))
        )
        {
            Add(new(place, digits, number));
            place += digits;
            return true;
        }
        var length = EndOf(rest);
        if (rest[0] is (byte)' ' or (byte)'\t' && rest[..length].Trim(" \t"u8) is [(byte)'"', ..])
        {
            Fault = Faults.Create(
                $"line {next}",
                "a quote at the beginning of its cell",
                "spaces before the quote"
            );
            return false;
        }
        Add(new(place, length));
        place += length;
        return true;
    }

    private readonly int EndOf(ReadOnlySpan<byte> rest)
    {
        var (first, separator) = (dialect.Separator[0], dialect.Separator);
        for (var from = 0; ; from++)
        {
            var length = dialect.IsBlanks
                ? rest[from..].IndexOfAny(" \t\r\n"u8)
                : rest[from..].IndexOfAny(first, (byte)'\r', (byte)'\n');
            if (length < 0)
                return rest.Length;
            from += length;
            if (
                rest[from] is (byte)'\r' or (byte)'\n'
                || separator.Length == 1
                || rest[from..].StartsWith(separator)
            )
                return from;
        }
    }

    private bool ReadQuoted()
    {
        var (start, line) = (place + 1, next);
        var hasQuotes = false;
        for (place = start; ; place += 2)
        {
            var length = text[place..].IndexOf((byte)'"');
            if (length < 0)
            {
                Fault = Faults.Create(
                    $"line {line}",
                    "an end of the cell that begins with a quote",
                    "none in the rest of the file"
                );
                return false;
            }
            place += length;
            if (place + 1 == text.Length || text[place + 1] != '"')
                break;
            hasQuotes = true;
        }
        var content = text[start..place];
        next += TextFile.LineEnds(content);
        Add(new(start, content.Length, IsQuoted: true, HasQuotes: hasQuotes));
        place++;
        if (place == text.Length || IsAtLineEnd() || IsSeparator(text[place..]))
            return true;
        var begins = line == next ? "" : $", which begins on line {line}";
        Rune.DecodeFromUtf8(text[place..], out var found, out _);
        Fault = Faults.Create(
            $"line {next}",
            $"a separator ({dialect}) or the line's end after the closing quote of a cell{begins}",
            $"'{found}'"
        );
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(CsvCell cell)
    {
        if (Count == cells.Length)
            Array.Resize(ref cells, 2 * Count);
        cells[Count++] = cell;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsEnd(ReadOnlySpan<byte> rest) =>
        rest[0] is (byte)'\r' or (byte)'\n' || IsSeparator(rest);

    private readonly bool IsAtLineEnd() => text[place] is (byte)'\r' or (byte)'\n';

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsSeparator(ReadOnlySpan<byte> rest) =>
        dialect.IsBlanks ? rest[0] is (byte)' ' or (byte)'\t' : rest.StartsWith(dialect.Separator);

    private void PassBlanks()
    {
        while (place < text.Length && text[place] is (byte)' ' or (byte)'\t')
            place++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EndLine()
    {
        if (place == text.Length)
            return;
        place += text[place..].StartsWith("\r\n"u8) ? 2 : 1;
        next++;
    }
}
