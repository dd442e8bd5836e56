using System.Buffers;
using System.Globalization;

namespace Pipeline.Training;

/// <summary>Cells of comma-separated values (RFC 4180), which spreadsheets open too.</summary>
/// <remarks>
/// A spreadsheet runs a cell that begins with =, +, - or @ as a formula. A text that begins so, or with a
/// tab, a line break or an apostrophe, gets an apostrophe in front, unless it is a number: a reader takes
/// one apostrophe away from the front of a cell and has the text. Source: OWASP, "CSV Injection".
/// </remarks>
internal static class CsvText
{
    private static readonly SearchValues<char> Separators = SearchValues.Create(",;\"\r\n\t");

    /// <summary>What begins a formula, in its width of East Asian scripts too, and the apostrophe, so that one
    /// in front always is this program's.</summary>
    private static readonly SearchValues<char> Beginnings = SearchValues.Create(
        "=+-@\t\r\n'＝＋－＠"
    );

    /// <summary>A line of cells.</summary>
    public static string Row(IEnumerable<string> cells) =>
        string.Join(',', cells.Select(Of)) + "\n";

    public static string Of(string cell)
    {
        if (
            cell.Length > 0
            && Beginnings.Contains(cell[0])
            && !double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
        )
            cell = $"'{cell}";
        return cell.AsSpan().ContainsAny(Separators)
            ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : cell;
    }
}
