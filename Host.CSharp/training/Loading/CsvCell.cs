namespace Pipeline.Training;

/// <summary>A cell's bytes in a text.</summary>
/// <param name="Start">Its first byte; for a quoted cell, the one after the quote.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="Decimal">The cell's number, where it is a decimal.</param>
/// <param name="IsQuoted">Whether it is in quotes.</param>
/// <param name="HasQuotes">Whether it contains (doubled) quotes.</param>
internal readonly record struct CsvCell(
    int Start,
    int Length,
    DecimalCell Decimal = default,
    bool IsQuoted = false,
    bool HasQuotes = false
)
{
    /// <summary>Copies the cell, with doubled quotes turned into single ones.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="destination">Where to put the bytes.</param>
    /// <returns>The number of bytes.</returns>
    public int CopyTo(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var content = text.Slice(Start, Length);
        if (!HasQuotes)
        {
            content.CopyTo(destination);
            return Length;
        }
        var length = 0;
        for (var i = 0; i < content.Length; i++)
        {
            destination[length++] = content[i];
            if (content[i] == '"')
                i++;
        }
        return length;
    }
}
