using System.Text;
using MathNet.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The records of a text of separated values.</summary>
/// <param name="Cells">Their cells.</param>
/// <param name="Lines">The line on which each begins.</param>
internal sealed record CsvRecords(CsvCellStore Cells, int[] Lines)
{
    /// <summary>A file with more faults than these is not described further.</summary>
    private const int MostFaults = 10;

    /// <summary>The approximate number of bytes that one thread reads at a time.</summary>
    private const int PartBytes = 1 << 22;

    /// <param name="Rows">The rows, in blocks.</param>
    /// <param name="Lines">The line of the part on which each begins.</param>
    /// <param name="LineEnds">The number of line ends.</param>
    private sealed record Part(List<CsvBlock> Rows, List<int> Lines, int LineEnds);

    /// <summary>Reads all records, on several threads where that is worthwhile.</summary>
    /// <param name="text">The text.</param>
    /// <param name="dialect">The separator of cells.</param>
    /// <param name="line">The line on which the text begins.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="partBytes">The approximate number of bytes that one thread reads at a time.</param>
    /// <exception cref="RefusedException">Rows differ in length, a quote does not end, or there are none.</exception>
    public static CsvRecords Read(
        ReadOnlyMemory<byte> text,
        CsvDialect dialect,
        int line,
        string path,
        int partBytes = PartBytes
    ) => ReadInParts(text, dialect, line, partBytes) ?? ReadWhole(text.Span, dialect, line, path);

    /// <summary>Reads parts of the text independently of each other. Without quotes, every line is a
    /// record.</summary>
    /// <returns>Null if there are quotes, the text is short, or its rows have faults.</returns>
    private static CsvRecords? ReadInParts(
        ReadOnlyMemory<byte> text,
        CsvDialect dialect,
        int line,
        int partBytes
    )
    {
        if (text.Length <= partBytes)
            return null;
        var scanner = new CsvScanner(text.Span, dialect, line);
        while (scanner.Read() && CsvSeparator.IsBlank(text.Span, scanner.Cells)) { }
        // In a table of one column an empty line is a row.
        if (scanner.Count < 2 || text.Span[..scanner.Place].Contains((byte)'"'))
            return null;
        var columns = scanner.Count;
        var places = PartsOf(text.Span, scanner.Place, partBytes);
        var parts = new Part?[places.Count];
        Parallel.For(
            0,
            parts.Length,
            new() { MaxDegreeOfParallelism = Control.MaxDegreeOfParallelism },
            (i, state) =>
            {
                parts[i] = ReadPart(text[places[i]], dialect, columns);
                if (parts[i] is null)
                    state.Stop();
            }
        );
        if (parts.Contains(null))
            return null;
        var lines = new List<int> { scanner.Line };
        var before = line - 1 + TextFile.LineEnds(text.Span[..scanner.Place]);
        foreach (var part in parts)
        {
            foreach (var own in part!.Lines)
                lines.Add(before + own);
            before += part.LineEnds;
        }
        var first = TextsOf(text.Span, scanner.Cells);
        return new(new(first, parts.SelectMany(part => part!.Rows)), [.. lines]);
    }

    /// <summary>Parts of a text that end with lines.</summary>
    private static List<Range> PartsOf(ReadOnlySpan<byte> text, int start, int partBytes)
    {
        var parts = new List<Range>();
        while (start < text.Length)
        {
            var end = Math.Min(start + partBytes, text.Length);
            var rest = text[end..].IndexOf((byte)'\n');
            end = rest < 0 ? text.Length : end + rest + 1;
            parts.Add(start..end);
            start = end;
        }
        return parts;
    }

    /// <returns>Null if there are quotes, or a row has a fault.</returns>
    private static Part? ReadPart(ReadOnlyMemory<byte> memory, CsvDialect dialect, int columns)
    {
        var text = memory.Span;
        if (text.Contains((byte)'"'))
            return null;
        var scanner = new CsvScanner(text, dialect);
        var rows = new CsvBlockBuilder(columns);
        var lines = new List<int>();
        while (scanner.Read())
        {
            if (CsvSeparator.IsBlank(text, scanner.Cells))
                continue;
            if (scanner.Count != columns)
                return null;
            rows.Add(text, scanner.Cells);
            lines.Add(scanner.Line);
        }
        // At the end, the scanner is on the line behind the last line end.
        return scanner.Fault is null ? new(rows.End(text), lines, scanner.Line - 1) : null;
    }

    private static string[] TextsOf(ReadOnlySpan<byte> text, ReadOnlySpan<CsvCell> cells)
    {
        var texts = new string[cells.Length];
        for (var column = 0; column < texts.Length; column++)
        {
            var content = new byte[cells[column].Length];
            var length = cells[column].CopyTo(text, content);
            texts[column] = Encoding.UTF8.GetString(content.AsSpan(0, length));
        }
        return texts;
    }

    private static CsvRecords ReadWhole(
        ReadOnlySpan<byte> text,
        CsvDialect dialect,
        int line,
        string path
    )
    {
        var scanner = new CsvScanner(text, dialect, line);
        var faults = new List<string>();
        var lines = new List<int>();
        CsvBlockBuilder? rows = null;
        string[] texts = [];
        var (columns, first) = (0, line);
        while (faults.Count < MostFaults && scanner.Read())
        {
            // In a table of one column an empty line is an empty cell, except at the end.
            for (var i = scanner.EmptyLines; i > 0 && columns == 1; i--)
            {
                rows!.Add(text, [default]);
                lines.Add(scanner.Line - i);
            }
            if (columns != 1 && CsvSeparator.IsBlank(text, scanner.Cells))
                continue;
            if (rows is null)
            {
                (columns, first) = (scanner.Count, scanner.Line);
                texts = TextsOf(text, scanner.Cells);
                rows = new(columns);
                lines.Add(scanner.Line);
                continue;
            }
            if (scanner.Count == columns)
            {
                rows.Add(text, scanner.Cells);
                lines.Add(scanner.Line);
                continue;
            }
            faults.Add(
                DataFile.Sentence(
                    $"{path}, line {scanner.Line}",
                    $"{columns} cells, as in line {first}",
                    $"{scanner.Count}"
                )
            );
        }
        if (
            faults.Count > 0
            && CsvSeparator.TableBelow(text, dialect, line) is (var below, var width)
            && width != columns
        )
        {
            faults =
            [
                DataFile.Sentence(
                    $"{path}, line {first}",
                    $"{width} cells, as in the lines from {below} on (Data:Skip {below - 1} leaves out what is above them)",
                    $"{columns}"
                ),
            ];
        }
        if (scanner.Fault is { } fault)
            faults.Add(DataFile.Sentence(path, fault));
        if (faults.Count > 0)
            throw new RefusedException(faults);
        return rows is null
            ? throw RefusedException.Of(path, "rows of cells", "none")
            : new(new(texts, rows.End(text)), [.. lines]);
    }
}
