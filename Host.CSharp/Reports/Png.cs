using BigGustave;

namespace Pipeline.Training;

/// <summary>Small pictures as PNG.</summary>
internal static class Png
{
    /// <summary>Ink on paper: 0 is white, 255 black.</summary>
    public static byte[] OfInk(GreyImage image)
    {
        var builder = PngBuilder.Create(image.Columns, image.Rows, hasAlphaChannel: false);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            var grey = (byte)(255 - image.Pixels[i]);
            builder.SetPixel(grey, grey, grey, i % image.Columns, i / image.Columns);
        }
        return builder.Save();
    }

    /// <summary>Numbers in colour: blue below 0, white at 0, red above, full at the limit.</summary>
    public static byte[] OfNumbers(int rows, int columns, double[] numbers, double limit)
    {
        var builder = PngBuilder.Create(columns, rows, hasAlphaChannel: false);
        for (var i = 0; i < numbers.Length; i++)
        {
            var (r, g, b) = Colour(numbers[i] / limit);
            builder.SetPixel(r, g, b, i % columns, i / columns);
        }
        return builder.Save();
    }

    /// <summary>The colour of a number of −1 to 1.</summary>
    public static (byte R, byte G, byte B) Colour(double number)
    {
        var share = double.IsNaN(number) ? 0 : Math.Min(1, Math.Abs(number));

        byte Blend(int full) => (byte)Math.Round(255 + (share * (full - 255)));

        return number < 0
            ? (Blend(33), Blend(102), Blend(172))
            : (Blend(178), Blend(24), Blend(43));
    }
}
