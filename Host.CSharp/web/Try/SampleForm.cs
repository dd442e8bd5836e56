using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A sample as a form gives it.</summary>
/// <param name="Cells">The text of every column of a row.</param>
/// <param name="Numbers">A line of plain numbers.</param>
/// <param name="IsDarkInk">Whether an image has dark ink on light paper.</param>
/// <param name="IsExplained">Whether the answer is explained by the columns of the row.</param>
public sealed partial record SampleForm(
    IReadOnlyList<string> Cells,
    string Numbers,
    bool IsDarkInk,
    bool IsExplained
)
{
    public const string NumbersField = "numbers";
    public const string ImageField = "image";
    public const string DarkInkField = "dark_ink";
    public const string ExplainField = "explain";

    private const int MostBytes = 8 << 20;

    private ReadOnlyMemory<byte> image;

    /// <summary>The name of a column's field: columns may have any names.</summary>
    public static string FieldOf(int column) => $"column{column}";

    /// <summary>The form as it is shown first: a typical row.</summary>
    internal static SampleForm Of(ModelView model) =>
        new([.. model.Fields.Select(field => field.Typical)], "", false, model.Fields.Count > 0);

    /// <summary>Reads the form of a request.</summary>
    /// <returns>The form; null if it was refused and the answer says why.</returns>
    internal static async Task<SampleForm?> ReadAsync(HttpContext context, ModelView model)
    {
        var limits = new FormOptions
        {
            ValueCountLimit = model.Fields.Count + 8,
            KeyLengthLimit = 64,
            ValueLengthLimit = MostBytes,
            MultipartBodyLengthLimit = MostBytes,
            // Nothing is written to a disk.
            MemoryBufferThreshold = MostBytes,
        };
        if (
            await Forms.ReadAsync(context, limits, Forms.UrlEncoded, Forms.Multipart)
            is not { } form
        )
            return null;
        var bytes = new MemoryStream();
        if (form.Files.GetFile(ImageField) is { } file)
            await file.CopyToAsync(bytes, context.RequestAborted);
        return new(
            [
                .. model.Fields.Select(
                    (field, place) => CellOf(form[FieldOf(place)].ToString(), field)
                ),
            ],
            form[NumbersField].ToString(),
            form.ContainsKey(DarkInkField),
            form.ContainsKey(ExplainField) && model.Fields.Count > 0
        )
        {
            image = bytes.GetBuffer().AsMemory(0, (int)bytes.Length),
        };
    }

    /// <summary>The sample as a file of the kind that the model takes.</summary>
    /// <exception cref="RefusedException">The image is missing, or not a PNG.</exception>
    internal DataFile ToFile(ModelView model)
    {
        if (model.Signature.ImageSize is null)
            return DataFile.Of("the form", JsonOf(model), ".json");
        return PngReader.IsPng(image.Span)
            ? DataFile.Of("the image", image, ".png")
            : throw RefusedException.Of(
                "the image",
                "a PNG file",
                image.Length == 0 ? "none" : $"{image.Length} bytes of another kind"
            );
    }

    /// <summary>A row as JSON: an object of the model's columns, or a list of plain numbers.</summary>
    private ReadOnlyMemory<byte> JsonOf(ModelView model)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            if (model.Fields.Count == 0)
            {
                json.WriteStartArray();
                foreach (var number in Between().Split(Numbers).Where(text => text.Length > 0))
                    json.WriteStringValue(number);
                json.WriteEndArray();
            }
            else
            {
                json.WriteStartObject();
                foreach (var (field, cell) in model.Fields.Zip(Cells))
                {
                    json.WriteString(
                        field.Column,
                        field.Categories.Count > 0
                            ? cell
                            : cell.Replace('.', model.DecimalSeparator)
                    );
                }
                json.WriteEndObject();
            }
        }
        return bytes.WrittenMemory;
    }

    /// <summary>The category that a text of a form means: browsers write every line end as CR LF.</summary>
    private static string CellOf(string text, RowField field) =>
        field.Categories.FirstOrDefault(category =>
            category.ReplaceLineEndings() == text.ReplaceLineEndings()
        ) ?? text;

    [GeneratedRegex(@"[\s,;]+")]
    private static partial Regex Between();
}
