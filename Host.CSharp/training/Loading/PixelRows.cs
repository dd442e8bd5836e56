using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Rows of numbers for a model of images.</summary>
internal static class PixelRows
{
    /// <summary>What single precision may add to a pixel or take from it.</summary>
    private const double Rounding = 0.001;

    /// <summary>Refuses numbers that are not pixels of 0 to 255, if the model takes pixels: to the network those of 0 to 1
    /// are nearly black, whatever the pixels of its training images were.</summary>
    /// <param name="preprocessing">The model's preprocessing.</param>
    /// <param name="data">The samples, pixels divided by 255.</param>
    /// <param name="path">Their file, for messages.</param>
    /// <exception cref="RefusedException">A number is out of range, or all are fractions of 0 to 1.</exception>
    public static void Require<T>(Preprocessing preprocessing, Dataset<T> data, string path)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (!preprocessing.IsPixels)
            return;
        const string Expected = "pixels of 0 to 255, as the model takes them";
        var (least, greatest, isFraction) = (double.MaxValue, double.MinValue, false);
        foreach (
            var input in Dataset.Take([.. Enumerable.Range(0, data.Count)], data).Inputs.Enumerate()
        )
        {
            var pixel = double.CreateTruncating(input) * byte.MaxValue;
            least = Math.Min(least, pixel);
            greatest = Math.Max(greatest, pixel);
            isFraction |= pixel is > Rounding and < 1 - Rounding;
        }
        if (least < -Rounding || greatest > byte.MaxValue + Rounding)
        {
            throw RefusedException.Of(
                path,
                Expected,
                FormattableString.Invariant($"numbers of {least:G6} to {greatest:G6}")
            );
        }
        if (isFraction && greatest <= 1 + Rounding)
            throw RefusedException.Of(path, Expected, "none above 1 (multiply them by 255)");
    }
}
