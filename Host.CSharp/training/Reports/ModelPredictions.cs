using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The predictions of a model for files of samples.</summary>
internal static class ModelPredictions
{
    /// <param name="model">The model.</param>
    /// <param name="path">What messages call it.</param>
    /// <param name="files">Images or rows.</param>
    /// <param name="settings">How tables are laid out.</param>
    /// <param name="cells">How cells are written, if not as in training.</param>
    /// <param name="isDarkInk">For PNG: whether images have dark ink on light paper.</param>
    /// <param name="kept">Columns of a table that the predictions keep.</param>
    /// <param name="isExplained">Whether each answer is explained by the columns of its row.</param>
    /// <param name="answered">Gets the samples of each file with the outputs for them.</param>
    /// <exception cref="RefusedException">A file is bad or does not fit the model, or a prediction is not a
    /// number.</exception>
    public static Predictions Of<T>(
        Model<T> model,
        string path,
        IEnumerable<DataFile> files,
        DataSettings settings,
        CellRules? cells = null,
        bool isDarkInk = false,
        bool isExplained = false,
        IReadOnlyList<string>? kept = null,
        Action<NamedSamples<T>, IEnumerable<double[]>>? answered = null
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var encoding = isExplained ? TableModel.EncodingOf(model, "--explain") : null;
        var predictions = new List<SamplePrediction>();
        var notes = new List<string>();
        foreach (var file in files)
        {
            var samples = SampleFile.Parse(file, model, isDarkInk, settings, cells, kept);
            notes.AddRange(samples.Notes);
            var outputs = Network.Probabilities(model.Network, samples.Data);
            var wrong = samples
                .Names.Where((_, sample) => !outputs.Column(sample).All(T.IsFinite))
                .FirstOrDefault();
            if (wrong is not null)
                throw new RefusedException([Predictions.NotANumber(path, wrong)]);
            SamplePrediction[] own =
            [
                .. samples.Names.Select(
                    (name, sample) =>
                    {
                        double[] numbers =
                        [
                            .. outputs.Column(sample).Select(double.CreateTruncating),
                        ];
                        return new SamplePrediction(name, numbers)
                        {
                            Kept = [.. samples.Kept.Select(one => (one.Name, one.Texts[sample]))],
                            Explanation = encoding is not null
                                ? Evaluations.Attribution(
                                    AreClasses(model)
                                        ? Decisions.Answer(model.Decision.OrNull(), numbers)
                                        : 0,
                                    encoding,
                                    model.Network,
                                    Dataset.Take([sample], samples.Data).Inputs.Column(0)
                                )
                                : null,
                        };
                    }
                ),
            ];
            predictions.AddRange(own);
            answered?.Invoke(samples, own.Select(prediction => prediction.Outputs));
        }
        return Of(model, predictions) with { Notes = notes };
    }

    /// <summary>The predictions that a model's outputs for samples are.</summary>
    public static Predictions Of<T>(Model<T> model, IReadOnlyList<SamplePrediction> samples)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var outputs = Enumerable.Range(0, model.Network.Architecture.Outputs);
        return new([.. outputs.Select(k => Model.ClassName(model, k))], AreClasses(model), samples)
        {
            Decision = model.Decision.OrNull(),
            Conformal = model.Conformal.OrNull(),
        };
    }

    /// <summary>The columns of a list; null without one. Each is kept once.</summary>
    public static string[]? Columns(string? list) =>
        list
            ?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Distinct()
            .ToArray();

    /// <summary>Whether a model's outputs are classes, not numbers to predict.</summary>
    public static bool AreClasses<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        !model.Network.Architecture.Head.IsIdentity || !model.Classes.IsEmpty;
}
