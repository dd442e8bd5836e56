using System.Globalization;

namespace Pipeline.Training;

/// <summary>A table of a report; its first column has the names of the rows.</summary>
/// <param name="Title">Its title.</param>
/// <param name="Columns">The columns' titles.</param>
/// <param name="Rows">The cells.</param>
internal sealed record ReportTable(
    string Title,
    IReadOnlyList<string> Columns,
    IReadOnlyList<IReadOnlyList<string>> Rows
)
{
    /// <summary>A number, or a dash for NaN.</summary>
    public static string Number(double value, string format = "F4") =>
        double.IsNaN(value) ? "–" : value.ToString(format, CultureInfo.InvariantCulture);

    public static string Count(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>As Markdown.</summary>
    public string ToMarkdown()
    {
        static string Row(IEnumerable<string> cells) =>
            $"| {string.Join(" | ", cells.Select(MarkdownText.Of))} |";

        string[] lines =
        [
            $"## {MarkdownText.Of(Title)}",
            "",
            Row(Columns),
            Row(Columns.Select((_, place) => place == 0 ? "---" : "---:")),
            .. Rows.Select(Row),
        ];
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>As lines of text with aligned columns.</summary>
    public string ToText()
    {
        string[] columns = [.. Columns.Select(VisibleText.Of)];
        string[][] rows = [.. Rows.Select(row => row.Select(VisibleText.Of).ToArray())];
        var widths = columns.Select(
            (title, place) => rows.Select(row => row[place].Length).Append(title.Length).Max()
        );
        int[] room = [.. widths];

        string Row(IReadOnlyList<string> cells) =>
            string.Join(
                    "  ",
                    cells.Select(
                        (cell, place) =>
                            place == 0 ? cell.PadRight(room[place]) : cell.PadLeft(room[place])
                    )
                )
                .TrimEnd();

        string[] titles = columns.All(title => title.Length == 0) ? [] : [Row(columns)];
        string[] lines = [VisibleText.Of(Title), "", .. titles, .. rows.Select(Row)];
        return string.Join('\n', lines) + "\n";
    }
}
