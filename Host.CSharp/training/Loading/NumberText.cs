using System.Buffers;
using System.Globalization;

namespace Pipeline.Training;

/// <summary>Texts that are the same number in every format of cells with a decimal point.</summary>
internal static class NumberText
{
    private static readonly SearchValues<byte> Usual = SearchValues.Create("+-.0123456789Ee"u8);

    /// <summary>Reads a finite number that is written with digits, signs, a decimal point and an exponent only. Returns
    /// NaN for any other text.</summary>
    public static double Parse(ReadOnlySpan<byte> text) =>
        !text.ContainsAnyExcept(Usual)
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number)
            ? number
            : double.NaN;
}
