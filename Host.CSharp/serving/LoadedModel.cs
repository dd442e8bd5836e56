using System.Buffers;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>A model as it is in its file at some time.</summary>
internal abstract class LoadedModel(string sha256, ModelSignature signature)
{
    public string Sha256 { get; } = sha256;

    public ModelSignature Signature { get; } = signature;

    /// <summary>The names of the tensors that the model takes.</summary>
    public string[] InputNames { get; } = OpenInference.InputNamesOf(signature);

    /// <summary>The model of rows; null if it takes none.</summary>
    public abstract TableModel? Rows { get; }

    /// <summary>Counts the samples that are answered, and compares them with training; null if the file has no statistics
    /// of training.</summary>
    public abstract DriftWatch? Watch { get; }

    /// <summary>The number of multiplications for a sample, about.</summary>
    public abstract long Work { get; }

    public abstract Prediction PredictImage(ReadOnlySpan<byte> pixels);

    public abstract void PredictNumbers(ReadOnlySpan<double> inputs, Span<double> outputs);

    public abstract void PredictPixels(ReadOnlySpan<byte> pixels, Span<double> outputs);

    /// <summary>What <c>predict</c> gives for a file.</summary>
    /// <exception cref="RefusedException">The samples are bad or do not fit the model.</exception>
    public abstract Predictions Predict(
        DataFile samples,
        bool isDarkInk,
        bool isExplained,
        IReadOnlyList<string>? kept
    );

    /// <summary>Predictions of outputs that the model gave.</summary>
    public abstract Predictions PredictionsOf(IReadOnlyList<SamplePrediction> samples);

    /// <summary>The outputs for rows of a table.</summary>
    /// <exception cref="RefusedException">The rows do not fit the model.</exception>
    public abstract double[] PredictTable(Table rows);

    /// <summary>The predictions for rows of a table.</summary>
    /// <param name="rows">Values of a record or class, or dictionaries.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="RefusedException">The model takes no rows, or not these.</exception>
    public IReadOnlyList<Prediction> PredictRows<TRow>(IEnumerable<TRow> rows, string name)
    {
        var model =
            Rows
            ?? throw RefusedException.Of(name, "a model of rows of a table", $"one of {Signature}");
        var table = model.TableOf(rows);
        var predictions = model.PredictTable(table);
        Watch?.CountRows(table, predictions.Select(prediction => prediction.Outputs));
        return predictions;
    }

    /// <summary>The model of a file.</summary>
    /// <param name="path">A .safetensors or .npz file.</param>
    /// <exception cref="RefusedException">It cannot be read, is not a model, or its answers are not
    /// numbers.</exception>
    public static LoadedModel Read(string path) => Of(DataFile.Read(path, DataFile.UsualLimit));

    /// <summary>The model in the content of a file.</summary>
    /// <exception cref="RefusedException">It is not a model, or its answers are not numbers.</exception>
    public static LoadedModel Of(DataFile file)
    {
        var model = ModelFile.Of(file);
        var path = file.Path;
        // The hash was computed while the model was read.
        var sha256 = file.Hash.GetAwaiter().GetResult();
        LoadedModel loaded = model.IsDouble
            ? new LoadedModel<double>(sha256, path, model.ModelOf<double>())
            : new LoadedModel<float>(sha256, path, model.ModelOf<float>());
        loaded.WarmUp(path);
        return loaded;
    }

    /// <summary>Answers some samples of zeros, so that the code is compiled before the first request.</summary>
    private void WarmUp(string path)
    {
        var inputs = new double[Signature.Inputs];
        var outputs = new double[Signature.Outputs];
        for (var i = 0; i < 30; i++)
        {
            PredictNumbers(inputs, outputs);
            PredictPixels(new byte[Signature.Inputs], outputs);
        }
        if (!outputs.All(double.IsFinite))
            throw new RefusedException([Predictions.NotANumber(path, "a sample of zeros")]);
        Watch?.Restart();
    }
}

/// <summary>A model in single or double precision.</summary>
internal sealed class LoadedModel<T> : LoadedModel
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private static readonly DataSettings Layout = new();

    private readonly string path;
    private readonly Model<T> model;
    private readonly Predictor<T> predictor;

    /// <summary>Predictions for no samples: the names of the outputs, and what answers depend on.</summary>
    private readonly Predictions predictions;

    public LoadedModel(string sha256, string path, Model<T> model)
        : this(
            sha256,
            path,
            model,
            ModelPredictions.Of(model, []),
            model.Preprocessing.IsTable ? TableModel.Of(model, path) : null
        ) { }

    private LoadedModel(
        string sha256,
        string path,
        Model<T> model,
        Predictions predictions,
        TableModel? rows
    )
        : base(
            sha256,
            new(
                model.Network.Architecture.Inputs,
                model.Network.Architecture.Outputs,
                model.Preprocessing is Preprocessing.Pixels pixels ? pixels.size : null,
                rows?.Columns ?? [],
                predictions.AreClasses ? predictions.OutputNames : [],
                typeof(T) == typeof(double)
            )
        )
    {
        (this.path, this.model, this.predictions) = (path, model, predictions);
        (Rows, Work) = (rows, Evaluations.Multiplications(model.Network));
        predictor = new(model.Network);
        Watch = model.Statistics.OrNull() is { } statistics
            ? new(statistics, model.Preprocessing, model.Decision.OrNull())
            : null;
    }

    public override TableModel? Rows { get; }

    public override DriftWatch? Watch { get; }

    public override long Work { get; }

    public override Prediction PredictImage(ReadOnlySpan<byte> pixels)
    {
        var outputs = new double[Signature.Outputs];
        PredictPixels(pixels, outputs);
        return new(Signature.Classes, outputs, model.Decision.OrNull(), model.Conformal.OrNull());
    }

    public override void PredictNumbers(ReadOnlySpan<double> inputs, Span<double> outputs)
    {
        var memory = ArrayPool<T>.Shared.Rent(inputs.Length + outputs.Length);
        var numbers = memory.AsSpan(0, inputs.Length);
        for (var i = 0; i < inputs.Length; i++)
            numbers[i] = T.CreateTruncating(inputs[i]);
        var predicted = memory.AsSpan(inputs.Length, outputs.Length);
        predictor.Predict(numbers, predicted);
        Widen(predicted, outputs);
        ArrayPool<T>.Shared.Return(memory);
        Predictions.RequireFinite(outputs, "a sample");
        // The inputs of another model are encoded: what they were made of is not known.
        if (model.Preprocessing.IsNumbers)
            Watch?.CountNumbers(inputs, outputs);
    }

    public override void PredictPixels(ReadOnlySpan<byte> pixels, Span<double> outputs)
    {
        var memory = ArrayPool<T>.Shared.Rent(outputs.Length);
        var predicted = memory.AsSpan(0, outputs.Length);
        predictor.Predict(pixels, predicted);
        Widen(predicted, outputs);
        ArrayPool<T>.Shared.Return(memory);
        Predictions.RequireFinite(outputs, "a sample");
        if (model.Preprocessing.IsPixels)
            Watch?.CountImage(pixels, outputs);
    }

    public override Predictions Predict(
        DataFile samples,
        bool isDarkInk,
        bool isExplained,
        IReadOnlyList<string>? kept
    ) =>
        ModelPredictions.Of(
            model,
            path,
            [samples],
            Layout,
            isDarkInk: isDarkInk,
            isExplained: isExplained,
            kept: kept,
            answered: Watch is { } watch ? watch.Count : null
        );

    public override Predictions PredictionsOf(IReadOnlyList<SamplePrediction> samples) =>
        predictions with
        {
            Samples = samples,
        };

    public override double[] PredictTable(Table rows)
    {
        var encoding = ((Preprocessing.Table)model.Preprocessing).Item;
        var inputs = Tables.Encode<T>(encoding, rows).OrThrow(RefusedException.At(""));
        var samples = Dataset.OfColumns(
            Signature.Outputs,
            inputs,
            Targets<T>.NewLabels(new int[rows.Rows])
        );
        double[] outputs =
        [
            .. Network
                .Probabilities(model.Network, samples)
                .ToColumnMajorArray()
                .Select(double.CreateTruncating),
        ];
        Predictions.RequireFinite(outputs, "a sample");
        Watch?.CountRows(rows, outputs.Chunk(Signature.Outputs));
        return outputs;
    }

    private static void Widen(ReadOnlySpan<T> predicted, Span<double> outputs)
    {
        for (var k = 0; k < predicted.Length; k++)
            outputs[k] = double.CreateTruncating(predicted[k]);
    }
}
