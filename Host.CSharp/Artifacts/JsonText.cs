using System.Text.Json;

namespace Pipeline.Training;

/// <summary>How all JSON that people and programs read is written.</summary>
internal static class JsonText
{
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>A value with a line feed behind it.</summary>
    public static byte[] Of<TValue>(TValue value) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(value, Options), (byte)'\n'];

    /// <summary>JSON has no word for other numbers.</summary>
    public static double? Finite(double? figure) =>
        figure is { } number && double.IsFinite(number) ? number : null;
}
