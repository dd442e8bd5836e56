using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pipeline.Learning.Interop;

namespace Pipeline.Serving;

/// <summary>Looks once a second whether windows of samples have ended, and reports drift when it begins and when it
/// ends.</summary>
internal sealed class DriftMonitor(
    ServedModels models,
    ServingMetrics metrics,
    IOptions<ServingOptions> options,
    TimeProvider clock,
    ILogger<DriftMonitor> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock looking = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var model in models.All.Where(model => model.Current.Watch is null))
            logger.DriftUnwatched(model.Name);
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Look();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

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
        if (watch?.Look(options.Value.DriftWindow, clock.GetUtcNow()) is not { Report: var report })
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
