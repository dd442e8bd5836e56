namespace Pipeline.Training;

/// <summary>Finds images that look inverted: most pixels at the border of a drawing or letter are background, not
/// ink.</summary>
internal static class InkCheck
{
    /// <summary>An image with more of its border inked than this looks inverted.</summary>
    private const double Most = 0.75;

    /// <summary>A sentence if an image looks inverted.</summary>
    /// <param name="image">The grey image as it is used: 255 is full ink.</param>
    /// <param name="isDarkInk">Whether dark pixels were taken for ink.</param>
    /// <param name="path">Its path, for messages.</param>
    public static string[] Notes(ByteImage image, bool isDarkInk, string path)
    {
        if (image.Numbers.Min() == image.Numbers.Max())
            return
            [
                $"{path} is blank, as all its pixels have the same value: {(isDarkInk ? "without --dark-ink light pixels are ink" : "with --dark-ink dark pixels are ink")}.",
            ];
        var share = InkedBorder(image);
        if (share <= Most)
            return [];
        var (looks, option) = isDarkInk
            ? ("light on dark", "without --dark-ink light pixels are ink")
            : ("dark on light", "with --dark-ink dark pixels are ink");
        return
        [
            FormattableString.Invariant(
                $"{path} looks {looks}, as {share:P0} of its border is taken for ink: {option}."
            ),
        ];
    }

    /// <summary>The share of the pixels at the border that are nearer to the most ink of the image than to the
    /// least.</summary>
    public static double InkedBorder(ByteImage image)
    {
        int least = image.Numbers.Min();
        int greatest = image.Numbers.Max();
        var border = 0;
        var inked = 0;
        for (var row = 0; row < image.Size.Rows; row++)
        {
            for (var column = 0; column < image.Size.Columns; column++)
            {
                if (
                    row > 0
                    && row < image.Size.Rows - 1
                    && column > 0
                    && column < image.Size.Columns - 1
                )
                    continue;
                border++;
                if (2 * image.Numbers[(row * image.Size.Columns) + column] > least + greatest)
                    inked++;
            }
        }
        return (double)inked / border;
    }
}
