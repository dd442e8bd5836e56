using System.Globalization;

namespace Pipeline.Training;

/// <summary>Counts of things in sentences.</summary>
internal static class Counted
{
    /// <summary>The count with its noun, in the plural unless it is one: 1 sample, 1,000 samples.</summary>
    public static string Of(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == 1 ? "" : "s")}");
}
