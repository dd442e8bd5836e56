using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Pictures of numbers side by side, with a line between them.</summary>
/// <param name="Size">The size of the whole.</param>
/// <param name="Numbers">Its numbers, as <see cref="PngWriter.OfNumbers"/> draws them.</param>
internal sealed record TileSheet(ImageSize Size, double[] Numbers)
{
    /// <summary>A sheet of pictures of one size.</summary>
    /// <param name="size">The size of each.</param>
    /// <param name="tiles">Their numbers, one picture or more.</param>
    /// <param name="mostAcross">The most pictures in a row.</param>
    public static TileSheet Of(
        ImageSize size,
        IReadOnlyList<ReadOnlyMemory<double>> tiles,
        int mostAcross
    )
    {
        var across = Math.Min(mostAcross, tiles.Count);
        var down = (tiles.Count + across - 1) / across;
        var whole = new ImageSize(
            size.Channels,
            (down * (size.Rows + 1)) - 1,
            (across * (size.Columns + 1)) - 1
        );
        var numbers = new double[whole.Count];
        Array.Fill(numbers, double.NaN);
        foreach (var (place, tile) in tiles.Index())
        {
            var top = place / across * (size.Rows + 1);
            var left = place % across * (size.Columns + 1);
            for (var channel = 0; channel < size.Channels; channel++)
            {
                for (var row = 0; row < size.Rows; row++)
                {
                    tile.Span.Slice((channel * size.Area) + (row * size.Columns), size.Columns)
                        .CopyTo(
                            numbers.AsSpan(
                                (channel * whole.Area) + ((top + row) * whole.Columns) + left
                            )
                        );
                }
            }
        }
        return new(whole, numbers);
    }
}
