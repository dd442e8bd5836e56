using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The weights of the first layer.</summary>
/// <param name="Inputs">The inputs' names; empty for images.</param>
/// <param name="ImageSize">Rows and columns, if inputs are pixels: of the image, or of the filters of a
/// convolution.</param>
/// <param name="Units">The weights of each unit, or each filter.</param>
internal sealed record FirstLayer(
    IReadOnlyList<string> Inputs,
    (int Rows, int Columns)? ImageSize,
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
        var inputs = filter is { } size ? size.Rows * size.Columns : network.Architecture.Inputs;
        // Only weights between the inputs themselves and units have a meaning per input.
        var weights = network
            .Parameters.Layers.FirstOrDefault(layer => !layer.Matrices.IsEmpty)
            ?.Matrices.Select(matrix => matrix.Item2)
            .FirstOrDefault(matrix => filter is not null || matrix.ColumnCount == inputs);
        return new(
            preprocessing is Preprocessing.Table table ? [.. table.Item.Inputs] : [],
            filter is { } of ? (of.Rows, of.Columns)
                : preprocessing is Preprocessing.Pixels pixels ? (pixels.rows, pixels.columns)
                : null,
            // A convolution has a filter for each of its channels.
            [
                .. Enumerable
                    .Range(0, weights?.RowCount ?? 0)
                    .SelectMany(unit =>
                        weights!.Row(unit).Select(double.CreateTruncating).Chunk(inputs)
                    ),
            ]
        );
    }
}
