using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Pipeline.Training;

/// <summary>Reads JSON and refuses duplicate names and invalid strings. .NET finds these only when they are used, and
/// throws other exceptions than <see cref="JsonException"/>.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false,
    };

    /// <summary>The document in a text.</summary>
    /// <exception cref="JsonException">The text is not JSON, a name occurs twice in an object, or a string is not valid
    /// UTF-8 or has an unpaired surrogate.</exception>
    public static JsonDocument Document(ReadOnlyMemory<byte> json)
    {
        Check(json.Span);
        return JsonDocument.Parse(json, Options);
    }

    /// <summary>The value in a text; null for the JSON null.</summary>
    /// <exception cref="JsonException">The text is not JSON, a name occurs twice in an object, or a string is not valid
    /// UTF-8 or has an unpaired surrogate.</exception>
    public static JsonNode? Node(ReadOnlySpan<byte> json)
    {
        Check(json);
        return JsonNode.Parse(json, documentOptions: Options);
    }

    /// <summary>Refuses strings that are not valid UTF-8, and unpaired surrogates.</summary>
    private static void Check(ReadOnlySpan<byte> json)
    {
        // In valid UTF-8, only an escape can be an unpaired surrogate.
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
