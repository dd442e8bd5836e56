using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Security.Cryptography;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Training and test samples, and the SHA-256 of each file's content.</summary>
internal sealed record LoadedData<T>(
    Dataset<T> Train,
    Dataset<T> Test,
    IReadOnlyDictionary<string, string> Hashes
)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Reads a folder with the four files of MNIST's names, each plain or .gz, and hands their
/// bytes to the core.</summary>
internal static class IdxFolder
{
    /// <summary>A file's content, and its SHA-256, found while the content is put to use.</summary>
    private sealed record IdxFile(
        string Name,
        string Path,
        ReadOnlyMemory<byte> Content,
        Task<string> Hash
    );

    /// <summary>The images and labels of one of the two sets.</summary>
    private sealed record Half<T>(
        Dataset<T> Data,
        IdxImages Images,
        IdxFile ImagesFile,
        IdxFile LabelsFile
    )
        where T : struct, IBinaryFloatingPointIeee754<T>;

    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static LoadedData<T> Load<T>(string directory, int classes)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        directory = Path.GetFullPath(directory);
        if (!Directory.Exists(directory))
        {
            throw new RefusedException([
                Sentence(directory, "a folder with the four IDX files", "no such folder"),
            ]);
        }

        // The sets load side by side, and their faults are said one after the other.
        var (faults, testFaults) = (new List<string>(), new List<string>());
        var testing = Task.Run(() => LoadHalf<T>(directory, "t10k", classes, testFaults));
        var train = LoadHalf<T>(directory, "train", classes, faults);
        var test = testing.GetAwaiter().GetResult();
        faults.AddRange(testFaults);
        if (train is not null && test is not null && Size(train.Images) != Size(test.Images))
        {
            var expected = $"images of {Size(train.Images)} pixels, as the training images are";
            faults.Add(Sentence(test.ImagesFile.Path, expected, Size(test.Images)));
        }
        if (faults.Count > 0 || train is null || test is null)
            throw new RefusedException(faults);
        IdxFile[] files = [train.ImagesFile, train.LabelsFile, test.ImagesFile, test.LabelsFile];
        return new(
            train.Data,
            test.Data,
            files.ToDictionary(file => file.Name, file => file.Hash.GetAwaiter().GetResult())
        );
    }

    /// <summary>The files that data are read from, whether there or not.</summary>
    public static IEnumerable<string> Files(string directory) =>
        from half in (string[])["train", "t10k"]
        from name in (string[])[ImagesOf(half), LabelsOf(half)]
        from ending in (string[])["", ".gz"]
        select Path.Combine(directory, name + ending);

    private static string Size(IdxImages images) => $"{images.Rows} × {images.Columns}";

    private static string ImagesOf(string half) => $"{half}-images-idx3-ubyte";

    private static string LabelsOf(string half) => $"{half}-labels-idx1-ubyte";

    private static Half<T>? LoadHalf<T>(
        string directory,
        string half,
        int classes,
        List<string> faults
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var imagesFile = Read(directory, ImagesOf(half), faults);
        var labelsFile = Read(directory, LabelsOf(half), faults);
        IdxImages? images = null;
        int[]? labels = null;
        if (imagesFile is not null)
        {
            Idx.ParseImages(imagesFile.Content).TryGet(out images, out var found);
            faults.AddRange(found.Select(fault => Sentence(fault, imagesFile.Path)));
        }
        if (labelsFile is not null)
        {
            Idx.ParseLabels(classes, labelsFile.Content).TryGet(out labels, out var found);
            faults.AddRange(found.Select(fault => Sentence(fault, labelsFile.Path)));
        }
        if (images is null || labels is null)
            return null;
        var whole = Dataset.OfIdx<T>(classes, images, labels).TryGet(out var data, out var unequal);
        faults.AddRange(unequal.Select(fault => Sentence(fault, labelsFile!.Path)));
        return whole ? new(data, images, imagesFile!, labelsFile!) : null;
    }

    private static string Sentence(string path, string expected, string found) =>
        Faults.Create(path, expected, found).ToString();

    private static string Sentence(Fault fault, string path) =>
        Faults.Within(path, fault).ToString();

    /// <summary>The content of a file, unzipped where it is a .gz.</summary>
    /// <returns>Null after adding a fault.</returns>
    private static IdxFile? Read(string directory, string name, List<string> faults)
    {
        var plain = Path.Combine(directory, name);
        var zipped = plain + ".gz";
        var path = File.Exists(plain) ? plain : zipped;
        if (!File.Exists(path))
        {
            faults.Add(Sentence(plain, $"a file of this name or {name}.gz", "neither"));
            return null;
        }
        try
        {
            var bytes = File.ReadAllBytes(path);
            ReadOnlyMemory<byte> content = path == zipped ? Unzip(bytes, path) : bytes;
            var hash = Task.Run(() => Convert.ToHexStringLower(SHA256.HashData(content.Span)));
            return new(name, path, content, hash);
        }
        catch (RefusedException refused)
        {
            faults.AddRange(refused.Reasons);
            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            faults.Add(Sentence(path, "a file that can be read", unreadable.Message.TrimEnd('.')));
            return null;
        }
    }

    /// <summary>A gzip stream ends with the length of its content. .NET's reader takes a stream that is
    /// cut short, or followed by other bytes, for a whole one; the length tells.</summary>
    private static ReadOnlyMemory<byte> Unzip(byte[] zipped, string path)
    {
        if (zipped is not [0x1f, 0x8b, 8, ..] || zipped.Length < 18)
        {
            throw new RefusedException([
                Sentence(path, "a gzip stream", $"{zipped.Length} bytes that are none"),
            ]);
        }
        var length = BinaryPrimitives.ReadUInt32LittleEndian(zipped.AsSpan(^4));
        using var stream = new GZipStream(new MemoryStream(zipped), CompressionMode.Decompress);
        // Room for the whole spares copies of it. Of a stream cut short any four bytes may pose as the
        // length, so that no more is taken at once than pictures need.
        var content = new MemoryStream(
            (int)Math.Min(length, Math.Min(16L * zipped.Length, 1 << 30))
        );
        bool isWhole;
        try
        {
            var start = new byte[16];
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            var claimed = Idx.ClaimedLength(start);
            // A small stream can hold much. Where that is no IDX file, the start is enough to say so.
            if (claimed.IsNone)
                return start;
            content.Write(start);
            // Its own header is to say the same.
            isWhole = claimed.Value == length;
            if (isWhole)
                CopyUpTo(length + 1, stream, content);
        }
        catch (InvalidDataException)
        {
            throw new RefusedException([Sentence(path, "one whole gzip stream", "a damaged one")]);
        }
        if (!isWhole || content.Length != length)
        {
            throw new RefusedException([
                Sentence(
                    path,
                    "one whole gzip stream",
                    "one that is cut short, or more that follows it"
                ),
            ]);
        }
        return content.GetBuffer().AsMemory(0, (int)length);
    }

    private static void CopyUpTo(long length, GZipStream from, MemoryStream to)
    {
        var buffer = new byte[1 << 16];
        int count;
        while (to.Length < length && (count = from.Read(buffer)) > 0)
            to.Write(buffer, 0, count);
    }
}
