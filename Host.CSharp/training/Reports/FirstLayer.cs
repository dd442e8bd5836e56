using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The weights of the first layer.</summary>
/// <param name="Inputs">The inputs' names; empty for images.</param>
/// <param name="PictureSize">The size of a picture of weights, if inputs are pixels: of the image, or of the filters of a
/// convolution. Its channels are 3 for images of colours, otherwise 1.</param>
/// <param name="Units">The weights of each unit, or each filter; of each of their channels, unless these are colours.</param>
internal sealed record FirstLayer(
    IReadOnlyList<string> Inputs,
    ImageSize? PictureSize,
    IReadOnlyList<double[]> Units
)
{
    /// <summary>The most units, and for rows the most inputs, that are shown.</summary>
    public const int MostUnits = 64;
    public const int MostInputs = 40;

    /// <summary>The first layer of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="preprocessing">How samples become the network's inputs.</param>
    public static FirstLayer Of<T>(Model<T> model, Preprocessing preprocessing)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var network = model.Network;
        var filter = Networks.FilterSize(network);
        var image = filter ?? (preprocessing is Preprocessing.Pixels pixels ? pixels.size : null);
        var inputs = filter?.Count ?? network.Architecture.Inputs;
        // Only weights between the inputs themselves and units have a meaning per input.
        var weights = network
            .Parameters.Layers.FirstOrDefault(layer => !layer.Matrices.IsEmpty)
            ?.Matrices.Select(matrix => matrix.Item2)
            .FirstOrDefault(matrix => matrix.ColumnCount == inputs);
        ImageSize? picture =
            image is not { } size ? null
            : PngWriter.AreColours(size.Channels) ? size
            : ImageSize.Grey(size.Rows, size.Columns);
        return new(
            preprocessing is Preprocessing.Table table ? [.. table.Item.Inputs] : [],
            picture,
            [
                .. Enumerable
                    .Range(0, weights?.RowCount ?? 0)
                    .SelectMany(unit =>
                        weights!
                            .Row(unit)
                            .Select(double.CreateTruncating)
                            .Chunk(picture?.Count ?? inputs)
                    ),
            ]
        );
    }
}
