using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A file that a command was told to write.</summary>
internal static class OutputFile
{
    /// <summary>Writes it whole, or leaves nothing.</summary>
    /// <param name="path">Where, as it was said.</param>
    /// <param name="bytes">What.</param>
    /// <returns>The full path.</returns>
    /// <exception cref="RefusedException">There cannot be such a file.</exception>
    /// <exception cref="UnsavedException">The disk is full.</exception>
    public static string Write(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            path = Path.GetFullPath(path);
            WholeFile.Write(new DiskFiles(), path, bytes);
            return path;
        }
        catch (Exception trouble)
            when (WholeFile.IsTrouble(trouble) || trouble is ArgumentException)
        {
            var sentence = Faults
                .Create(path, "a file that can be written", trouble.Message.TrimEnd('.'))
                .ToString();
            throw WholeFile.IsFull(trouble)
                ? new UnsavedException(sentence)
                : new RefusedException([sentence]);
        }
    }
}
