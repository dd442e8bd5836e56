using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The output file of a command.</summary>
internal static class OutputFile
{
    /// <summary>Writes the whole file, or leaves the earlier file unchanged. If the file is standard output,
    /// messages go to standard error.</summary>
    /// <param name="path">The path as given.</param>
    /// <param name="bytes">The content.</param>
    /// <param name="inputs">The files that the command has read; they are not overwritten.</param>
    /// <returns>The full path.</returns>
    /// <exception cref="RefusedException">The path cannot be that of a file.</exception>
    /// <exception cref="UnsavedException">The disk is full.</exception>
    public static string Write(
        string path,
        ReadOnlySpan<byte> bytes,
        params IReadOnlyCollection<string> inputs
    )
    {
        if (path.Length == 0)
            throw RefusedException.Of("the output", "a file", "nothing");
        try
        {
            var full = Path.GetFullPath(path);
            if (Path.EndsInDirectorySeparator(full))
                throw RefusedException.Of(full, "a file that can be written", "a folder");
            var target = OutputTarget.Of(path);
            if (
                target.Kind == OutputKind.File
                && inputs.Any(input => OutputTarget.Of(input).Path == target.Path)
            )
                throw RefusedException.Of(
                    full,
                    "a file other than the input files",
                    "an input file"
                );
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
            var refused = RefusedException.Of(path, "a file that can be written", Said(trouble));
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

    /// <summary>The reason of an error, without the temporary name of the file.</summary>
    private static string Said(Exception trouble) =>
        trouble switch
        {
            UnauthorizedAccessException => "one that this user may not write",
            FileNotFoundException or DirectoryNotFoundException =>
                "a place where no file can be made",
            PathTooLongException => "a path that is too long",
            // .NET adds the path to the message of the system.
            _ => trouble.Message.Split(" : '")[0].TrimEnd('.'),
        };
}
