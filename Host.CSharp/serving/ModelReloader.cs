using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>Looks at the models' files once a second.</summary>
internal sealed class ModelReloader(
    ServedModels models,
    ServingMetrics metrics,
    TimeProvider clock,
    ILogger<ModelReloader> logger
) : PeriodicService(clock)
{
    protected override void Act() => Look();

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
