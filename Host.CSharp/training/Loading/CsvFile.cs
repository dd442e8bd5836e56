using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The layout of a file of separated values.</summary>
/// <param name="HasHeader">Whether the first row holds names; where null, that is decided by how the row
/// differs from those below.</param>
/// <param name="Skip">Lines before the first row.</param>
/// <param name="Separator">The separator of cells; if null, it is detected.</param>
/// <param name="Encoding">The text's encoding; if null, UTF-8.</param>
/// <param name="Known">The names of columns that are looked for in the file: a first row that has them is a
/// header.</param>
internal sealed record CsvLayout(
    bool? HasHeader = null,
    int Skip = 0,
    string? Separator = null,
    string? Encoding = null,
    IReadOnlyList<string>? Known = null
);

/// <summary>Tables as comma-separated values (or other separators).</summary>
internal static class CsvFile
{
    /// <exception cref="RefusedException">Rows differ in length, a quote does not end, or the separator or
    /// the header cannot be determined.</exception>
    public static Table Parse(ReadOnlyMemory<byte> content, CsvLayout layout, string path)
    {
        var whole = TextFile.ToUtf8(content, layout.Encoding, path);
        var text = whole.Span;
        var (start, line) = (0, 1);
        for (var i = 0; i < layout.Skip; i++)
            line += PassLine(text, ref start);
        var excels = SeparatorLine(text[start..]);
        if (excels is not null)
            line += PassLine(text, ref start);
        var dialect = layout.Separator is { } named ? CsvDialect.Parse(named) : excels;
        if (dialect is null)
        {
            (dialect, var fault) = CsvSeparator.Find(text[start..]);
            if (fault is not null)
                throw new RefusedException([DataFile.Sentence(path, fault)]);
        }
        RequireMemory(text, dialect!, path);
        var records = CsvRecords.Read(whole[start..], dialect!, line, path);
        return TableOf(records.Cells, records.Lines, layout, path);
    }

    /// <summary>Refuses a text whose cells do not fit in memory. A cell needs eight bytes at most, or its own and four
    /// more; an input of a sample four or eight.</summary>
    private static void RequireMemory(ReadOnlySpan<byte> text, CsvDialect dialect, string path)
    {
        // Each of the counted cells ends with a byte of its own.
        if (MemoryBudget.Allows(17L * text.Length))
            return;
        long count = text.Count(dialect.Separator) + TextFile.LineEnds(text);
        MemoryBudget.Require(path, $"{count} cells", text.Length + 16 * count);
    }

    /// <summary>Moves to the next line.</summary>
    /// <returns>The number of lines passed; 0 at the end.</returns>
    private static int PassLine(ReadOnlySpan<byte> text, ref int place)
    {
        if (place == text.Length)
            return 0;
        var length = text[place..].IndexOfAny((byte)'\r', (byte)'\n');
        place = length < 0 ? text.Length : place + length;
        place += text[place..] switch
        {
            [(byte)'\r', (byte)'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        return 1;
    }

    /// <summary>The separator that a first line <c>sep=;</c> names, as Excel understands it; null where there
    /// is no such line.</summary>
    private static CsvDialect? SeparatorLine(ReadOnlySpan<byte> text)
    {
        var length = text.IndexOfAny((byte)'\r', (byte)'\n');
        var line = Encoding.UTF8.GetString(length < 0 ? text : text[..length]).Trim('"');
        return line.Length == 5 && line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase)
            ? CsvDialect.Parse(line[4..])
            : null;
    }

    private static Table TableOf(CsvCellStore cells, int[] lines, CsvLayout layout, string path)
    {
        var columns = Enumerable.Range(0, cells.Columns).ToArray();
        var first = cells.First;
        var place = $"{path}, line {lines[0]}";
        var hasHeader = layout.HasHeader ?? HasHeader(cells, layout.Known, place);
        if (!hasHeader)
            return Create(columns.Select(column => $"{column}"), 0);
        if (cells.RowsBelow == 0)
        {
            throw RefusedException.Of(
                place,
                "rows below the names of the first row, or Data:Header false where it is a row",
                "none"
            );
        }
        var faults = first
            .Where(name => name.Trim().Length > 0)
            .GroupBy(name => name)
            .Where(same => same.Count() > 1)
            .Select(same =>
                DataFile.Sentence(
                    $"{place}, column {same.Key}",
                    "a name once, or Data:Header false where the line is a row",
                    $"{same.Count()} columns of that name"
                )
            )
            .ToArray();
        if (faults.Length > 0)
            throw new RefusedException(faults);
        return Create(Names(first), 1);

        // Separators at the ends of all lines would make a column without a name and without cells.
        bool IsThere(int column, int from) =>
            from == 0 || first[column].Trim().Length > 0 || cells.HasTexts(column);

        Table Create(IEnumerable<string> names, int from) =>
            Tables.WithLineNumbers(
                lines[from..],
                Tables
                    .Create(
                        names
                            .Select(
                                (name, column) =>
                                    (
                                        IsThere: IsThere(column, from),
                                        Column: new Column(
                                            name,
                                            Cells.NewTexts(
                                                cells.Column(column, hasFirst: from == 0)
                                            )
                                        )
                                    )
                            )
                            .Where(found => found.IsThere)
                            .Select(found => found.Column)
                    )
                    .OrThrow(RefusedException.At(path))
            );
    }

    private static bool HasHeader(CsvCellStore cells, IReadOnlyList<string>? known, string place)
    {
        var first = cells.First;
        // Names that are indices belong to a file without a header.
        if (known is { Count: > 0 } && !known.All(name => int.TryParse(name, out _)))
        {
            var names = first.Select(name => name.Trim()).ToHashSet();
            if (known.All(name => names.Contains(name.Trim())))
                return true;
        }
        var firstRow = Tables.DetectFirstRow(
            Enumerable
                .Range(0, cells.Columns)
                .Select(column => cells.Column(column, hasFirst: true))
        );
        if (!firstRow.IsUnclear)
            return firstRow.IsNames;
        // Where there are as many cells as a model takes, they may be a row.
        if (
            known?.Count != cells.Columns
            && first is [var rows, var inputs, ..]
            && rows == $"{cells.RowsBelow}"
            && inputs == $"{cells.Columns - 1}"
        )
        {
            throw RefusedException.Of(
                place,
                "names or cells",
                $"the counts of {rows} rows and {inputs} inputs (Data:Skip 1 leaves the line out)"
            );
        }
        throw RefusedException.Of(
            place,
            "Data:Header true where these are names, false where they are a row (or Data:Skip to leave lines out)",
            $"{string.Join(", ", first.Take(10))}{(first.Length > 10 ? ", …" : "")}, which can be either"
        );
    }

    /// <summary>The names of a header. A column without a name is named after its index, as in
    /// pandas.</summary>
    private static IEnumerable<string> Names(string[] header) =>
        header.Select(
            (name, column) =>
            {
                if (name.Trim().Length > 0)
                    return name;
                name = $"Unnamed: {column}";
                while (header.Contains(name))
                    name += "'";
                return name;
            }
        );
}
