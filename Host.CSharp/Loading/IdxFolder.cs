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
    /// <summary>The images and labels of one of the two sets.</summary>
    private sealed record Half<T>(Dataset<T> Data, IdxImages Images, string ImagesPath)
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

        var faults = new List<string>();
        var hashes = new Dictionary<string, string>();
        var train = LoadHalf<T>(directory, "train", classes, faults, hashes);
        var test = LoadHalf<T>(directory, "t10k", classes, faults, hashes);
        if (train is not null && test is not null && Size(train.Images) != Size(test.Images))
        {
            var expected = $"images of {Size(train.Images)} pixels, as the training images are";
            faults.Add(Sentence(test.ImagesPath, expected, Size(test.Images)));
        }
        return faults.Count > 0 || train is null || test is null
            ? throw new RefusedException(faults)
            : new(train.Data, test.Data, hashes);
    }

    private static string Size(IdxImages images) => $"{images.Rows} × {images.Columns}";

    private static string ImagesOf(string half) => $"{half}-images-idx3-ubyte";

    private static string LabelsOf(string half) => $"{half}-labels-idx1-ubyte";

    private static Half<T>? LoadHalf<T>(
        string directory,
        string half,
        int classes,
        List<string> faults,
        Dictionary<string, string> hashes
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var imagesPath = Read(directory, ImagesOf(half), faults, hashes, out var imageBytes);
        var labelsPath = Read(directory, LabelsOf(half), faults, hashes, out var labelBytes);
        IdxImages? images = null;
        int[]? labels = null;
        if (imagesPath is not null)
        {
            Idx.ParseImages(imageBytes).TryGet(out images, out var found);
            faults.AddRange(found.Select(fault => Sentence(fault, imagesPath)));
        }
        if (labelsPath is not null)
        {
            Idx.ParseLabels(classes, labelBytes).TryGet(out labels, out var found);
            faults.AddRange(found.Select(fault => Sentence(fault, labelsPath)));
        }
        if (images is null || labels is null)
            return null;
        var whole = Dataset.OfIdx<T>(classes, images, labels).TryGet(out var data, out var unequal);
        faults.AddRange(unequal.Select(fault => Sentence(fault, labelsPath!)));
        return whole ? new(data, images, imagesPath!) : null;
    }

    private static string Sentence(string path, string expected, string found) =>
        Faults.Create(path, expected, found).ToString();

    private static string Sentence(Fault fault, string path) =>
        Faults.Within(path, fault).ToString();

    /// <summary>The content of a file, unzipped where it is a .gz.</summary>
    /// <returns>The path it was read from, or null after adding a fault.</returns>
    private static string? Read(
        string directory,
        string name,
        List<string> faults,
        Dictionary<string, string> hashes,
        out ReadOnlyMemory<byte> content
    )
    {
        var plain = Path.Combine(directory, name);
        var zipped = plain + ".gz";
        var path = File.Exists(plain) ? plain : zipped;
        content = default;
        if (!File.Exists(path))
        {
            faults.Add(Sentence(plain, $"a file of this name or {name}.gz", "neither"));
            return null;
        }
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (path == zipped)
                bytes = Unzip(bytes, path);
            content = bytes;
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
        hashes[name] = Convert.ToHexStringLower(SHA256.HashData(content.Span));
        return path;
    }

    /// <summary>A gzip stream ends with the length of its content. .NET's reader takes a stream that is
    /// cut short, or followed by other bytes, for a whole one; the length tells.</summary>
    private static byte[] Unzip(byte[] zipped, string path)
    {
        if (zipped is not [0x1f, 0x8b, 8, ..] || zipped.Length < 18)
        {
            throw new RefusedException([
                Sentence(path, "a gzip stream", $"{zipped.Length} bytes that are none"),
            ]);
        }
        var length = BinaryPrimitives.ReadUInt32LittleEndian(zipped.AsSpan(^4));
        using var stream = new GZipStream(new MemoryStream(zipped), CompressionMode.Decompress);
        using var content = new MemoryStream();
        try
        {
            stream.CopyTo(content);
        }
        catch (InvalidDataException)
        {
            throw new RefusedException([Sentence(path, "one whole gzip stream", "a damaged one")]);
        }
        if (content.Length != length)
        {
            throw new RefusedException([
                Sentence(
                    path,
                    "one whole gzip stream",
                    "one that is cut short, or more that follows it"
                ),
            ]);
        }
        return content.ToArray();
    }
}
