using System.Buffers;
using System.Text;

namespace Pipeline.Training;

/// <summary>Text inside of a line or a cell of Markdown.</summary>
internal static class MarkdownText
{
    /// <summary>Characters that begin markup of CommonMark or of GitHub's tables anywhere in a
    /// line.</summary>
    private static readonly SearchValues<char> Markup = SearchValues.Create(@"\`*_[]<>|&~#$");

    public static string Of(string text)
    {
        text = VisibleText.Of(text);
        if (!text.AsSpan().ContainsAny(Markup))
            return text;
        var escaped = new StringBuilder(2 * text.Length);
        foreach (var letter in text)
        {
            if (Markup.Contains(letter))
                escaped.Append('\\');
            escaped.Append(letter);
        }
        return escaped.ToString();
    }

    /// <summary>Text as code, in a fence that is longer than the backticks inside.</summary>
    public static string Code(string text)
    {
        // Empty code would be a fence.
        text = text.Length == 0 ? " " : VisibleText.Of(text);
        var (longest, run) = (0, 0);
        foreach (var letter in text)
        {
            run = letter == '`' ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }
        var fence = new string('`', longest + 1);
        // One space on either side is removed when it is rendered.
        var room =
            longest > 0 || text.Trim().Length > 0 && text.StartsWith(' ') && text.EndsWith(' ')
                ? " "
                : "";
        return $"{fence}{room}{text}{room}{fence}";
    }
}
