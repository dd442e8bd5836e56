using System.Runtime.InteropServices;
using System.Text;
using SharpFuzz;
using SharpFuzz.Common;

namespace Pipeline.Fuzz;

/// <summary>The program that <c>.ci/fuzz</c> starts.</summary>
internal static class Program
{
    /// <summary>The size of the map of edges that instrumented code writes to.</summary>
    private const nuint MapSize = 1 << 16;

    public static unsafe int Main(string[] arguments)
    {
        // Instrumented code runs before afl-fuzz gives its map, and without afl-fuzz.
        Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(MapSize);
        switch (arguments)
        {
            case ["list"]:
                foreach (var target in Target.All)
                    Console.WriteLine(target.Name);
                return 0;
            case ["seeds", var name, var folder]:
                WriteSeeds(Target.Find(name), folder);
                return 0;
            case ["run", var name]:
                var fuzzed = Target.Find(name);
                Fuzzer.OutOfProcess.Run(stream => fuzzed.Try(Bytes(stream)));
                return 0;
            case ["replay", var name, .. var files]:
                return files.Count(file => !IsSound(Target.Find(name), file)) == 0 ? 0 : 1;
            default:
                Console.Error.WriteLine(
                    "expected list, seeds TARGET FOLDER, run TARGET or replay TARGET FILE..."
                );
                return 2;
        }
    }

    private static byte[] Bytes(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The sound inputs, and the words of the format as a dictionary of afl-fuzz.</summary>
    private static void WriteSeeds(Target target, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (place, seed) in target.Seeds().Index())
            File.WriteAllBytes(Path.Combine(folder, $"{place:D2}"), seed);
        File.WriteAllLines(
            folder + ".dict",
            target.Words.Select(word =>
                $"\"{string.Concat(Encoding.UTF8.GetBytes(word).Select(each => $"\\x{each:x2}"))}\""
            )
        );
    }

    /// <summary>Prints what became of a file.</summary>
    private static bool IsSound(Target target, string file)
    {
        try
        {
            var outcome = target.Try(File.ReadAllBytes(file));
            Console.WriteLine($"{file}: {outcome}");
            return true;
        }
        catch (Exception found)
        {
            Console.WriteLine($"{file}: FAULT {found}");
            return false;
        }
    }
}
