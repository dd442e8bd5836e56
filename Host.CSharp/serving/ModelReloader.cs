using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Serving;

/// <summary>Looks at the models' files once a second.</summary>
internal sealed class ModelReloader(
    ServedModels models,
    ServingMetrics metrics,
    TimeProvider clock,
    ILogger<ModelReloader> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Look();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    /// <summary>Reads the models anew whose files have changed.</summary>
    public void Look()
    {
        foreach (var model in models.All)
        {
            var reload = model.Refresh();
            if (reload == Reload.Unchanged)
                continue;
            metrics.Reloaded(model.Name, reload == Reload.Replaced);
            if (reload == Reload.Replaced)
            {
                logger.ModelReplaced(model.Name, model.Sha256);
                if (model.Current.Watch is null)
                    logger.DriftUnwatched(model.Name);
            }
            else
                logger.ModelStays(model.Name, model.Sha256, model.Fault!);
        }
    }
}
