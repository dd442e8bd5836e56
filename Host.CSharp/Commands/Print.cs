using System.Numerics;

namespace Pipeline.Training;

/// <summary>The output of commands.</summary>
internal static class Print
{
    /// <summary>Prints a line, with numbers in the invariant culture.</summary>
    public static void Line(FormattableString text) =>
        Console.WriteLine(VisibleText.Of(FormattableString.Invariant(text)));

    /// <summary>Sentences about what was assumed of files, on standard error.</summary>
    public static void Notes(IEnumerable<string> notes)
    {
        foreach (var note in notes)
            Console.Error.WriteLine(VisibleText.Of(note));
    }

    /// <summary>The data of a configuration; the assumptions made about them are printed.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static LoadedData<T> Loaded<T>(RunConfiguration configuration)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var data = DataFiles.Load<T>(configuration);
        Notes(data.Notes);
        return data;
    }
}
