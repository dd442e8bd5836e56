namespace Pipeline.Training;

/// <summary>Standard output of the commands.</summary>
internal static class Print
{
    /// <summary>A line, its numbers as they are written everywhere.</summary>
    public static void Line(FormattableString text) =>
        Console.WriteLine(FormattableString.Invariant(text));
}
