using System.Text;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The parts of an HTML page.</summary>
internal static class HtmlParts
{
    /// <summary>A table cell with a colour of the given strength, 0 to 1.</summary>
    public static string Cell((int R, int G, int B) color, double strength, string text)
    {
        int Blend(int full) => (int)Math.Round(255 + (Math.Clamp(strength, 0, 1) * (full - 255)));

        var ink = strength > 0.55 ? "white" : "#1c2733";
        return $"<td style=\"background:rgb({Blend(color.R)},{Blend(color.G)},{Blend(color.B)});color:{ink}\">{HtmlText.Of(text)}</td>";
    }

    /// <summary>Pictures of one size.</summary>
    public static string Tiles(string kind, ImageSize size, IEnumerable<string> tiles) =>
        $"<div class=\"tiles {kind}\" style=\"--shape:{size.Columns}/{size.Rows}\">\n{string.Join('\n', tiles)}\n</div>";

    public static string Figure(byte[] png, string alternative, string caption) =>
        $"<figure><img alt=\"{HtmlText.Of(alternative)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png)}\" /><figcaption>{caption}</figcaption></figure>";

    public static void Section(StringBuilder page, string title, string text, string content)
    {
        page.Append($"<section>\n<h2>{HtmlText.Of(title)}</h2>\n");
        if (text.Length > 0)
            page.Append($"<p class=\"soft\">{HtmlText.Of(text)}</p>\n");
        page.Append(content).Append("\n</section>\n");
    }

    public static string List(IEnumerable<string> sentences) =>
        $"<ul>{string.Concat(sentences.Select(sentence => $"<li>{HtmlText.Of(sentence)}</li>"))}</ul>";

    public static string Table(ReportTable table)
    {
        static string Row(string cell, IEnumerable<string> cells) =>
            $"<tr>{string.Concat(cells.Select(text => $"<{cell}>{HtmlText.Of(text)}</{cell}>"))}</tr>";

        return $"<table><thead>{Row("th", table.Columns)}</thead><tbody>{string.Join('\n', table.Rows.Select(row => Row("td", row)))}</tbody></table>";
    }
}
