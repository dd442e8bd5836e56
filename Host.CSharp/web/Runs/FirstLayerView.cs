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
            var (sheet, numbers) = Sheet(units, size, limit);
            return view with
            {
                Png = PngWriter.OfNumbers(sheet, numbers, limit),
                Size = (sheet.Columns, sheet.Rows),
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

    /// <summary>The units side by side, with a white line between them.</summary>
    private static (ImageSize Size, double[] Numbers) Sheet(
        double[][] units,
        ImageSize unitSize,
        double limit
    )
    {
        var (channels, rows, columns) = (unitSize.Channels, unitSize.Rows, unitSize.Columns);
        var across = Math.Min(UnitsAcross, units.Length);
        var down = (units.Length + across - 1) / across;
        var size = new ImageSize(channels, (down * (rows + 1)) - 1, (across * (columns + 1)) - 1);
        var sheet = new double[size.Count];
        // White is 0, or as much as there is of every colour.
        if (PngWriter.AreColours(channels))
            Array.Fill(sheet, limit);
        foreach (var (place, unit) in units.Index())
        {
            var (top, left) = (place / across * (rows + 1), place % across * (columns + 1));
            for (var channel = 0; channel < channels; channel++)
            {
                for (var row = 0; row < rows; row++)
                {
                    unit.AsSpan((channel * unitSize.Area) + (row * columns), columns)
                        .CopyTo(
                            sheet.AsSpan(
                                (channel * size.Area) + ((top + row) * size.Columns) + left
                            )
                        );
                }
            }
        }
        return (size, sheet);
    }
}

/// <summary>The weights of an input.</summary>
/// <param name="Input">Its name.</param>
/// <param name="Weights">For each unit the weight, and its share of the greatest one, −1 to 1.</param>
public sealed record FirstLayerRow(
    string Input,
    IReadOnlyList<(double Weight, double Share)> Weights
);
