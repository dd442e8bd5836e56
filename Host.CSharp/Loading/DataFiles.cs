using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Training and test samples, and what goes with them.</summary>
/// <param name="Train">The samples to learn from.</param>
/// <param name="Test">The samples to test with.</param>
/// <param name="Preprocessing">How they were turned into the network's inputs.</param>
/// <param name="Classes">The classes' names; none where numbers are to be predicted.</param>
/// <param name="Leaked">Places of test samples that stand among the training samples too.</param>
/// <param name="Hashes">The SHA-256 of each file's content.</param>
/// <param name="Report">What was made of a table's columns.</param>
internal sealed record LoadedData<T>(
    Dataset<T> Train,
    Dataset<T> Test,
    Preprocessing Preprocessing,
    IReadOnlyList<string> Classes,
    int[] Leaked,
    IReadOnlyDictionary<string, string> Hashes,
    TableReport? Report = null
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>What the samples were made of, where they are to be made again for another model.</summary>
    public ParsedData? Parsed { get; init; }

    /// <summary>What was assumed of the files, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What may be a mistake in the data, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } =
        Report is null ? [] : [.. Report.Warnings];

    /// <summary>A sentence for people, where test samples have leaked.</summary>
    public string? Leakage =>
        Leaked.Length == 0
            ? null
            : FormattableString.Invariant(
                $"Leakage: {Leaked.Length} of {Test.Count} test samples are among the training samples too, so figures on the test set are too good."
            );
}

/// <summary>What a network was trained on, as its model tells.</summary>
/// <param name="Preprocessing">How a sample is turned into the network's inputs.</param>
/// <param name="Classes">The classes' names; none where it does not tell.</param>
/// <param name="Head">The network's head.</param>
/// <param name="Inputs">How many numbers the network takes.</param>
internal sealed record KnownData(
    Preprocessing Preprocessing,
    IReadOnlyList<string> Classes,
    Head Head,
    int Inputs
);

/// <summary>Rows or images that have been read from files, before they are samples.</summary>
internal abstract class ParsedData
{
    /// <summary>The samples, as a network takes them.</summary>
    /// <param name="known">What a model that is there already takes; else it follows from the training
    /// samples.</param>
    /// <exception cref="RefusedException">They make no samples, or none of this kind.</exception>
    public abstract LoadedData<T> Encode<T>(KnownData? known = null)
        where T : struct, IBinaryFloatingPointIeee754<T>;

    /// <summary>What was assumed of the files, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What may be a mistake in them, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>Rows of tables.</summary>
internal sealed class ParsedTables(
    RunConfiguration plan,
    Table train,
    Table? test,
    IReadOnlyList<DataFile> files
) : ParsedData
{
    public override LoadedData<T> Encode<T>(KnownData? known = null)
    {
        var data = MemoryBudget.Guard(
            files[0].Path,
            () => DataFiles.OfTables<T>(plan, known, train, test, files)
        );
        return data with { Notes = [.. Notes, .. data.Notes] };
    }
}

/// <summary>Images with their labels.</summary>
/// <param name="classes">How many classes there are.</param>
/// <param name="names">Their names; numbers from 0 unless there are any.</param>
/// <param name="train">The training images.</param>
/// <param name="test">The test images.</param>
/// <param name="files">The files they are from.</param>
internal sealed class ParsedImages(
    int classes,
    IReadOnlyList<string>? names,
    LabelledImages train,
    LabelledImages test,
    IReadOnlyList<DataFile> files
) : ParsedData
{
    public override LoadedData<T> Encode<T>(KnownData? known = null) =>
        MemoryBudget.Guard(train.Path, () => known is null ? Training<T>() : Samples<T>(known)) with
        {
            Notes = Notes,
        };

    /// <summary>The samples to train a network of their own with.</summary>
    private LoadedData<T> Training<T>()
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var data = Samples<T>(null);
        ClassCheck
            .RequireSeveral([.. data.Classes], train.Labels)
            .OrThrow(RefusedException.At(train.LabelsPath));
        return data with
        {
            Warnings =
            [
                .. Warnings,
                .. ClassCheck.Untrained([.. data.Classes], data.Train, data.Test),
            ],
        };
    }

    private LoadedData<T> Samples<T>(KnownData? known)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        names is null || known is null or { Classes.Count: 0 }
            ? DataFiles.OfImages<T>(classes, names, train, test, files)
            : DataFiles.OfImages<T>(
                known.Classes.Count,
                known.Classes,
                Renamed(train, known),
                Renamed(test, known),
                files
            );

    /// <summary>The images with the places of their labels among a model's classes.</summary>
    private LabelledImages Renamed(LabelledImages images, KnownData known)
    {
        string[] own = [.. known.Classes];
        int[] places = [.. names!.Select(name => Array.IndexOf(own, name))];
        var labels = images.Labels.Select(label => places[label]).ToArray();
        return Array.IndexOf(labels, -1) is var wrong and >= 0
            ? throw new RefusedException([
                DataFile.Sentence(
                    $"{images.Path}, label {wrong}",
                    $"one of {string.Join(", ", known.Classes.Take(20))}",
                    $"'{names![images.Labels[wrong]]}'"
                ),
            ])
            : images with
            {
                Labels = labels,
            };
    }
}

/// <summary>Samples of every format: a folder of IDX files, or tables and arrays.</summary>
internal static class DataFiles
{
    /// <summary>As the plan's settings say.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="known">What a model that is there already takes; else it follows from the training
    /// samples.</param>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static LoadedData<T> Load<T>(RunConfiguration plan, KnownData? known = null)
        where T : struct, IBinaryFloatingPointIeee754<T> => Parse(plan).Encode<T>(known);

    /// <summary>Reads the files that the plan's settings name.</summary>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static ParsedData Parse(RunConfiguration plan) =>
        MemoryBudget.Guard(plan.DataSource, () => ParseFiles(plan));

    private static ParsedData ParseFiles(RunConfiguration plan)
    {
        var settings = plan.Settings.Data;
        if (settings.Train is null)
        {
            InapplicableSettings.Refuse(settings, [], DataKinds.Folder);
            return Folder(settings.Directory, settings.Classes, settings.MaximumBytes);
        }
        var trainFile = DataFile.Read(settings.Train, settings.MaximumBytes, "Data:Train");
        var testFile = settings.Test is { } path
            ? DataFile.Read(path, settings.MaximumBytes, "Data:Test")
            : null;
        DataFile[] files = testFile is null ? [trainFile] : [trainFile, testFile];
        if (trainFile.Kind == ".npz")
            return ArrayFiles.Parse(plan, trainFile, testFile, files);
        InapplicableSettings.Refuse(settings, files, DataKinds.Rows);
        var train = TableFile.Parse(trainFile, settings);
        if (train.Columns is [var only])
        {
            throw new RefusedException([
                DataFile.Sentence(
                    trainFile.Path,
                    "columns beside the label (Data:Separator says what separates those of a .csv)",
                    $"one column, {only.Name}"
                ),
            ]);
        }
        // The test rows have the columns of the training rows.
        string[] names = [.. train.Columns.Select(column => column.Name)];
        var test = testFile is null
            ? null
            : TableFile.WithColumns(names, TableFile.Parse(testFile, settings, names), testFile);
        return new ParsedTables(plan, train, test, [.. files.Select(file => file.Parsed)]);
    }

    /// <summary>Reads the test file alone: its rows are the training rows as well, of which nothing is
    /// learned.</summary>
    /// <exception cref="RefusedException">The file is missing or bad; every fault is named.</exception>
    public static ParsedData ParseTest(RunConfiguration plan)
    {
        var settings = plan.Settings.Data;
        var file = DataFile.Read(settings.Test!, settings.MaximumBytes, "Data:Test");
        if (file.Kind == ".npz")
            return ArrayFiles.Parse(plan, file, file, [file], "test");
        var rows = TableFile.Parse(file, settings);
        return new ParsedTables(plan, rows, rows, [file]);
    }

    private static ParsedImages Folder(string directory, int? set, long limit)
    {
        List<string> notes = [];
        var (train, test, classes, files) = IdxFolder.Load(directory, set, limit, notes);
        return new(classes.Count, null, train, test, files) { Notes = notes };
    }

    /// <summary>Refuses labels that have other classes than settings say.</summary>
    /// <param name="set">What Data:Classes is set to, if it is.</param>
    /// <param name="found">How many classes the labels have; 0: numbers are predicted.</param>
    public static void RequireClasses(int? set, int found)
    {
        if (set is { } classes && classes != found)
        {
            throw new RefusedException([
                DataFile.Sentence(
                    "Data:Classes",
                    found == 0
                        ? "nothing, as numbers are predicted"
                        : $"{found}, as the labels have, or nothing",
                    $"{classes}"
                ),
            ]);
        }
    }

    /// <summary>The files that data are read from, whether there or not.</summary>
    public static IEnumerable<string> Paths(DataSettings settings) =>
        settings.Train is null ? IdxFolder.Paths(settings.Directory)
        : settings.Test is null ? [settings.Train]
        : [settings.Train, settings.Test];

    /// <summary>A folder of images in IDX files.</summary>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static LoadedData<T> LoadFolder<T>(
        string directory,
        int classes,
        long limit = DataFile.UsualLimit
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        return Folder(directory, classes, limit).Encode<T>();
    }

    /// <summary>Rows of tables as samples.</summary>
    public static LoadedData<T> OfTables<T>(
        RunConfiguration plan,
        KnownData? known,
        Table train,
        Table? test,
        IReadOnlyList<DataFile> files
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var path = files[0].Path;
        string? unused = null;
        if (known is not null)
        {
            var names = SampleFile.ColumnsOf(known.Preprocessing);
            train = TableFile.WithColumns(names, train, files[0]);
            test = test is null ? null : TableFile.WithColumns(names, test, files[^1]);
            var label = plan.Settings.Data.Label ?? (test ?? train).Columns.Last().Name;
            unused = TableFile.UnusedNote(names, test ?? train, label, files[^1]);
        }
        var rows = test is null
            ? TestRows.NewShare(plan.DataSplit.TestShare, plan.DataSplit.Seed)
            : TestRows.NewSeparate(test, files[^1].Path);
        var data = (
            known is null
                ? Tables.Prepare<T>(plan.Table, plan.Head, rows, path, train)
                : Tables.Prepare<T>(
                    plan.Table,
                    known.Head,
                    EncodingOf(plan, known, train, path),
                    known.Classes,
                    rows,
                    path,
                    train
                )
        ).OrThrow(RefusedException.At(""));
        if (known is null)
            RequireClasses(plan.Settings.Data.Classes, data.Classes.Length);
        return new(
            data.Train,
            data.Test,
            Preprocessing.NewTable(data.Encoding),
            [.. data.Classes],
            data.Leaked,
            Hashes(files),
            data.Report
        )
        {
            Notes = unused is null ? [] : [unused],
        };
    }

    /// <summary>How rows become samples of a model: as <c>predict</c> makes them.</summary>
    private static TableEncoding EncodingOf(
        RunConfiguration plan,
        KnownData known,
        Table table,
        string path
    )
    {
        var inputs = Tables.Inputs(plan.Table, table).OrThrow(RefusedException.At(path));
        return Tables
            .EncodingOf(known.Preprocessing, plan.Table.Cells, known.Inputs, inputs)
            .OrThrow(RefusedException.At(path));
    }

    /// <summary>Images as samples.</summary>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="names">Their names; numbers from 0 unless there are any.</param>
    /// <param name="train">The training images.</param>
    /// <param name="test">The test images.</param>
    /// <param name="files">The files they are from.</param>
    public static LoadedData<T> OfImages<T>(
        int classes,
        IReadOnlyList<string>? names,
        LabelledImages train,
        LabelledImages test,
        IReadOnlyList<DataFile> files
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (Size(train.Images) != Size(test.Images))
        {
            var expected = $"images of {Size(train.Images)} pixels, as the training images are";
            throw new RefusedException([DataFile.Sentence(test.Path, expected, Size(test.Images))]);
        }
        var leaked = Task.Run(() =>
            Leakage.Find(
                train.Images.Rows * train.Images.Columns,
                train.Images.Pixels,
                test.Images.Pixels
            )
        );
        var testing = Task.Run(() => Dataset.OfIdx<T>(classes, test.Images, test.Labels));
        var trainData = Dataset
            .OfIdx<T>(classes, train.Images, train.Labels)
            .OrThrow(RefusedException.At(train.Path));
        return new(
            trainData,
            testing.GetAwaiter().GetResult().OrThrow(RefusedException.At(test.Path)),
            Preprocessing.NewPixels(train.Images.Rows, train.Images.Columns),
            names ?? [.. Enumerable.Range(0, classes).Select(k => $"{k}")],
            leaked.GetAwaiter().GetResult(),
            Hashes(files)
        );
    }

    private static string Size(IdxImages images) => $"{images.Rows} × {images.Columns}";

    /// <summary>The files' hashes by their names: a training and a test file that share one have their
    /// role before it.</summary>
    private static IReadOnlyDictionary<string, string> Hashes(IReadOnlyList<DataFile> files)
    {
        var areNamedApart = files.DistinctBy(file => file.Name).Count() == files.Count;
        return files
            .Select((file, i) => (Role: i == 0 ? "train" : "test", File: file))
            .ToDictionary(
                named => areNamedApart ? named.File.Name : $"{named.Role}/{named.File.Name}",
                named => named.File.Hash.GetAwaiter().GetResult()
            );
    }
}
