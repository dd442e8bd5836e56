using System.IO.Compression;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>NumPy's archives of arrays: a zip file with an NPY file for each.</summary>
internal static class NpzFile
{
    private const string Ending = ".npy";

    /// <summary>The most arrays there may be.</summary>
    private const int MostEntries = 10_000;

    /// <summary>The arrays of an archive, in its order.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="limit">The most bytes of all arrays, once they are unzipped.</param>
    /// <param name="path">Where it is from.</param>
    /// <exception cref="RefusedException">It is no such archive, or one that is too large.</exception>
    public static IReadOnlyList<Tensor> Parse(ReadOnlyMemory<byte> content, long limit, string path)
    {
        try
        {
            using var archive = new ZipArchive(DataFile.StreamOf(content), ZipArchiveMode.Read);
            if (archive.Entries.Count > MostEntries)
                throw Refused(path, $"at most {MostEntries} arrays", $"{archive.Entries.Count}");
            var all = archive.Entries.Sum(entry => Math.Min(entry.Length, limit));
            MemoryBudget.Require(path, $"arrays of {all} bytes", Math.Min(all, limit));
            var left = limit;
            var tensors = new List<Tensor>();
            foreach (var entry in archive.Entries)
            {
                var bytes = Read(entry, left, limit, path);
                left -= bytes.Length;
                var name = entry.FullName.EndsWith(Ending, StringComparison.Ordinal)
                    ? entry.FullName[..^Ending.Length]
                    : entry.FullName;
                tensors.Add(DataFile.Require(Npy.Parse(name, bytes), $"{path}, {name}"));
            }
            return tensors;
        }
        catch (Exception broken)
            when (broken
                    is InvalidDataException
                        or EndOfStreamException
                        or NotSupportedException
                        or ArgumentException
            )
        {
            throw Refused(path, "a zip archive of NPY files", broken.Message.TrimEnd('.'));
        }
    }

    private static ReadOnlyMemory<byte> Read(
        ZipArchiveEntry entry,
        long left,
        long limit,
        string path
    )
    {
        if (entry.Length > left)
            throw Refused(path, $"arrays of at most {limit} bytes (Data:MaximumBytes)", "more");
        using var stream = entry.Open();
        // An entry may hold less than it claims, so that room is taken as it fills.
        var bytes = new MemoryStream((int)Math.Min(entry.Length, 16 * entry.CompressedLength));
        if (!DataFile.CopyUpTo(stream, bytes, entry.Length) || bytes.Length != entry.Length)
        {
            throw Refused(
                path,
                $"{entry.Length} bytes of {entry.FullName}, as the archive claims",
                bytes.Length == entry.Length ? "more" : $"{bytes.Length}"
            );
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    /// <summary>The bytes of an archive, not compressed, as <c>numpy.savez</c> makes it.</summary>
    public static byte[] Write(IEnumerable<Tensor> tensors)
    {
        var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var tensor in tensors)
            {
                var entry = archive.CreateEntry(
                    $"{tensor.Name}{Ending}",
                    CompressionLevel.NoCompression
                );
                // The same bytes whenever they are written: the earliest time that a zip file knows.
                entry.LastWriteTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using var stream = entry.Open();
                stream.Write(Npy.Write(tensor));
            }
        }
        return bytes.ToArray();
    }

    private static RefusedException Refused(string path, string expected, string found) =>
        new([DataFile.Sentence(path, expected, found)]);
}
