using System.Buffers;
using System.Globalization;
using System.Text;

namespace Pipeline.Training;

/// <summary>Text from data, files and settings as one line for a terminal or a log. Characters that move the
/// cursor, change colours or the direction of writing, or cannot be seen are written as C# escapes them:
/// <c>\n</c>, <c>\u001B</c>.</summary>
/// <remarks>Backslashes of the text itself are not escaped, so the escaping cannot be undone.</remarks>
internal static class VisibleText
{
    public static string Of(string text)
    {
        var first = FirstHidden(text);
        if (first == text.Length)
            return text;
        var visible = new StringBuilder(text, 0, first, text.Length + 16);
        for (var rest = text.AsSpan(first); !rest.IsEmpty; )
        {
            var isWhole =
                Rune.DecodeFromUtf16(rest, out var rune, out var length) == OperationStatus.Done;
            if (!isWhole)
                visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[0]:X4}");
            else if (IsHidden(rune))
                visible.Append(Escape(rune.Value));
            else
                visible.Append(rest[..length]);
            rest = rest[length..];
        }
        return visible.ToString();
    }

    private static int FirstHidden(string text)
    {
        var place = 0;
        while (
            place < text.Length && Rune.TryGetRuneAt(text, place, out var rune) && !IsHidden(rune)
        )
            place += rune.Utf16SequenceLength;
        return place;
    }

    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control
            or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator => true,
            // Joiners are part of words in many scripts.
            UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D),
            _ => (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF,
        };

    private static string Escape(int value) =>
        value switch
        {
            '\n' => @"\n",
            '\r' => @"\r",
            '\t' => @"\t",
            <= char.MaxValue => string.Create(CultureInfo.InvariantCulture, $"\\u{value:X4}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"\\U{value:X8}"),
        };
}
