using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A cell's bytes in a text.</summary>
/// <param name="Start">Its first byte; for a quoted cell, the one after the quote.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="IsQuoted">Whether it is in quotes.</param>
/// <param name="HasQuotes">Whether it contains (doubled) quotes.</param>
internal readonly record struct CsvCell(int Start, int Length, bool IsQuoted, bool HasQuotes);

/// <summary>Splits a text into records and cells by RFC 4180: a quoted cell may contain separators, line ends
/// and doubled quotes. CR, LF and CRLF end records; a quote inside an unquoted cell is an ordinary character.
/// Empty lines are skipped and counted.</summary>
internal ref struct CsvScanner
{
    private readonly ReadOnlySpan<byte> text;
    private readonly CsvDialect dialect;
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
        next = line;
    }

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
        while (ReadCell())
        {
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
                Add(new(place, 0, false, false));
                return true;
            }
        }
        return false;
    }

    private bool ReadCell()
    {
        if (text[place] == '"')
            return ReadQuoted();
        var rest = text[place..];
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
        Add(new(place, length, false, false));
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
        Add(new(start, content.Length, true, hasQuotes));
        place++;
        if (place == text.Length || IsAtLineEnd() || IsAtSeparator())
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

    private void Add(CsvCell cell)
    {
        if (Count == cells.Length)
            Array.Resize(ref cells, 2 * Count);
        cells[Count++] = cell;
    }

    private readonly bool IsAtLineEnd() => text[place] is (byte)'\r' or (byte)'\n';

    private readonly bool IsAtSeparator() =>
        dialect.IsBlanks
            ? text[place] is (byte)' ' or (byte)'\t'
            : text[place..].StartsWith(dialect.Separator);

    private void PassBlanks()
    {
        while (place < text.Length && text[place] is (byte)' ' or (byte)'\t')
            place++;
    }

    private void EndLine()
    {
        if (place == text.Length)
            return;
        place += text[place..].StartsWith("\r\n"u8) ? 2 : 1;
        next++;
    }
}
