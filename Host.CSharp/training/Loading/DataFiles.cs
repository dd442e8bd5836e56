using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Samples of every format: a folder of IDX files, or tables and arrays.</summary>
internal static class DataFiles
{
    /// <summary>The data that the settings name.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="known">What an existing model expects; if null, it follows from the training
    /// samples.</param>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static LoadedData<T> Load<T>(RunConfiguration configuration, KnownData? known = null)
        where T : struct, IBinaryFloatingPointIeee754<T> => Parse(configuration).Encode<T>(known);

    /// <summary>Reads the files that the settings name.</summary>
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public static ParsedData Parse(RunConfiguration configuration)
    {
        var before = MemoryBudget.Used;
        var data = MemoryBudget.Guard(configuration.DataSource, () => ParseFiles(configuration));
        MemoryBudget.Release(before);
        return data;
    }

    private static ParsedData ParseFiles(RunConfiguration configuration)
    {
        var settings = configuration.Settings.Data;
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
        if (trainFile.Kind == FileKinds.Arrays)
            return ArrayFiles.Parse(configuration, trainFile, testFile, files);
        InapplicableSettings.Refuse(settings, files, DataKinds.Rows);
        var train = TableOf(trainFile, settings);
        // The test rows have the columns of the training rows.
        string[] names = [.. train.Columns.Select(column => column.Name)];
        var test = testFile is null
            ? null
            : TableFile.WithColumns(names, TableFile.Parse(testFile, settings, names), testFile);
        return new ParsedTables(configuration, train, test, [.. files.Select(file => file.Parsed)]);
    }

    /// <summary>The rows of <c>Data:Train</c> as a table, with the file for messages.</summary>
    /// <exception cref="RefusedException">The file is missing, bad or not a table; every fault is named.</exception>
    public static (DataFile File, Table Rows) ParseRows(RunConfiguration configuration)
    {
        var settings = configuration.Settings.Data;
        if (settings.Train is null)
            throw RefusedException.Of("Data:Train", "a file with a table of rows", "nothing");
        if (settings.Test is { } test)
        {
            throw RefusedException.Of(
                "Data:Test",
                "nothing, as the rows of Data:Train are tested",
                $"'{test}'"
            );
        }
        return MemoryBudget.Guard(
            settings.Train,
            () =>
            {
                var file = DataFile.Read(settings.Train, settings.MaximumBytes, "Data:Train");
                if (file.Kind == FileKinds.Arrays)
                    throw RefusedException.Of(
                        file.Path,
                        $"a table ({FileKinds.Tables})",
                        file.Kind
                    );
                InapplicableSettings.Refuse(settings, [file], DataKinds.Rows);
                return (file, TableOf(file, settings));
            }
        );
    }

    /// <summary>The training rows of a file.</summary>
    private static Table TableOf(DataFile file, DataSettings settings)
    {
        var table = TableFile.Parse(file, settings);
        return table.Columns is [var only]
            ? throw RefusedException.Of(
                file.Path,
                "columns beside the label (Data:Separator sets the separator of a .csv)",
                $"one column, {only.Name}"
            )
            : table;
    }

    /// <summary>Reads the test file only. Its rows stand for the training rows too, as nothing is learned
    /// from those.</summary>
    /// <exception cref="RefusedException">The file is missing or bad; every fault is named.</exception>
    public static ParsedData ParseTest(RunConfiguration configuration)
    {
        var settings = configuration.Settings.Data;
        var file = DataFile.Read(settings.Test!, settings.MaximumBytes, "Data:Test");
        if (file.Kind == FileKinds.Arrays)
            return ArrayFiles.Parse(configuration, file, file, [file], "test");
        var rows = TableFile.Parse(file, settings);
        return new ParsedTables(configuration, rows, rows, [file]);
    }

    private static ParsedImages Folder(string directory, int? set, long limit)
    {
        List<string> notes = [];
        var (train, test, classes, files) = IdxFolder.Load(directory, set, limit, notes);
        return new(classes.Count, null, train, test, files) { Notes = notes };
    }

    /// <summary>Refuses labels with another number of classes than the settings.</summary>
    /// <param name="set">The value of Data:Classes; null if unset.</param>
    /// <param name="found">The number of classes of the labels; 0 if numbers are predicted.</param>
    public static void RequireClasses(int? set, int found)
    {
        if (set is { } classes && classes != found)
        {
            throw RefusedException.Of(
                "Data:Classes",
                found == 0
                    ? "nothing, as numbers are predicted"
                    : $"{found}, as the labels have, or nothing",
                $"{classes}"
            );
        }
    }

    /// <summary>The paths that data are read from, whether they exist or not.</summary>
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
        RunConfiguration configuration,
        KnownData? known,
        Table train,
        Table? test,
        IReadOnlyList<DataFile> files
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var path = files[0].Path;
        string?[] notes = [];
        if (known is not null)
        {
            var names = SampleFile.ColumnsOf(known.Preprocessing);
            train = TableFile.WithColumns(names, train, files[0]);
            test = test is null ? null : TableFile.WithColumns(names, test, files[^1]);
            var chosen = configuration.Settings.Data.Label;
            notes =
            [
                TableFile.LabelNote(names, train, chosen, files[0]),
                TableFile.UnusedNote(
                    names,
                    test ?? train,
                    chosen ?? train.Columns.Last().Name,
                    files[^1]
                ),
            ];
        }
        var testRows = test is null
            ? TestRows.NewFraction(configuration.DataSplit.TestShare, configuration.DataSplit.Seed)
            : TestRows.NewSeparate(test, files[^1].Path);
        var data = (
            known is null
                ? Tables.Prepare<T>(configuration.Table, configuration.Head, testRows, path, train)
                : Tables.Prepare<T>(
                    configuration.Table,
                    known.Head,
                    EncodingOf(configuration, known, train, path),
                    known.Classes,
                    testRows,
                    path,
                    train
                )
        ).OrThrow(RefusedException.At(""));
        if (known is null)
            RequireClasses(configuration.Settings.Data.Classes, data.Classes.Length);
        else
            PixelRows.Require(known.Preprocessing, data.Test, files[^1].Path);
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
            Columns = Drift.OfTable(data.Encoding, train),
            Notes = [.. notes.OfType<string>()],
        };
    }

    /// <summary>How rows are encoded for a model, as in <c>predict</c>.</summary>
    private static TableEncoding EncodingOf(
        RunConfiguration configuration,
        KnownData known,
        Table table,
        string path
    )
    {
        var inputs = Tables.Inputs(configuration.Table, table).OrThrow(RefusedException.At(path));
        return Tables
            .EncodingOf(known.Preprocessing, configuration.Table.Cells, known.Inputs, inputs)
            .OrThrow(RefusedException.At(path));
    }

    /// <summary>Images as samples.</summary>
    /// <param name="classes">The number of classes.</param>
    /// <param name="names">Their names; if null, the numbers from 0.</param>
    /// <param name="train">The training images.</param>
    /// <param name="test">The test images.</param>
    /// <param name="files">Their files.</param>
    public static LoadedData<T> OfImages<T>(
        int classes,
        IReadOnlyList<string>? names,
        LabelledImages train,
        LabelledImages test,
        IReadOnlyList<DataFile> files
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var size = train.Images.Size;
        if (!size.Equals(test.Images.Size))
        {
            throw RefusedException.Of(
                test.Path,
                $"images of {size}, as the training images are",
                $"{test.Images.Size}"
            );
        }
        var leaked = Task.Run(() =>
            Leakage.Find(size.Count, train.Images.Pixels, test.Images.Pixels)
        );
        var testing = Task.Run(() => Dataset.OfIdx<T>(classes, test.Images, test.Labels));
        var trainData = Dataset
            .OfIdx<T>(classes, train.Images, train.Labels)
            .OrThrow(RefusedException.At(train.Path));
        return new(
            trainData,
            testing.GetAwaiter().GetResult().OrThrow(RefusedException.At(test.Path)),
            Preprocessing.NewPixels(size),
            names ?? [.. Enumerable.Range(0, classes).Select(k => $"{k}")],
            leaked.GetAwaiter().GetResult(),
            Hashes(files)
        );
    }

    /// <summary>The files' hashes by their names. If a training and a test file have the same name, their
    /// roles are put before it.</summary>
    public static IReadOnlyDictionary<string, string> Hashes(IReadOnlyList<DataFile> files)
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
