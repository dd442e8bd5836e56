using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Samples in NumPy's archives: arrays <c>x_train</c>, <c>y_train</c>, <c>x_test</c> and
/// <c>y_test</c> (or <c>train_images</c>, <c>train_labels</c>, …), or <c>x</c> and <c>y</c> (or <c>images</c>
/// and <c>labels</c>). Inputs of one or two dimensions are rows of a table; those of three or four are
/// images.</summary>
internal static class ArrayFiles
{
    /// <summary>The inputs and labels of a half (training or test), and their file.</summary>
    private sealed record Half(Tensor X, Tensor Y, string Path)
    {
        public bool IsImages => X.Shape.Length > 2;
    }

    /// <param name="configuration">The configuration.</param>
    /// <param name="trainFile">The file with training samples, and test samples unless there is
    /// another.</param>
    /// <param name="testFile">The file with test samples, if they have their own.</param>
    /// <param name="files">Both.</param>
    /// <param name="trainHalf">The half under whose names the training samples are found.</param>
    /// <exception cref="RefusedException">Arrays are missing or bad.</exception>
    public static ParsedData Parse(
        RunConfiguration configuration,
        DataFile trainFile,
        DataFile? testFile,
        IReadOnlyList<DataFile> files,
        string trainHalf = "train"
    )
    {
        var limit = configuration.Settings.Data.MaximumBytes;
        List<string> notes = [];
        var (train, test) = Halves(trainFile, testFile, trainHalf, limit, notes);
        foreach (var half in test is null ? [train] : (Half[])[train, test])
        {
            if (
                half.X.Shape is [var samples, ..]
                && half.Y.Shape is [var labels, ..]
                && samples != labels
            )
            {
                throw RefusedException.Of(
                    $"{half.Path}, {half.Y.Name}",
                    $"{samples} labels, one for each sample of {half.X.Name}",
                    $"{labels}"
                );
            }
        }
        if (test is not null && test.IsImages != train.IsImages)
        {
            throw RefusedException.Of(
                $"{test.Path}, {test.X.Name}",
                $"{(train.IsImages ? "images" : "rows")}, as the training samples are",
                Tensors.ShapeText(test.X)
            );
        }
        InapplicableSettings.Refuse(
            configuration.Settings.Data,
            files,
            train.IsImages ? DataKinds.Images : DataKinds.Rows
        );
        if (train.IsImages)
            return Images(configuration, train, test, files, notes);
        return new ParsedTables(
            configuration,
            Rows(configuration, train, notes),
            test is null ? null : Rows(configuration, test, notes),
            files
        )
        {
            Notes = [.. notes.Distinct()],
        };
    }

    private static (Half Train, Half? Test) Halves(
        DataFile trainFile,
        DataFile? testFile,
        string trainHalf,
        long limit,
        List<string> notes
    )
    {
        using var arrays = new NpzFile(trainFile.Content, limit, trainFile.Path);
        var read = new HashSet<int>();
        var train =
            Find(arrays, trainHalf, isOwnFile: true, trainFile.Path, read)
            ?? throw Missing(arrays, trainHalf, trainFile.Path);
        Half? test;
        if (testFile is null)
        {
            test = Find(arrays, "test", isOwnFile: false, trainFile.Path, read);
        }
        else
        {
            using var others = new NpzFile(testFile.Content, limit, testFile.Path);
            var readThere = new HashSet<int>();
            test =
                Find(others, "test", isOwnFile: true, testFile.Path, readThere)
                ?? throw Missing(others, "test", testFile.Path);
            Unused(others, readThere, testFile.Path, notes);
        }
        Unused(arrays, read, trainFile.Path, notes);
        return (train, test);
    }

    /// <summary>The inputs and labels of a half; null if its inputs are missing.</summary>
    /// <param name="arrays">The archive.</param>
    /// <param name="half">train or test.</param>
    /// <param name="isOwnFile">Whether arrays without a half's name are of this half.</param>
    /// <param name="path">The path of the archive.</param>
    /// <param name="read">The set that gets the indices of the arrays that were read.</param>
    private static Half? Find(
        NpzFile arrays,
        string half,
        bool isOwnFile,
        string path,
        HashSet<int> read
    )
    {
        (string X, string Y)[] pairs =
        [
            ($"x_{half}", $"y_{half}"),
            ($"{half}_images", $"{half}_labels"),
        ];
        if (isOwnFile)
            pairs = [.. pairs, ("x", "y"), ("images", "labels")];
        foreach (var (x, y) in pairs)
        {
            if (PlaceOf(arrays, x, path) is not { } inputs)
                continue;
            var labels =
                PlaceOf(arrays, y, path)
                ?? throw RefusedException.Of(
                    path,
                    $"an array {y} beside {x}",
                    string.Join(", ", arrays.Names)
                );
            read.UnionWith([inputs, labels]);
            return new(arrays.Read(inputs), arrays.Read(labels), path);
        }
        return null;
    }

    private static int? PlaceOf(NpzFile arrays, string name, string path)
    {
        int[] places =
        [
            .. Enumerable
                .Range(0, arrays.Names.Count)
                .Where(place =>
                    arrays.Names[place].Equals(name, StringComparison.OrdinalIgnoreCase)
                ),
        ];
        return places.Length switch
        {
            0 => null,
            1 => places[0],
            _ => throw RefusedException.Of(
                path,
                $"one array {name}",
                string.Join(", ", places.Select(place => arrays.Names[place]))
            ),
        };
    }

    private static RefusedException Missing(NpzFile arrays, string half, string path) =>
        RefusedException.Of(
            path,
            $"arrays x_{half} and y_{half}, {half}_images and {half}_labels, x and y, or images and labels",
            arrays.Names.Count == 0 ? "none" : string.Join(", ", arrays.Names)
        );

    private static void Unused(
        NpzFile arrays,
        HashSet<int> read,
        string path,
        ICollection<string> notes
    )
    {
        string[] names = [.. arrays.Names.Where((_, place) => !read.Contains(place))];
        if (names.Length > 0)
            notes.Add($"{path}: not used: {string.Join(", ", names)}.");
    }

    private static Table Rows(RunConfiguration configuration, Half half, ICollection<string> notes)
    {
        var inputs = Tables.OfTensor(half.X).OrThrow(RefusedException.At(half.Path));
        if (configuration.Head.IsIdentity && half.Y.Shape is [_, > 1])
        {
            throw RefusedException.Of(
                $"{half.Path}, {half.Y.Name}",
                "one number a sample",
                Tensors.ShapeText(half.Y)
            );
        }
        var labels = Labels(half, notes);
        // The column has the same name in both halves.
        const string label = "y";
        var column = Tables.OfTensor(labels).OrThrow(RefusedException.At(half.Path)).Columns.Head;
        return Tables
            .Create([.. inputs.Columns, new(label, column.Cells)])
            .OrThrow(RefusedException.At(half.Path));
    }

    /// <summary>One label for each sample.</summary>
    private static Tensor Labels(Half half, ICollection<string> notes)
    {
        var column = ClassLabels.OfTensor(half.Y).OrThrow(RefusedException.At(half.Path));
        if (column.Note.OrNull() is { } note)
            notes.Add($"{half.Path}, {note}");
        return column.Labels;
    }

    private static ParsedImages Images(
        RunConfiguration configuration,
        Half train,
        Half? test,
        IReadOnlyList<DataFile> files,
        List<string> notes
    )
    {
        IReadOnlyList<string>? names = null;
        IReadOnlyList<string> warnings = [];
        var set = configuration.Settings.Data.Classes;
        if (train.Y.Elements is Elements.Texts)
        {
            var texts = Labels(train, notes);
            // Texts that are numbers are read as numbers.
            if (!ClassLabels.Classes(configuration.Classes, texts).TryGet(out _, out _))
            {
                names = TextLabels.Classes(texts).OrThrow(RefusedException.At(train.Path));
                DataFiles.RequireClasses(set, names.Count);
                warnings =
                [
                    .. TextLabels.Warnings(
                        train.Y.Name,
                        test is null ? [texts] : [texts, Labels(test, notes)]
                    ),
                ];
                train = Named(train, names, notes);
                test = test is null ? null : Named(test, names, notes);
            }
        }
        var classes = names is null
            ? ClassCount.Of(set, train.Y)
            : new ClassCount(names.Count, "as the training labels have");
        var scale = Pixels.ScaleOf(train.X).OrThrow(RefusedException.At(train.Path));
        var trainImages = Take(train, classes, scale, notes);
        LabelledImages testImages;
        if (test is null)
        {
            var (kept, held) = Pixels
                .Split(
                    configuration.DataSplit.Seed,
                    configuration.DataSplit.TestShare,
                    trainImages.Images,
                    trainImages.Labels
                )
                .OrThrow(RefusedException.At(train.Path));
            testImages = trainImages with { Images = held.Item1, Labels = held.Item2 };
            trainImages = trainImages with { Images = kept.Item1, Labels = kept.Item2 };
        }
        else
        {
            testImages = Take(test, classes, scale, notes);
        }
        return new(classes.Count, names, trainImages, testImages, files)
        {
            Notes = [.. notes.Distinct()],
            Warnings = warnings,
        };
    }

    /// <summary>A half with labels that are indices of the classes' names.</summary>
    private static Half Named(Half half, IReadOnlyList<string> names, ICollection<string> notes) =>
        half with
        {
            Y = TextLabels
                .Indices([.. names], Labels(half, notes))
                .OrThrow(RefusedException.At(half.Path)),
        };

    private static LabelledImages Take(
        Half half,
        ClassCount classes,
        PixelScale scale,
        ICollection<string> notes
    ) =>
        new ImageArrays(half.X, half.Y, half.Path, half.Path, $"{half.Path}, {half.Y.Name}").Take(
            classes,
            scale,
            isTransposed: false,
            notes
        );
}
