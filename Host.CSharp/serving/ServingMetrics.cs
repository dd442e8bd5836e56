using System.Diagnostics.Metrics;
using Pipeline.Learning;

namespace Pipeline.Serving;

/// <summary>Every instrument of the meter <c>Pipeline.Serving</c>.</summary>
internal sealed class ServingMetrics
{
    public const string Name = "Pipeline.Serving";

    private const string Model = "model";

    private readonly Counter<long> predictions;
    private readonly Counter<long> samples;
    private readonly Counter<long> refusals;
    private readonly Counter<long> reloads;
    private readonly Histogram<double> durations;
    private readonly Counter<long> windows;
    private readonly Gauge<int> drifted;
    private readonly Gauge<double> shift;

    public ServingMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(Name);
        predictions = meter.CreateCounter<long>(
            "pipeline.serving.predictions",
            "{request}",
            "Requests that were answered with predictions"
        );
        samples = meter.CreateCounter<long>(
            "pipeline.serving.samples",
            "{sample}",
            "Samples that were predicted"
        );
        refusals = meter.CreateCounter<long>(
            "pipeline.serving.refusals",
            "{request}",
            "Requests for predictions that were refused"
        );
        reloads = meter.CreateCounter<long>(
            "pipeline.serving.reloads",
            "{reload}",
            "Model files that were read again after a change"
        );
        durations = meter.CreateHistogram<double>(
            "pipeline.serving.duration",
            "s",
            "Time of a request for predictions, from its body to its answer"
        );
        windows = meter.CreateCounter<long>(
            "pipeline.serving.drift.windows",
            "{window}",
            "Windows of samples that were compared with training"
        );
        drifted = meter.CreateGauge<int>(
            "pipeline.serving.drift.features",
            "{feature}",
            "Features that have drifted from training in the last window"
        );
        shift = meter.CreateGauge<double>(
            "pipeline.serving.drift.shift",
            "1",
            "The greatest share of samples that have moved to other values of a feature in the last window"
        );
    }

    /// <summary>A request was answered.</summary>
    public void Predicted(string model, int count, double seconds)
    {
        var tag = new KeyValuePair<string, object?>(Model, model);
        predictions.Add(1, tag);
        samples.Add(count, tag);
        durations.Record(seconds, tag);
    }

    /// <summary>A request was refused.</summary>
    public void Refused(string model, int status) =>
        refusals.Add(1, new(Model, model), new("status", status));

    /// <summary>A file was read again.</summary>
    public void Reloaded(string model, bool isReplaced)
    {
        reloads.Add(1, new(Model, model), new("result", isReplaced ? "replaced" : "refused"));
        if (isReplaced)
            RecordDrift(model, 0, 0);
    }

    /// <summary>A window of samples was compared with training.</summary>
    public void Compared(string model, DriftReport report)
    {
        windows.Add(1, new KeyValuePair<string, object?>(Model, model));
        RecordDrift(
            model,
            report.Features.Count(feature => feature.HasDrifted),
            report.Features.Max(feature => feature.Shift)
        );
    }

    private void RecordDrift(string model, int features, double most)
    {
        var tag = new KeyValuePair<string, object?>(Model, model);
        drifted.Record(features, tag);
        shift.Record(most, tag);
    }
}
