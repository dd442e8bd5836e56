using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A file that a command was told to write.</summary>
internal static class OutputFile
{
    /// <summary>Writes it whole, or leaves what was there. What goes to standard output is alone there:
    /// what a command says afterwards goes to standard error.</summary>
    /// <param name="path">Where, as it was said.</param>
    /// <param name="bytes">What.</param>
    /// <param name="inputs">The files that the command has read, none of which it replaces.</param>
    /// <returns>The full path.</returns>
    /// <exception cref="RefusedException">There cannot be such a file.</exception>
    /// <exception cref="UnsavedException">The disk is full.</exception>
    public static string Write(
        string path,
        ReadOnlySpan<byte> bytes,
        params IReadOnlyCollection<string> inputs
    )
    {
        if (path.Length == 0)
            throw Refused("the output", "a file", "nothing");
        try
        {
            var full = Path.GetFullPath(path);
            if (Path.EndsInDirectorySeparator(full))
                throw Refused(full, "a file that can be written", "a folder");
            var target = OutputTarget.Of(path);
            if (
                target.Kind == OutputKind.File
                && inputs.Any(input => OutputTarget.Of(input).Path == target.Path)
            )
                throw Refused(full, "another file than those that are read", "one of them");
            if (target.IsStandard(1))
                WriteAlone(bytes);
            else if (target.IsStandard(2))
                Console.OpenStandardError().Write(bytes);
            else
                AtomicFile.WriteTo(new DiskFiles(), target, bytes);
            return full;
        }
        catch (Exception trouble)
            when (AtomicFile.IsDiskError(trouble) || trouble is ArgumentException)
        {
            var refused = Refused(path, "a file that can be written", Said(trouble));
            throw AtomicFile.IsFull(trouble) ? new UnsavedException(refused.Reasons[0]) : refused;
        }
    }

    private static void WriteAlone(ReadOnlySpan<byte> bytes)
    {
        if (!StandardStreams.IsOutputOpen)
            throw new IOException("a standard output that is closed");
        using var output = Console.OpenStandardOutput();
        output.Write(bytes);
        Console.SetOut(Console.Error);
    }

    /// <summary>Why not, without the name that the file has while it is written.</summary>
    private static string Said(Exception trouble) =>
        trouble switch
        {
            UnauthorizedAccessException => "one that this user may not write",
            FileNotFoundException or DirectoryNotFoundException =>
                "a place where no file can be made",
            PathTooLongException => "a path that is too long",
            // .NET puts the path behind what the system says.
            _ => trouble.Message.Split(" : '")[0].TrimEnd('.'),
        };

    private static RefusedException Refused(string path, string expected, string found) =>
        new([Faults.Create(path, expected, found).ToString()]);
}
