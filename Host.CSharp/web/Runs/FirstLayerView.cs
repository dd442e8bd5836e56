using Pipeline.Learning;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The weights of a model's first layer: a picture of all units for images, a table for rows.</summary>
/// <param name="Units">How many units are shown.</param>
/// <param name="All">How many units the layer has.</param>
/// <param name="Png">The picture; null for other models.</param>
/// <param name="Size">The picture's width and height.</param>
/// <param name="Rows">The table: a row for each input with its weights; empty for other models.</param>
/// <param name="Fault">Why the weights cannot be shown; null if they can or if there is no model.</param>
public sealed record FirstLayerView(
    int Units,
    int All,
    byte[]? Png,
    (int Width, int Height) Size,
    IReadOnlyList<FirstLayerRow> Rows,
    string? Fault
)
{
    /// <summary>Units in a row of the picture.</summary>
    private const int UnitsAcross = 16;

    /// <summary>Whether the picture shows weights as amounts of red, green and blue.</summary>
    public bool AreColours { get; init; }

    public static FirstLayerView None { get; } = new(0, 0, null, (0, 0), [], null);

    /// <summary>The first layer of a run's model; nothing before there is a model.</summary>
    /// <param name="path">The model's file.</param>
    internal static FirstLayerView Of(string path)
    {
        try
        {
            if (!File.Exists(path))
                return None;
            var file = ModelFile.Read(path);
            return file.IsDouble ? Of(file.ModelOf<double>()) : Of(file.ModelOf<float>());
        }
        catch (RefusedException refused)
        {
            return None with { Fault = string.Join(' ', refused.Reasons) };
        }
    }

    private static FirstLayerView Of<T>(Model<T> model)
        where T : struct, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var layer = FirstLayer.Of(model, model.Preprocessing);
        double[][] units = [.. layer.Units.Take(FirstLayer.MostUnits)];
        var limit = units.SelectMany(unit => unit).Select(Math.Abs).DefaultIfEmpty(0).Max();
        if (limit is 0 or double.NaN)
            return None;
        var view = None with { Units = units.Length, All = layer.Units.Count };
        if (layer.PictureSize is { } size)
        {
            var sheet = TileSheet.Of(
                size,
                [.. units.Select(unit => (ReadOnlyMemory<double>)unit)],
                UnitsAcross
            );
            return view with
            {
                Png = PngWriter.OfNumbers(sheet.Size, sheet.Numbers, limit),
                Size = (sheet.Size.Columns, sheet.Size.Rows),
                AreColours = PngWriter.AreColours(size.Channels),
            };
        }
        if (layer.Inputs.Count is 0 or > FirstLayer.MostInputs)
            return None;
        return view with
        {
            Rows =
            [
                .. layer.Inputs.Select(
                    (name, input) =>
                        new FirstLayerRow(
                            name,
                            [.. units.Select(unit => (unit[input], unit[input] / limit))]
                        )
                ),
            ],
        };
    }
}

/// <summary>The weights of an input.</summary>
/// <param name="Input">Its name.</param>
/// <param name="Weights">For each unit the weight, and its share of the greatest one, −1 to 1.</param>
public sealed record FirstLayerRow(
    string Input,
    IReadOnlyList<(double Weight, double Share)> Weights
);
