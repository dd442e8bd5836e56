using System.IO.Compression;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>NumPy's archives of arrays: a zip file with an NPY file for each. Arrays are unpacked on
/// demand.</summary>
internal sealed class NpzFile : IDisposable
{
    private const string Ending = FileKinds.Array;

    /// <summary>The largest number of arrays.</summary>
    private const int MostEntries = 10_000;

    private readonly ZipArchive archive;
    private readonly string path;
    private readonly long limit;
    private long left;

    /// <param name="content">The whole file.</param>
    /// <param name="limit">The largest size of all unzipped arrays together, in bytes.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="RefusedException">The file is not such an archive.</exception>
    public NpzFile(ReadOnlyMemory<byte> content, long limit, string path)
    {
        (this.path, this.limit, left) = (path, limit, limit);
        archive = Checked(() =>
        {
            var opened = new ZipArchive(DataFile.StreamOf(content), ZipArchiveMode.Read);
            return opened.Entries.Count <= MostEntries
                ? opened
                : throw RefusedException.Of(
                    path,
                    $"at most {MostEntries} arrays",
                    $"{opened.Entries.Count}"
                );
        });
        Names = [.. archive.Entries.Select(entry => NameOf(entry))];
    }

    /// <summary>The arrays' names, in the archive's order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The array at an index of the names.</summary>
    /// <exception cref="RefusedException">The array is damaged, too large or of an unsupported
    /// type.</exception>
    public Tensor Read(int place) =>
        Checked(() =>
        {
            var bytes = Unpack(archive.Entries[place]);
            left -= bytes.Length;
            return Npy.Parse(Names[place], bytes)
                .OrThrow(RefusedException.At($"{path}, {Names[place]}"));
        });

    /// <summary>All arrays of an archive, in its order.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="limit">The largest size of all unzipped arrays together, in bytes.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="RefusedException">The file is not such an archive, or is too large.</exception>
    public static IReadOnlyList<Tensor> Parse(ReadOnlyMemory<byte> content, long limit, string path)
    {
        using var file = new NpzFile(content, limit, path);
        return [.. Enumerable.Range(0, file.Names.Count).Select(file.Read)];
    }

    public void Dispose() => archive.Dispose();

    private static string NameOf(ZipArchiveEntry entry) =>
        entry.FullName.EndsWith(Ending, StringComparison.Ordinal)
            ? entry.FullName[..^Ending.Length]
            : entry.FullName;

    private TValue Checked<TValue>(Func<TValue> read)
    {
        try
        {
            return read();
        }
        catch (Exception broken)
            when (DataFile.IsDamage(broken) || broken is NotSupportedException or ArgumentException)
        {
            throw RefusedException.Of(
                path,
                "a zip archive of NPY files",
                broken.Message.TrimEnd('.')
            );
        }
    }

    private ReadOnlyMemory<byte> Unpack(ZipArchiveEntry entry)
    {
        if (entry.Length > left)
            throw RefusedException.Of(
                path,
                $"arrays of at most {limit} bytes (Data:MaximumBytes)",
                "more"
            );
        using var stream = entry.Open();
        var start = new byte[(int)Math.Min(entry.Length, Npy.MaximumHeaderLength)];
        start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        var claimed = Npy.DeclaredLength(start);
        // The start of an entry shows whether it is a supported array.
        if (claimed.IsNone)
            return start;
        if (claimed.Value != entry.Length)
        {
            throw RefusedException.Of(
                $"{path}, {NameOf(entry)}",
                $"{claimed.Value} bytes, as its header claims",
                $"{entry.Length}"
            );
        }
        MemoryBudget.Require(path, $"an array of {entry.Length} bytes", entry.Length);
        // An entry may hold less than it declares, so that memory is allocated as it fills.
        var bytes = new MemoryStream((int)Math.Min(entry.Length, 16 * entry.CompressedLength));
        bytes.Write(start);
        if (!DataFile.CopyUpTo(stream, bytes, entry.Length) || bytes.Length != entry.Length)
        {
            throw RefusedException.Of(
                path,
                $"{entry.Length} bytes of {entry.FullName}, as the archive claims",
                bytes.Length == entry.Length ? "more" : $"{bytes.Length}"
            );
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    /// <summary>The bytes of an uncompressed archive, as written by <c>numpy.savez</c>.</summary>
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
                // The earliest time of the ZIP format, so that the bytes do not depend on the time of
                // writing.
                entry.LastWriteTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using var stream = entry.Open();
                stream.Write(Npy.Write(tensor));
            }
        }
        return bytes.ToArray();
    }
}
