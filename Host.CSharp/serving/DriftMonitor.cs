using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>Looks once a second whether windows of samples have ended, and reports drift when it begins and when it
/// ends.</summary>
internal sealed class DriftMonitor(
    ServedModels models,
    ServingMetrics metrics,
    IOptions<ServingOptions> options,
    TimeProvider clock,
    ILogger<DriftMonitor> logger
) : PeriodicService(clock)
{
    private readonly Lock looking = new();

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var model in models.All.Where(model => model.Current.Watch is null))
            logger.DriftUnwatched(model.Name);
        return base.ExecuteAsync(stoppingToken);
    }

    protected override void Act() => Look();

    /// <summary>Compares the windows that have ended.</summary>
    public void Look()
    {
        lock (looking)
        {
            foreach (var model in models.All)
                Look(model.Name, model.Current.Watch);
        }
    }

    private void Look(string name, DriftWatch? watch)
    {
        var wasDrifted = watch?.Last?.Report.Most.IsSome == true;
        if (watch?.Look(options.Value.DriftWindow, Clock.GetUtcNow()) is not { Report: var report })
            return;
        metrics.Compared(name, report);
        if (report.Most.OrNull() is { } most)
        {
            if (!wasDrifted)
                logger.DriftBegan(name, DriftState.Sentence(most, report.Samples));
        }
        else if (wasDrifted)
            logger.DriftEnded(name, report.Samples);
    }
}
