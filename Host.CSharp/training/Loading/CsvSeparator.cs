using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Detects the separator of a file from its first records.</summary>
internal static class CsvSeparator
{
    private const int MostRecords = 100;

    /// <summary>The result of reading with a separator.</summary>
    /// <param name="Dialect">The separator.</param>
    /// <param name="Widths">The number of cells of each record.</param>
    /// <param name="IsBroken">Whether quotes are unbalanced.</param>
    private sealed record Reading(CsvDialect Dialect, List<int> Widths, bool IsBroken)
    {
        /// <summary>The width, above 1, that most records have, and how many have it.</summary>
        public (int Width, int Count) Usual =>
            Widths
                .Where(width => width > 1)
                .GroupBy(width => width)
                .Select(same => (same.Key, same.Count()))
                .OrderByDescending(same => same.Item2)
                .FirstOrDefault();

        public bool Occurs => Widths.Any(width => width > 1);

        public bool IsEven => Occurs && !IsBroken && Widths.Distinct().Count() == 1;
    }

    /// <summary>The separator of a text: the usual separator with which all records have the same number of
    /// cells, otherwise the one with which most records do. Quotes are respected.</summary>
    /// <param name="text">The text, without the lines to skip.</param>
    /// <returns>The separator, or a fault if several fit equally well.</returns>
    public static (CsvDialect? Dialect, Fault? Fault) Find(ReadOnlySpan<byte> text)
    {
        var readings = new List<Reading>();
        foreach (var dialect in CsvDialect.Usual)
            readings.Add(Read(text, dialect));
        var even = readings.Where(reading => reading.IsEven).ToList();
        var fitting = even.Count > 0 ? even : Most(readings);
        if (fitting.Count > 1)
        {
            return (
                null,
                Faults.Create(
                    "",
                    "one separator, or Data:Separator to name it",
                    $"{string.Join(" and ", fitting.Select(reading => reading.Dialect))}, which fit alike"
                )
            );
        }
        var found = fitting.Count == 1 ? fitting[0].Dialect : CsvDialect.Usual[0];
        return HasBlanks(text, found)
            ? (
                null,
                Faults.Create(
                    "",
                    $"cells separated by comma, semicolon, tab or bar, or Data:Separator to name another separator ({new CsvDialect([], true)} for runs of spaces)",
                    "numbers separated by spaces"
                )
            )
            : (found, null);
    }

    /// <summary>The first record of a table below other lines: all records from there have the same number of
    /// cells, and some before it have more or fewer.</summary>
    /// <param name="text">The text.</param>
    /// <param name="dialect">The separator of cells.</param>
    /// <param name="line">The line where the text begins.</param>
    /// <returns>The record's line and its cells; null if there is no record.</returns>
    public static (int Line, int Width)? TableBelow(
        ReadOnlySpan<byte> text,
        CsvDialect dialect,
        int line
    )
    {
        var scanner = new CsvScanner(text, dialect, line);
        var (records, below) = (0, default((int Line, int Width, int Record)));
        for (; records < MostRecords && scanner.Read(); records++)
        {
            if (scanner.Count != below.Width)
                below = (scanner.Line, scanner.Count, records);
        }
        return below.Record > 0 && records - below.Record > 1 ? (below.Line, below.Width) : null;
    }

    private static List<Reading> Most(List<Reading> readings)
    {
        var occurring = readings.Where(reading => reading.Occurs).ToList();
        var whole = occurring.Where(reading => !reading.IsBroken).ToList();
        if (whole.Count > 0)
            occurring = whole;
        var most = occurring.Select(reading => reading.Usual.Count).DefaultIfEmpty().Max();
        return [.. occurring.Where(reading => reading.Usual.Count == most)];
    }

    private static Reading Read(ReadOnlySpan<byte> text, CsvDialect dialect)
    {
        var scanner = new CsvScanner(text, dialect);
        var widths = new List<int>();
        while (widths.Count < MostRecords && scanner.Read())
        {
            if (!IsBlank(text, scanner.Cells))
                widths.Add(scanner.Count);
        }
        return new(dialect, widths, scanner.Fault is not null);
    }

    /// <summary>Whether a record is a line of spaces.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> text, ReadOnlySpan<CsvCell> cells) =>
        cells is [{ IsQuoted: false } cell]
        && text.Slice(cell.Start, cell.Length).Trim(" \t"u8).IsEmpty;

    /// <summary>Whether spaces seem to separate cells: below the first record, all cells of a column hold the
    /// same number of numbers with spaces between them. In a table of one column, one number and other words
    /// are enough; otherwise the numbers must be aligned by several spaces, as dates and telephone numbers
    /// contain single spaces too.</summary>
    private static bool HasBlanks(ReadOnlySpan<byte> text, CsvDialect dialect)
    {
        var scanner = new CsvScanner(text, dialect);
        var columns = new Dictionary<int, (int Pieces, bool[] AreNumbers, bool IsAligned)>();
        var (records, width) = (0, 0);
        for (; records <= MostRecords && scanner.Read(); records++)
        {
            // The first record may hold names.
            if (records == 1)
                columns.Clear();
            width = Math.Max(width, scanner.Count);
            for (var i = 0; i < scanner.Count; i++)
            {
                var cell = scanner.Cells[i];
                var bytes = text.Slice(cell.Start, cell.Length);
                var pieces = cell.IsQuoted ? [] : Pieces(bytes);
                var areNumbers = pieces
                    .Select(piece =>
                        double.TryParse(
                            piece,
                            NumberStyles.Float,
                            CultureInfo.InvariantCulture,
                            out _
                        )
                    )
                    .ToArray();
                var isAligned = bytes.IndexOf("  "u8) >= 0;
                if (records <= 1)
                {
                    columns.TryAdd(i, (pieces.Length, areNumbers, isAligned));
                    continue;
                }
                if (!columns.TryGetValue(i, out var column))
                    continue;
                if (column.Pieces != pieces.Length)
                    columns.Remove(i);
                else
                    columns[i] = (
                        pieces.Length,
                        [.. column.AreNumbers.Zip(areNumbers, (one, other) => one && other)],
                        column.IsAligned || isAligned
                    );
            }
        }
        return columns.Values.Any(column =>
            column.Pieces > 1
            && (
                width == 1
                    ? column.AreNumbers.Contains(true)
                    : column.IsAligned && column.AreNumbers.Count(isNumber => isNumber) > 1
            )
        );
    }

    private static string[] Pieces(ReadOnlySpan<byte> cell) =>
        System
            .Text.Encoding.UTF8.GetString(cell)
            .Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
}
