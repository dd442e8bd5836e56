using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Pipeline.Training;

/// <summary>JSON all of whose names and texts can be read. .NET finds texts that are none, and names that occur twice,
/// only when they are used, and reports them by other exceptions than those of JSON.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false,
    };

    /// <summary>The document in a text.</summary>
    /// <exception cref="JsonException">The text is not JSON, a name occurs twice in an object, or a text is not of whole
    /// characters.</exception>
    public static JsonDocument Document(ReadOnlyMemory<byte> json)
    {
        Check(json.Span);
        return JsonDocument.Parse(json, Options);
    }

    /// <summary>The value in a text; null for the JSON null.</summary>
    /// <exception cref="JsonException">The text is not JSON, a name occurs twice in an object, or a text is not of whole
    /// characters.</exception>
    public static JsonNode? Node(ReadOnlySpan<byte> json)
    {
        Check(json);
        return JsonNode.Parse(json, documentOptions: Options);
    }

    /// <summary>Refuses texts that are not UTF-8, and halves of surrogate pairs.</summary>
    private static void Check(ReadOnlySpan<byte> json)
    {
        // Escapes alone can stand for halves of pairs.
        if (Utf8.IsValid(json) && json.IndexOf("\\u"u8) < 0)
            return;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String))
                continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException broken)
            {
                var start = (int)reader.TokenStartIndex;
                var before = json[..start];
                throw new JsonException(
                    broken.Message,
                    path: null,
                    lineNumber: before.Count((byte)'\n'),
                    bytePositionInLine: start - (before.LastIndexOf((byte)'\n') + 1),
                    broken
                );
            }
        }
    }
}
