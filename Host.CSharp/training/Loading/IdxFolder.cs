using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Reads a folder with the four files of a set of images, each plain or .gz.</summary>
internal static class IdxFolder
{
    /// <summary>The training and the test images.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="set">The value of Data:Classes; null if unset.</param>
    /// <param name="limit">The largest size of a file in bytes.</param>
    /// <param name="notes">The list that gets the assumptions.</param>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static (
        LabelledImages Train,
        LabelledImages Test,
        ClassCount Classes,
        IReadOnlyList<DataFile> Files
    ) Load(string directory, int? set, long limit, ICollection<string> notes)
    {
        directory = Path.GetFullPath(directory);
        if (!Directory.Exists(directory))
        {
            throw RefusedException.Of(
                $"Data:Directory, {directory}",
                "a folder with the four IDX files",
                "no such folder"
            );
        }
        var all = All(directory).ToList();
        List<string>[] missing =
        [
            [],
            [],
        ];
        IdxName?[] names =
        [
            .. from half in (int[])[0, 1]
            from isImages in (bool[])[true, false]
            select Find(directory, all, half == 0, isImages, missing[half], notes),
        ];
        if (names.OfType<IdxName>().Select(name => name.Set).Distinct().Count() > 1)
        {
            throw new RefusedException([
                .. missing.SelectMany(faults => faults),
                DataFile.Sentence(
                    directory,
                    "four files of one set of images",
                    string.Join(", ", names.OfType<IdxName>().Select(name => name.Name))
                ),
            ]);
        }

        // The files are loaded in parallel; faults are reported half by half.
        var testing = Task.Run(() => new Half(names[2], names[3], missing[1], limit));
        Half[] halves =
        [
            new(names[0], names[1], missing[0], limit),
            testing.GetAwaiter().GetResult(),
        ];
        LabelledImages?[] images = [null, null];
        var scale = halves[0].Scale();
        var classes = ClassCount.Of(set, halves[0].Labels);
        List<string> faults = [];
        for (var i = 0; i < halves.Length; i++)
            images[i] = halves[i].Take(classes, scale, faults, notes);
        return faults.Count == 0 && images is [{ } train, { } test]
            ? (train, test, classes, [.. halves.SelectMany(half => half.Files)])
            : throw new RefusedException(faults);
    }

    /// <summary>The images of one file, without labels.</summary>
    /// <param name="file">The file.</param>
    /// <param name="notes">The list that gets the assumptions.</param>
    /// <exception cref="RefusedException">The file is bad.</exception>
    public static IdxImages Images(DataFile file, ICollection<string> notes)
    {
        var numbers = Idx.ParseImageTensor(file.Content).OrThrow(RefusedException.At(file.Path));
        var scale = Pixels.ScaleOf(numbers).OrThrow(RefusedException.At(file.Path));
        if (Pixels.Assumption(scale, numbers) is { IsSome: true, Value: var assumption })
            notes.Add($"{file.Path}, {assumption}");
        if (Pixels.Dimensions(numbers) is { IsSome: true, Value: var dimensions })
            notes.Add($"{file.Path}, {dimensions}");
        var images = Pixels.OfTensor(scale, numbers).OrThrow(RefusedException.At(file.Path));
        if (!IdxName.IsTransposed(file.Path))
            return images;
        notes.Add(Exchanged(file.Path));
        return Pixels.Transpose(images);
    }

    private static string Exchanged(string path) =>
        $"{path}: rows and columns are exchanged, as EMNIST's files have them so.";

    /// <summary>The paths that data are read from, whether they exist or not.</summary>
    public static IEnumerable<string> Paths(string directory)
    {
        var usual =
            from half in (string[])["train", "t10k"]
            from name in (string[])[UsualName(half, true), UsualName(half, false)]
            from ending in (string[])["", FileKinds.Zipped]
            select Path.Combine(directory, name + ending);
        return usual.Union(All(directory).Select(name => name.Path));
    }

    private static string UsualName(string half, bool isImages) =>
        isImages ? $"{half}-images-idx3-ubyte" : $"{half}-labels-idx1-ubyte";

    private static IEnumerable<IdxName> All(string directory) =>
        Directory.Exists(directory)
            ? Directory
                .EnumerateFiles(directory)
                .Order(StringComparer.Ordinal)
                .Select(IdxName.Of)
                .OfType<IdxName>()
            : [];

    /// <summary>The file of a half's images or labels: MNIST's own name is preferred to others, a plain file
    /// to a .gz.</summary>
    /// <returns>Null after adding a fault.</returns>
    private static IdxName? Find(
        string directory,
        IEnumerable<IdxName> all,
        bool isTrain,
        bool isImages,
        List<string> faults,
        ICollection<string> notes
    )
    {
        var usual = UsualName(isTrain ? "train" : "t10k", isImages);
        var found = all.Where(name => name.IsTrain == isTrain && name.IsImages == isImages)
            .OrderBy(name =>
                name.Path.EndsWith(FileKinds.Zipped, StringComparison.OrdinalIgnoreCase)
            )
            .ToList();
        if (found.Count == 0)
        {
            faults.Add(
                DataFile.Sentence(
                    Path.Combine(directory, usual),
                    $"a file of this name or {usual}.gz",
                    "neither"
                )
            );
            return null;
        }
        var own = found
            .Where(name =>
                Path.GetFileName(name.Path) is var file
                && (file == usual || file == usual + FileKinds.Zipped)
            )
            .ToList();
        var taken = own.Count > 0 ? own : found;
        if (taken.DistinctBy(name => name.Name).Count() > 1)
        {
            faults.Add(
                DataFile.Sentence(
                    directory,
                    $"one file of {(isTrain ? "training" : "test")} {(isImages ? "images" : "labels")}",
                    string.Join(", ", taken.Select(name => Path.GetFileName(name.Path)))
                )
            );
            return null;
        }
        if (found.Count > 1)
        {
            var left = found.Except([taken[0]]).Select(name => Path.GetFileName(name.Path));
            notes.Add($"{taken[0].Path} is read, and not {string.Join(", ", left)}.");
        }
        return taken[0];
    }

    /// <summary>The images and labels of one half, as far as they can be read.</summary>
    private sealed class Half
    {
        private readonly List<string> faults;
        private readonly IdxName? imagesName;
        private readonly Tensor? images;
        private readonly Tensor? labels;
        private readonly List<DataFile> files = [];

        /// <param name="imagesName">The file of images, if there is one.</param>
        /// <param name="labelsName">The file of labels, if there is one.</param>
        /// <param name="faults">The list of faults, to which more are added.</param>
        /// <param name="limit">The largest size of a file in bytes.</param>
        public Half(IdxName? imagesName, IdxName? labelsName, List<string> faults, long limit)
        {
            (this.imagesName, this.faults) = (imagesName, faults);
            var imagesFile = Read(imagesName, limit);
            var labelsFile = Read(labelsName, limit);
            images = Parse(
                imagesFile,
                (content, out tensor, out found) =>
                    Idx.ParseImageTensor(content).TryGet(out tensor, out found)
            );
            labels = Parse(
                labelsFile,
                (content, out tensor, out found) =>
                    Idx.ParseLabelTensor(content).TryGet(out tensor, out found)
            );
        }

        public IReadOnlyList<DataFile> Files => files;

        /// <summary>The labels, if they can be read.</summary>
        public Tensor? Labels => labels;

        /// <summary>The range of the images' numbers; faulty ones are reported later.</summary>
        public PixelScale Scale() =>
            images is not null && Pixels.ScaleOf(images).TryGet(out var scale, out _)
                ? scale
                : PixelScale.Byte;

        /// <returns>Null after adding faults.</returns>
        public LabelledImages? Take(
            ClassCount classes,
            PixelScale scale,
            List<string> all,
            ICollection<string> notes
        )
        {
            all.AddRange(faults);
            if (images is null || labels is null)
            {
                // The faults of the other file are reported too.
                if (labels is not null)
                    ImageArrays.LabelsOf(
                        labels,
                        classes,
                        files[^1].Path,
                        files[^1].Path,
                        all,
                        notes
                    );
                return null;
            }
            var isTransposed = IdxName.IsTransposed(imagesName!.Path);
            if (isTransposed)
                notes.Add(Exchanged(imagesName.Path));
            try
            {
                return new ImageArrays(
                    images,
                    labels,
                    files[0].Path,
                    files[1].Path,
                    files[1].Path
                ).Take(classes, scale, isTransposed, notes);
            }
            catch (RefusedException refused)
            {
                all.AddRange(refused.Reasons);
                return null;
            }
        }

        private delegate bool TryParse(
            ReadOnlyMemory<byte> content,
            out Tensor tensor,
            out IReadOnlyList<Fault> found
        );

        private Tensor? Parse(DataFile? file, TryParse parse)
        {
            if (file is null)
                return null;
            if (BinaryFormat.Of(file.Content.Span) is { } other)
            {
                faults.Add(DataFile.Sentence(file.Path, "an IDX file", other));
                return null;
            }
            parse(file.Content, out var tensor, out var found);
            faults.AddRange(found.Select(fault => DataFile.Sentence(file.Path, fault)));
            return tensor;
        }

        /// <returns>Null after adding a fault.</returns>
        private DataFile? Read(IdxName? name, long limit)
        {
            if (name is null)
                return null;
            try
            {
                var file = DataFile.Read(
                    name.Path,
                    limit,
                    claimed: start => Idx.DeclaredLength(start).ToNullable()
                );
                files.Add(file);
                return file;
            }
            catch (RefusedException refused)
            {
                faults.AddRange(refused.Reasons);
                return null;
            }
        }
    }
}
