using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Images with their labels, and the files they come from.</summary>
internal sealed record LabelledImages(IdxImages Images, int[] Labels, string Path);

/// <summary>Reads a folder with the four files of MNIST's names, each plain or .gz, and hands their
/// bytes to the core.</summary>
internal static class IdxFolder
{
    /// <summary>The training and the test images.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="classes">Labels are 0 to classes − 1.</param>
    /// <param name="limit">The most bytes of a file.</param>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static (LabelledImages Train, LabelledImages Test, IReadOnlyList<DataFile> Files) Load(
        string directory,
        int classes,
        long limit
    )
    {
        directory = Path.GetFullPath(directory);
        if (!Directory.Exists(directory))
        {
            throw new RefusedException([
                DataFile.Sentence(directory, "a folder with the four IDX files", "no such folder"),
            ]);
        }

        // The sets load side by side, and their faults are said one after the other.
        var (faults, testFaults) = (new List<string>(), new List<string>());
        var (files, testFiles) = (new List<DataFile>(), new List<DataFile>());
        var testing = Task.Run(() =>
            LoadHalf(directory, "t10k", classes, limit, testFaults, testFiles)
        );
        var train = LoadHalf(directory, "train", classes, limit, faults, files);
        var test = testing.GetAwaiter().GetResult();
        faults.AddRange(testFaults);
        if (faults.Count > 0 || train is null || test is null)
            throw new RefusedException(faults);
        return (train, test, [.. files, .. testFiles]);
    }

    /// <summary>The files that data are read from, whether there or not.</summary>
    public static IEnumerable<string> Paths(string directory) =>
        from half in (string[])["train", "t10k"]
        from name in (string[])[ImagesOf(half), LabelsOf(half)]
        from ending in (string[])["", ".gz"]
        select Path.Combine(directory, name + ending);

    private static string ImagesOf(string half) => $"{half}-images-idx3-ubyte";

    private static string LabelsOf(string half) => $"{half}-labels-idx1-ubyte";

    private static LabelledImages? LoadHalf(
        string directory,
        string half,
        int classes,
        long limit,
        List<string> faults,
        List<DataFile> files
    )
    {
        var imagesFile = Read(directory, ImagesOf(half), limit, faults);
        var labelsFile = Read(directory, LabelsOf(half), limit, faults);
        IdxImages? images = null;
        int[]? labels = null;
        if (imagesFile is not null)
        {
            files.Add(imagesFile);
            Idx.ParseImages(imagesFile.Content).TryGet(out images, out var found);
            faults.AddRange(found.Select(fault => DataFile.Sentence(imagesFile.Path, fault)));
        }
        if (labelsFile is not null)
        {
            files.Add(labelsFile);
            Idx.ParseLabels(classes, labelsFile.Content).TryGet(out labels, out var found);
            faults.AddRange(found.Select(fault => DataFile.Sentence(labelsFile.Path, fault)));
        }
        if (images is null || labels is null)
            return null;
        if (images.Count == labels.Length)
            return new(images, labels, imagesFile!.Path);
        faults.Add(
            DataFile.Sentence(
                $"{labelsFile!.Path}, labels",
                $"one for each of the {images.Count} images",
                $"{labels.Length}"
            )
        );
        return null;
    }

    /// <returns>Null after adding a fault.</returns>
    private static DataFile? Read(string directory, string name, long limit, List<string> faults)
    {
        var plain = Path.Combine(directory, name);
        var zipped = plain + ".gz";
        var path = File.Exists(plain) ? plain : zipped;
        if (!File.Exists(path))
        {
            faults.Add(DataFile.Sentence(plain, $"a file of this name or {name}.gz", "neither"));
            return null;
        }
        try
        {
            return DataFile.Read(path, limit, start => Idx.ClaimedLength(start));
        }
        catch (RefusedException refused)
        {
            faults.AddRange(refused.Reasons);
            return null;
        }
    }
}
