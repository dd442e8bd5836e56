using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A trained model of a table's rows. It predicts for values of your own types, or for dictionaries.</summary>
/// <remarks>A property of a row belongs to the column of its name; letter case, spaces and punctuation do not matter
/// where no column has exactly that name. Properties that the model does not use are left out. Any number of threads
/// may use a model at once.</remarks>
public abstract class TableModel
{
    private protected TableModel(TableEncoding encoding, IReadOnlyList<string> classes)
    {
        Encoding = encoding;
        Classes = classes;
        Columns =
        [
            .. encoding.Numbers.Select(column => new TableModelColumn(column.Name, [])),
            .. encoding.Categories.Select(column => new TableModelColumn(
                column.Name,
                [.. column.Values]
            )),
        ];
        columnNames = [.. Columns.Select(column => column.Name)];
    }

    private readonly string[] columnNames;

    internal TableEncoding Encoding { get; }

    /// <summary>The columns that the model uses.</summary>
    public IReadOnlyList<TableModelColumn> Columns { get; }

    /// <summary>The classes that the model predicts; empty if it predicts a number.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The names of the network's inputs: a column's, or a column's and one of its categories.</summary>
    public IReadOnlyList<string> InputNames => [.. Encoding.Inputs];

    /// <summary>The model in a file, or that of a run.</summary>
    /// <param name="path">A <c>.safetensors</c> or <c>.npz</c> file, or a run folder.</param>
    /// <exception cref="RefusedException">The file does not exist, or is not a model of a table's rows.</exception>
    public static TableModel Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Of(ModelFile.Read(path));
    }

    /// <summary>The model in the bytes of a <c>.safetensors</c> file.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="RefusedException">The bytes are not a model of a table's rows.</exception>
    public static TableModel Parse(ReadOnlyMemory<byte> bytes) =>
        Of(new("the model", Safetensors.Parse(bytes).OrThrow(RefusedException.At("the model"))));

    private static TableModel Of(ModelFile file) =>
        file.IsDouble
            ? Of(file.ModelOf<double>(), file.Path)
            : Of(file.ModelOf<float>(), file.Path);

    internal static TableModel Of<T>(Model<T> model, string source)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        new TableModel<T>(model, EncodingOf(model, source));

    /// <summary>The encoding of rows of a model that takes them.</summary>
    /// <exception cref="RefusedException">The model takes images or plain numbers.</exception>
    internal static TableEncoding EncodingOf<T>(Model<T> model, string source)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        model.Preprocessing is Preprocessing.Table { Item: var encoding }
            ? encoding
            : throw RefusedException.Of(
                source,
                "a model of rows of a table",
                model.Preprocessing is Preprocessing.Pixels images
                    ? $"one of images of {images.size}"
                    : "one of plain numbers"
            );

    /// <summary>The prediction for one row.</summary>
    /// <param name="row">A value of a record or class with the model's columns as properties, anonymous types among
    /// them, or a dictionary from text to values.</param>
    /// <exception cref="RefusedException">A column is missing, or a value is not one that the model
    /// takes.</exception>
    public Prediction Predict(object row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return PredictAll([row])[0];
    }

    /// <summary>The predictions for several rows, in their order.</summary>
    /// <param name="rows">One row or more.</param>
    /// <exception cref="RefusedException">A column is missing, or a value is not one that the model takes; every
    /// fault is named with its row.</exception>
    public IReadOnlyList<Prediction> PredictAll<TRow>(IEnumerable<TRow> rows) =>
        PredictTable(TableOf(rows));

    /// <summary>The predictions for the rows of a table with the model's names for its columns.</summary>
    /// <exception cref="RefusedException">A column is missing, or a value is not one that the model
    /// takes.</exception>
    internal abstract IReadOnlyList<Prediction> PredictTable(Table rows);

    /// <summary>The numbers that enter the network for several rows: scaled numbers, and 0 or 1 for each category, in
    /// the order of <see cref="InputNames"/>.</summary>
    /// <param name="rows">One row or more.</param>
    /// <exception cref="RefusedException">A column is missing, or a value is not one that the model
    /// takes.</exception>
    public abstract IReadOnlyList<double[]> Encode<TRow>(IEnumerable<TRow> rows);

    /// <summary>The model as the bytes of a <c>.safetensors</c> file.</summary>
    public abstract byte[] ToBytes();

    /// <summary>Writes the model to a <c>.safetensors</c> file: the whole file, or the earlier file stays.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        AtomicFile.Write(new DiskFiles(), Path.GetFullPath(path), ToBytes());
    }

    /// <summary>Rows as a table with the model's names for its columns.</summary>
    internal Table TableOf<TRow>(IEnumerable<TRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Tables.WithNames(columnNames, Tables.OfRows(rows).OrThrow(RefusedException.At("")));
    }
}

/// <summary>A column that a model uses.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Categories">The categories that it may have; empty for a column of numbers.</param>
public sealed record TableModelColumn(string Name, IReadOnlyList<string> Categories)
{
    /// <summary>Whether the column holds numbers.</summary>
    public bool IsNumeric => Categories.Count == 0;
}

/// <summary>A model of a table's rows in single or double precision.</summary>
internal sealed class TableModel<T>(Model<T> model, TableEncoding encoding)
    : TableModel(encoding, [.. model.Classes])
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    internal override IReadOnlyList<Prediction> PredictTable(Table rows)
    {
        var samples = Tables
            .Samples<T>(Encoding, model.Network.Architecture.Outputs, rows)
            .OrThrow(RefusedException.At(""));
        var outputs = Network.Probabilities(model.Network, samples);
        return
        [
            .. Enumerable
                .Range(0, samples.Count)
                .Select(row => new Prediction(
                    Classes,
                    Outputs(outputs.Column(row), row),
                    model.Decision.OrNull(),
                    model.Conformal.OrNull()
                )),
        ];
    }

    public override IReadOnlyList<double[]> Encode<TRow>(IEnumerable<TRow> rows)
    {
        var inputs = Tables.Encode<T>(Encoding, TableOf(rows)).OrThrow(RefusedException.At(""));
        return
        [
            .. Enumerable
                .Range(0, inputs.ColumnCount)
                .Select(row => inputs.Column(row).Select(double.CreateTruncating).ToArray()),
        ];
    }

    public override byte[] ToBytes() => Safetensors.Write(model);

    private static double[] Outputs(IEnumerable<T> outputs, int row)
    {
        double[] numbers = [.. outputs.Select(double.CreateTruncating)];
        Predictions.RequireFinite(numbers, $"row {row + 1}");
        return numbers;
    }
}
