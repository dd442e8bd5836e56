using System.Text;
using System.Text.Json;

namespace Pipeline.Training;

/// <summary>The error in a text that should be JSON.</summary>
/// <param name="Place">The line and column, preceded by a comma; empty if they are not known.</param>
/// <param name="Found">What was found.</param>
internal sealed record JsonFault(string Place, string Found)
{
    /// <summary>The nesting depth that .NET reads.</summary>
    private const int MostLevels = 64;

    /// <param name="broken">The exception.</param>
    /// <param name="text">The text, in UTF-8.</param>
    public static JsonFault Of(JsonException broken, ReadOnlySpan<byte> text)
    {
        if (broken is not { LineNumber: { } line, BytePositionInLine: { } position })
            return new("", FormOf(broken));
        var start = 0;
        for (var i = 0; i < line; i++)
            start += text[start..].IndexOf((byte)'\n') + 1;
        var place = (int)Math.Min(start + position, text.Length);
        var column = 1 + Encoding.UTF8.GetCharCount(text[start..place]);
        return new($", line {line + 1}, column {column}", Said(broken, text, place));
    }

    private static string Said(JsonException broken, ReadOnlySpan<byte> text, int place)
    {
        if (text.IsEmpty)
            return "an empty file";
        if (broken is { Path: null, InnerException: InvalidOperationException })
            return "a text that is not of whole characters";
        // For valid JSON, .NET names the part that does not fit.
        if (broken.Path is not null && broken.InnerException is not JsonException)
            return FormOf(broken);
        if (IsTooDeep(text))
            return $"lists and objects of more than {MostLevels} levels";
        if (text[place..].Trim(" \t\r\n"u8).IsEmpty)
            return "the end of the text inside of the JSON";
        return
            Rune.DecodeFromUtf8(text[place..], out var found, out _)
            == System.Buffers.OperationStatus.Done
            ? $"'{found}', which is not valid JSON here"
            : "a byte that is no text";
    }

    /// <summary>Valid JSON of another form than expected.</summary>
    private static string FormOf(JsonException broken) =>
        broken.Path is { Length: > 2 } path
            ? $"another value at {path[2..]}"
            : "JSON of another form";

    private static bool IsTooDeep(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(
            text,
            new()
            {
                AllowMultipleValues = true,
                AllowTrailingCommas = true,
                CommentHandling = JsonCommentHandling.Skip,
            }
        );
        try
        {
            while (reader.Read()) { }
            return false;
        }
        catch (JsonException)
        {
            return reader.CurrentDepth >= MostLevels;
        }
    }
}
