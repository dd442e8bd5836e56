namespace Pipeline.Serving;

/// <summary>Lists of whole numbers in JSON, such as pixels.</summary>
internal static class WholeNumbers
{
    /// <summary>The most digits of a number, so that it has no rounding.</summary>
    private const int MostDigits = 9;

    /// <summary>Reads a list that holds whole numbers of 0 or greater alone.</summary>
    /// <param name="text">The text after the opening bracket.</param>
    /// <param name="length">How many bytes come before the closing bracket.</param>
    /// <returns>The numbers, one or more; null if there are other values, or the text is no such list.</returns>
    public static double[]? Read(ReadOnlySpan<byte> text, out int length)
    {
        length = text.IndexOf((byte)']');
        if (length <= 0)
            return null;
        text = text[..length];
        var numbers = new double[text.Count((byte)',') + 1];
        var place = 0;
        for (var i = 0; i < numbers.Length; i++)
        {
            SkipBlanks(text, ref place);
            var first = place;
            var number = 0;
            while (place < text.Length && (uint)(text[place] - '0') <= 9)
                number = unchecked(10 * number + text[place++] - '0');
            var digits = place - first;
            // JSON has no leading zeros.
            if (digits is 0 or > MostDigits || digits > 1 && text[first] == '0')
                return null;
            SkipBlanks(text, ref place);
            if (i < numbers.Length - 1 && (place == text.Length || text[place++] != ','))
                return null;
            numbers[i] = number;
        }
        return place == text.Length ? numbers : null;
    }

    private static void SkipBlanks(ReadOnlySpan<byte> text, ref int place)
    {
        while (
            place < text.Length
            && text[place] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'
        )
            place++;
    }
}
