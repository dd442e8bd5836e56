using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The record beside the model in use.</summary>
/// <param name="Run">The run that made the model; null, like the next three, if that is not known.</param>
/// <param name="Iteration">Its iteration.</param>
/// <param name="Loss">Its loss on the samples on which it was judged.</param>
/// <param name="Accuracy">Its accuracy on them; null if it predicts numbers.</param>
/// <param name="Considered">The last run whose model was published or rejected.</param>
internal sealed record PublicationRecord(
    string? Run,
    long? Iteration,
    double? Loss,
    double? Accuracy,
    string Considered
);

/// <summary>Replaces the model in use with that of a run, atomically, unless it is worse.</summary>
internal sealed class ModelPublisher(
    RunConfiguration configuration,
    IFiles files,
    TrainingMetrics metrics,
    ILogger<ModelPublisher> logger
)
{
    /// <summary>Checks at the start whether the model in use and its record can be written.</summary>
    /// <exception cref="RefusedException">The path of one is that of a folder, a pipe or a device, or leads
    /// to the other or to a data file.</exception>
    public void Check()
    {
        var model = TargetOf(configuration.PublishedModelPath).Path;
        var record = TargetOf(RecordPath).Path;
        if (model == record)
            throw Refused(configuration.PublishedModelPath, $"a link to its own record, {record}");
        foreach (var data in DataFiles.Paths(configuration.Settings.Data).Where(File.Exists))
        {
            var path = OutputTarget.Of(data).Path;
            if (path == model || path == record)
                throw Refused(
                    path == model ? configuration.PublishedModelPath : RecordPath,
                    $"a data file, {path}"
                );
        }
    }

    /// <summary>The target of a path: a file that exists or not.</summary>
    private static OutputTarget TargetOf(string path)
    {
        try
        {
            var target = OutputTarget.Of(path);
            return target.Kind is OutputKind.File or OutputKind.Missing
                ? target
                : throw Refused(path, $"a {target.Kind.ToString().ToLowerInvariant()}");
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            throw Refused(path, trouble.Message.TrimEnd('.'));
        }
    }

    private static RefusedException Refused(string path, string found) =>
        new([DataFile.Sentence(path, "a file, or a path where one can be created", found)]);

    private string RecordPath => configuration.PublicationRecordPath;

    /// <summary>The record beside the model in use, if there is one.</summary>
    public PublicationRecord? Current() => ModelHistory.RecordOf(files, RecordPath);

    private ModelHistory History =>
        new(
            files,
            TargetOf(configuration.PublishedModelPath).Path,
            TargetOf(RecordPath).Path,
            configuration.Settings.Watch.History
        );

    /// <summary>Publishes a run's model unless the model in use is better by more than the margin on the same
    /// samples: the validation samples, otherwise the test samples. Each model encodes them with its own
    /// preprocessing and classes.</summary>
    /// <param name="run">The run.</param>
    /// <param name="data">Its data.</param>
    public void Publish<T>(FinishedRun<T> run, TrainingData<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var comparison = ModelInUse() is { } used
            ? used.IsDouble
                ? Compare(run, data, used.ModelOf<double>())
                : Compare(run, data, used.ModelOf<float>())
            : null;
        var candidate = comparison?.Candidate ?? Judge(run.Model, Judging(data.Samples));
        var isBetter =
            Promotion.IsUsable(candidate.Score)
            && (comparison is not { } both || IsNotWorse(both.Used, candidate));
        if (!isBetter)
        {
            logger.ModelKept(run.Folder, Said(candidate), Said(comparison?.Used));
            metrics.ModelRejected();
            if (Current() is { } current)
                Record(current with { Considered = run.Folder });
            return;
        }
        var model = run.Model;
        var notes = model.Notes.ToDictionary(note => note.Item1, note => note.Item2);
        notes["run"] = Path.GetFileName(run.Folder);
        var published = Models.Create(
            model.Network,
            model.Preprocessing,
            model.Classes,
            notes,
            model.Decision.OrNull(),
            model.Conformal.OrNull(),
            model.Statistics.OrNull()
        );
        History.Keep();
        AtomicFile.WriteTo(
            files,
            TargetOf(configuration.PublishedModelPath),
            Safetensors.Write(published)
        );
        var (score, _) = candidate;
        Record(new(run.Folder, run.Iteration, score.Loss, score.Accuracy, run.Folder));
        logger.ModelPublished(
            run.Folder,
            configuration.PublishedModelPath,
            Said(candidate),
            Said(comparison?.Used)
        );
        metrics.ModelPublished();
    }

    /// <summary>A model's figures in a message: the metric, otherwise the accuracy or, for predicted numbers, the
    /// loss.</summary>
    private string Said(Judged? judged) =>
        judged is not { Score: var score } known ? "none"
        : configuration.Metric is { } metric
            ? FormattableString.Invariant($"{MetricText.Of(metric)} {known.Metric:G6}")
        : double.IsNaN(score.Accuracy) ? FormattableString.Invariant($"loss {score.Loss:F4}")
        : FormattableString.Invariant($"accuracy {score.Accuracy:F4}");

    private bool IsNotWorse(Judged used, Judged candidate) =>
        configuration.Metric is { } metric
            ? Evaluations.IsNotWorse(
                metric,
                configuration.Settings.Watch.Margin,
                used.Metric,
                candidate.Metric
            )
            : Promotion.ShouldReplace(
                configuration.Settings.Watch.Margin,
                used.Score,
                candidate.Score
            );

    private Judged Judge<T>(Model<T> model, Dataset<T> samples)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        new(
            Network.Evaluate(model.Network, samples),
            configuration.Metric is { } metric
                ? Evaluations.Value(
                    metric,
                    Evaluations.Create(EvaluationOptions.Default, model, samples)
                )
                : double.NaN
        );

    private void Record(PublicationRecord said) =>
        AtomicFile.WriteTo(files, TargetOf(RecordPath), JsonText.Of(said));

    /// <summary>A model's figures on the samples by which models are compared.</summary>
    /// <param name="Score">Loss and accuracy.</param>
    /// <param name="Metric">The figure of <c>Training:Metric</c>; NaN without it.</param>
    private sealed record Judged(Score Score, double Metric);

    /// <summary>The figures of two models on the same samples.</summary>
    private sealed record Comparison(Judged Candidate, Judged Used);

    /// <summary>The scores of a run's model and of the model in use on the same samples; null if the samples
    /// do not fit the model in use.</summary>
    private Comparison? Compare<T, TUsed>(
        FinishedRun<T> run,
        TrainingData<T> data,
        Model<TUsed> used
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
        where TUsed : struct, IBinaryFloatingPointIeee754<TUsed>
    {
        try
        {
            if (used.Network.Architecture.Head.IsIdentity != configuration.Head.IsIdentity)
                throw Incomparable(
                    configuration.Head.IsIdentity
                        ? ("a model that predicts numbers", "one that predicts classes")
                        : ("a model that predicts classes", "one that predicts numbers")
                );
            var theirs = ModelSamples.Of(
                configuration.PublishedModelPath,
                used,
                data.Loaded.Parsed!
            );
            // Validation samples are chosen class by class in the order of the classes, so with other classes
            // the test samples are used.
            var isTest = !theirs.Classes.SequenceEqual(data.Loaded.Classes);
            return new(
                Judge(run.Model, isTest ? data.Samples.Test : Judging(data.Samples)),
                Judge(used, isTest ? theirs.Test : Judging(configuration.Split(theirs)))
            );
        }
        catch (RefusedException refused)
        {
            logger.ModelIncomparable(
                configuration.PublishedModelPath,
                string.Join(' ', refused.Reasons)
            );
            return null;
        }
    }

    private RefusedException Incomparable((string Expected, string Found) fault) =>
        new([DataFile.Sentence(configuration.PublishedModelPath, fault.Expected, fault.Found)]);

    /// <summary>The samples by which models are compared.</summary>
    private static Dataset<T> Judging<T>(TrainingSamples<T> samples)
        where T : struct, IBinaryFloatingPointIeee754<T> => samples.Validation ?? samples.Test;

    /// <summary>The model in use, or null if no model can be read.</summary>
    private ModelFile? ModelInUse()
    {
        if (TargetOf(configuration.PublishedModelPath).Kind == OutputKind.Missing)
            return null;
        try
        {
            var content = Safetensors
                .Parse(files.Read(configuration.PublishedModelPath))
                .OrThrow(RefusedException.At(configuration.PublishedModelPath));
            var file = new ModelFile(configuration.PublishedModelPath, content);
            // Check that it is a model, too.
            if (file.IsDouble)
                file.ModelOf<double>();
            else
                file.ModelOf<float>();
            return file;
        }
        catch (RefusedException damaged)
        {
            logger.ModelUnreadable(string.Join(' ', damaged.Reasons));
            return null;
        }
    }
}
