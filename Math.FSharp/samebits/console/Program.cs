using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Pipeline.SameBits;

// The same bytes on Windows.
Console.Out.NewLine = "\n";
var watch = Stopwatch.StartNew();
var lines = new List<string>();
foreach (var training in FixedSet.Cases)
{
    lines.Add(FixedSet.Line(training));
    Console.WriteLine(lines[^1]);
}
Console.WriteLine(FixedSet.Hash(lines));
var registers =
    Vector512.IsHardwareAccelerated ? "registers of 512 bits"
    : Vector256.IsHardwareAccelerated ? "registers of 256 bits"
    : Vector128.IsHardwareAccelerated ? "registers of 128 bits"
    : "no registers";
Console.Error.WriteLine(
    string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{RuntimeInformation.RuntimeIdentifier}, {registers}, {watch.Elapsed.TotalSeconds:0.0} s"
    )
);
