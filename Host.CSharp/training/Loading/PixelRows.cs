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
    /// <exception cref="RefusedException">A number is out of range, none is above 1 though not all are 0, or a row
    /// has fractions of 0 to 1 alone.</exception>
    public static void Require<T>(Preprocessing preprocessing, Dataset<T> data, string path)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (!preprocessing.IsPixels)
            return;
        const string Expected = "pixels of 0 to 255, as the model takes them";
        var inputs = Dataset
            .Take([.. Enumerable.Range(0, data.Count)], data)
            .Inputs.ToColumnMajorArray();
        var (least, greatest) = (double.MaxValue, double.MinValue);
        int? faintRow = null;
        for (var row = 0; row < data.Count; row++)
        {
            var (rowGreatest, hasFraction) = (double.MinValue, false);
            foreach (var input in inputs.AsSpan(row * data.Features, data.Features))
            {
                var pixel = double.CreateTruncating(input) * byte.MaxValue;
                least = Math.Min(least, pixel);
                rowGreatest = Math.Max(rowGreatest, pixel);
                hasFraction |= pixel is > Rounding and < 1 - Rounding;
            }
            greatest = Math.Max(greatest, rowGreatest);
            if (hasFraction && rowGreatest <= 1 + Rounding)
                faintRow ??= row + 1;
        }
        if (least < -Rounding || greatest > byte.MaxValue + Rounding)
        {
            throw RefusedException.Of(
                path,
                Expected,
                FormattableString.Invariant($"numbers of {least:G6} to {greatest:G6}")
            );
        }
        if (greatest is > Rounding and <= 1 + Rounding)
            throw RefusedException.Of(path, Expected, NoneAboveOne());
        if (faintRow is { } number)
            throw RefusedException.Of(path, Expected, NoneAboveOne($" in row {number}"));
    }

    /// <summary>What was found where all pixels are 0 to 1.</summary>
    /// <param name="place">Where; empty for everywhere.</param>
    public static string NoneAboveOne(string place = "") =>
        $"none above 1{place} (multiply them by 255)";
}
