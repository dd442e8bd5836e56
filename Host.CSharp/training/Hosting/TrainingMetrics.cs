using System.Diagnostics;
using System.Diagnostics.Metrics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Every instrument of the meter <c>Pipeline.Training</c>.</summary>
internal sealed class TrainingMetrics : IRunObserver
{
    public const string Name = "Pipeline.Training";

    /// <summary>Seconds of a step or a checkpoint, from tens of microseconds up.</summary>
    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries =
        [
            .. from power in (double[])[1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]
            from digit in (double[])[1, 2, 5]
            select power * digit,
        ],
    };

    private readonly Counter<long> iterations;
    private readonly Counter<long> samples;
    private readonly Histogram<double> steps;
    private readonly Gauge<double> loss;
    private readonly Gauge<double> rate;
    private readonly Gauge<double> throughput;
    private readonly Gauge<double> losses;
    private readonly Gauge<double> accuracies;
    private readonly Histogram<double> checkpoints;
    private readonly Gauge<long> checkpointSize;
    private readonly Counter<long> failures;
    private readonly Counter<long> refusals;
    private readonly Counter<long> published;
    private readonly Counter<long> rejected;
    private readonly Meter meter;
    private double seconds;
    private double secondsAtEpoch;
    private long samplesSinceEpoch;

    public TrainingMetrics(IMeterFactory factory)
    {
        meter = factory.Create(Name);
        iterations = meter.CreateCounter<long>(
            "pipeline.training.iterations",
            "{iteration}",
            "Steps done"
        );
        samples = meter.CreateCounter<long>(
            "pipeline.training.samples",
            "{sample}",
            "Training samples processed"
        );
        steps = meter.CreateHistogram(
            "pipeline.training.step.duration",
            "s",
            "Time of a step",
            advice: Durations
        );
        loss = meter.CreateGauge<double>(
            "pipeline.training.loss",
            "1",
            "Loss of the newest mini-batch"
        );
        rate = meter.CreateGauge<double>(
            "pipeline.training.learning_rate",
            "1",
            "Learning rate of the newest step"
        );
        throughput = meter.CreateGauge<double>(
            "pipeline.training.throughput",
            "{sample}/s",
            "Samples a second of training, over the last epoch"
        );
        losses = meter.CreateGauge<double>(
            "pipeline.training.evaluation.loss",
            "1",
            "Mean loss on a data set"
        );
        accuracies = meter.CreateGauge<double>(
            "pipeline.training.evaluation.accuracy",
            "1",
            "Share of the samples of a data set that are classified correctly"
        );
        checkpoints = meter.CreateHistogram(
            "pipeline.training.checkpoint.duration",
            "s",
            "Time until a checkpoint is on the disk",
            advice: Durations
        );
        checkpointSize = meter.CreateGauge<long>(
            "pipeline.training.checkpoint.size",
            "By",
            "Size of the newest checkpoint"
        );
        failures = meter.CreateCounter<long>(
            "pipeline.training.checkpoint.failures",
            "{checkpoint}",
            "Checkpoints that could not be written"
        );
        refusals = meter.CreateCounter<long>(
            "pipeline.training.data.refusals",
            "{refusal}",
            "Times that watched data were refused"
        );
        published = meter.CreateCounter<long>(
            "pipeline.training.models.published",
            "{model}",
            "Models put to use"
        );
        rejected = meter.CreateCounter<long>(
            "pipeline.training.models.rejected",
            "{model}",
            "Models rejected because the model in use was better"
        );
    }

    /// <summary>The seconds of training that a resumed run starts with.</summary>
    public void Start(TimeSpan trained)
    {
        seconds = secondsAtEpoch = trained.TotalSeconds;
        samplesSinceEpoch = 0;
    }

    public void Stepped(in StepFigures step)
    {
        iterations.Add(1);
        samples.Add(step.Samples);
        steps.Record(step.Seconds - seconds);
        loss.Record(step.Loss);
        rate.Record(step.LearningRate);
        seconds = step.Seconds;
        samplesSinceEpoch += step.Samples;
    }

    public void Evaluated(EpochFigures epoch)
    {
        Record("train", epoch.Train);
        Record("test", epoch.Test);
        if (epoch.Validation is { } score)
            Record("validation", score);
        if (epoch.Seconds > secondsAtEpoch)
            throughput.Record(samplesSinceEpoch / (epoch.Seconds - secondsAtEpoch));
        (secondsAtEpoch, samplesSinceEpoch) = (epoch.Seconds, 0);
    }

    public void CheckpointSaved(TimeSpan time, long bytes)
    {
        checkpoints.Record(time.TotalSeconds);
        checkpointSize.Record(bytes);
    }

    public void CheckpointFailed() => failures.Add(1);

    public void DataRefused() => refusals.Add(1);

    public void ModelPublished() => published.Add(1);

    public void ModelRejected() => rejected.Add(1);

    /// <summary>Observes the model in use.</summary>
    /// <param name="age">Seconds since the model was published, or null without a model.</param>
    /// <param name="figures">Its loss and accuracy; null if they are unknown.</param>
    public void ObserveModel(Func<double?> age, Func<PublicationRecord?> figures)
    {
        Observe("age", "s", "Time since the model in use was published", age);
        Observe(
            "loss",
            "1",
            "Loss of the model in use when it was published",
            () => figures()?.Loss
        );
        Observe(
            "accuracy",
            "1",
            "Accuracy of the model in use when it was published",
            () => figures()?.Accuracy
        );

        void Observe(string name, string unit, string description, Func<double?> value) =>
            meter.CreateObservableGauge(
                $"pipeline.training.model.{name}",
                () =>
                    value() is { } known
                        ? [new Measurement<double>(known)]
                        : Array.Empty<Measurement<double>>(),
                unit,
                description
            );
    }

    private void Record(string dataset, Score score)
    {
        var tag = new KeyValuePair<string, object?>("pipeline.dataset", dataset);
        losses.Record(score.Loss, tag);
        accuracies.Record(score.Accuracy, tag);
    }
}
