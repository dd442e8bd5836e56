using OxyPlot;

namespace Pipeline.Training;

/// <summary>Small pictures as PNG.</summary>
internal static class PngWriter
{
    /// <summary>Ink on paper: 0 is white, 255 black.</summary>
    public static byte[] OfInk(GreyImage image) =>
        Create(
            image.Rows,
            image.Columns,
            place =>
            {
                var grey = (byte)(byte.MaxValue - image.Pixels[place]);
                return OxyColor.FromRgb(grey, grey, grey);
            }
        );

    /// <summary>Numbers as colours: blue below 0, white at 0, red above, saturated at the limit.</summary>
    public static byte[] OfNumbers(int rows, int columns, double[] numbers, double limit) =>
        Create(rows, columns, place => Colour(numbers[place] / limit));

    private static byte[] Create(int rows, int columns, Func<int, OxyColor> colour)
    {
        // Columns first, as the library expects.
        var pixels = new OxyColor[columns, rows];
        for (var i = 0; i < rows * columns; i++)
            pixels[i % columns, i / columns] = colour(i);
        return OxyImage.Create(pixels, ImageFormat.Png).GetData();
    }

    /// <summary>The colour of a number of −1 to 1.</summary>
    private static OxyColor Colour(double number)
    {
        var share = double.IsNaN(number) ? 0 : Math.Min(1, Math.Abs(number));

        byte Blend(int full) => (byte)Math.Round(byte.MaxValue + (share * (full - byte.MaxValue)));

        return number < 0
            ? OxyColor.FromRgb(Blend(33), Blend(102), Blend(172))
            : OxyColor.FromRgb(Blend(178), Blend(24), Blend(43));
    }
}
