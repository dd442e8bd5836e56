using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Pipeline.Training;

/// <summary>Writes and reads the JSON files of the program.</summary>
internal static class JsonText
{
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new FiniteNumbers() },
        // Without one, nothing is written in a program of one file, where .NET sets none.
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>The same for files that have to hold every value.</summary>
    public static readonly JsonSerializerOptions Complete = new(Options)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private static readonly JsonSerializerOptions Compact = new(Options) { WriteIndented = false };

    /// <summary>A value, followed by a line feed.</summary>
    public static byte[] Of<TValue>(TValue value) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(value, Options), (byte)'\n'];

    /// <summary>A value on one line, for answers of a service.</summary>
    public static byte[] LineOf<TValue>(TValue value) =>
        JsonSerializer.SerializeToUtf8Bytes(value, Compact);

    /// <summary>The value in a file; null if the file is missing or holds something else.</summary>
    /// <param name="read">Reads the file.</param>
    public static TValue? ReadOrNull<TValue>(Func<byte[]> read)
        where TValue : class
    {
        try
        {
            return JsonSerializer.Deserialize<TValue>(read(), Options);
        }
        catch (Exception missing) when (missing is JsonException || AtomicFile.IsDiskError(missing))
        {
            return null;
        }
    }

    /// <summary>JSON does not have numbers that are not finite: they are written as null, and not
    /// read.</summary>
    private sealed class FiniteNumbers : JsonConverter<double>
    {
        public override double Read(
            ref Utf8JsonReader reader,
            Type type,
            JsonSerializerOptions options
        ) =>
            reader.TokenType == JsonTokenType.Number
            && reader.TryGetDouble(out var number)
            && double.IsFinite(number)
                ? number
                : throw new JsonException("expected a number within the range of double precision");

        public override void Write(
            Utf8JsonWriter writer,
            double value,
            JsonSerializerOptions options
        )
        {
            if (double.IsFinite(value))
                writer.WriteNumberValue(value);
            else
                writer.WriteNullValue();
        }
    }
}
