using System.Runtime.InteropServices.JavaScript;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("browser")]

namespace Pipeline.SameBits;

/// <summary>The fixed set, one case at a time, so that a page can show how far it is.</summary>
public static partial class Program
{
    /// <summary>Does nothing: the page calls the functions below.</summary>
    public static void Main() { }

    /// <summary>The number of cases.</summary>
    [JSExport]
    internal static int Count() => FixedSet.Cases.Length;

    /// <summary>The line of a case: its hash and its name.</summary>
    [JSExport]
    internal static string Line(int index) => FixedSet.Line(FixedSet.Cases[index]);

    /// <summary>The hash of all lines.</summary>
    [JSExport]
    internal static string Hash(string[] lines) => FixedSet.Hash(lines);
}
