using System.Buffers;
using System.Globalization;

namespace Pipeline.Training;

/// <summary>Texts that are the same number in every format of cells with a decimal point.</summary>
internal static class NumberText
{
    private static readonly SearchValues<byte> Usual = SearchValues.Create("+-.0123456789Ee"u8);

    /// <summary>The finite number of a text; NaN if it is none, or has other signs than digits, a sign, a point and an
    /// exponent.</summary>
    public static double Parse(ReadOnlySpan<byte> text) =>
        !text.ContainsAnyExcept(Usual)
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number)
            ? number
            : double.NaN;
}
