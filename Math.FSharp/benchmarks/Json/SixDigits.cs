using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pipeline.Benchmarks;

/// <summary>Numbers as six digits, NaN as null: more digits would be noise.</summary>
internal sealed class SixDigits : JsonConverter<double>
{
    public override double Read(
        ref Utf8JsonReader reader,
        Type typeToConvert,
        JsonSerializerOptions options
    ) => reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(Round(value));
        else
            writer.WriteNullValue();
    }

    private static double Round(double value) =>
        double.Parse(
            value.ToString("G6", CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture
        );
}
