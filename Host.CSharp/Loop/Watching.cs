using System.Numerics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Trains, publishes the model, and waits for other data to do so again.</summary>
internal sealed class Watching<T>(
    RunPlan plan,
    DataLoader loader,
    DataWatch watch,
    Publisher publisher,
    IFiles files,
    IServiceProvider services,
    ILogger<TrainingWorker> logger
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The data of the last run whose model was published or turned down.</summary>
    private IReadOnlyDictionary<string, string>? done;

    /// <summary>Goes on until told to stop, or until something cannot be saved.</summary>
    /// <exception cref="RefusedException">The settings do not fit the run to go on with, or no run folder
    /// can be made.</exception>
    public async Task<Outcome> RunAsync(CancellationToken stop)
    {
        var earlier = Earlier();
        while (true)
        {
            await watch.ChangedAsync(stop);
            if (await LoadAsync(stop) is { } data)
            {
                if (earlier?.Differences(data.Hashes).Count > 0)
                    earlier = null;
                if (done is null || !DataHashes.AreSame(done, data.Hashes))
                {
                    var outcome = await RunOnceAsync(data, earlier, stop);
                    if (outcome is not (Outcome.Completed or Outcome.Diverged))
                        return outcome;
                    (done, earlier) = (data.Hashes, null);
                }
            }
            logger.Waiting(plan.DataSource);
        }
    }

    /// <summary>The data, or null where they are refused.</summary>
    private async Task<LoadedData<T>?> LoadAsync(CancellationToken stop)
    {
        try
        {
            var data = await loader.LoadAsync<T>(stop);
            plan.ArchitectureFor(data.Train);
            plan.Split(data.Train);
            return data;
        }
        catch (RefusedException refused)
        {
            // Perhaps a file that is still being copied; the next ones may be better.
            foreach (var reason in refused.Reasons)
                logger.DataRefused(reason);
            return null;
        }
    }

    /// <summary>What was left undone when the service last ended: a run, or the publication of its
    /// model.</summary>
    private EarlierRun? Earlier()
    {
        var earlier = plan.EarlierRun();
        if (earlier?.Differences(plan) is { Count: > 0 } differences)
            throw new RefusedException(differences);
        var newest = EarlierRun.Newest(plan.Settings.Run.Directory);
        if (newest is null || newest.Differences(plan).Count > 0)
            return earlier;
        if (publisher.Current()?.Considered == newest.Path)
            done = newest.DataSha256;
        else if (plan.IsResumedByItself)
            earlier ??= newest;
        return earlier;
    }

    private async Task<Outcome> RunOnceAsync(
        LoadedData<T> data,
        EarlierRun? earlier,
        CancellationToken stop
    )
    {
        var first = earlier is null ? WarmStart(data) : null;
        var run = await services
            .GetRequiredService<TrainingRun<T>>()
            .RunAsync(data, earlier, first, stop);
        if (run.Outcome == Outcome.Completed)
            publisher.Publish(run, plan.Split(data.Train).Validation ?? data.Test);
        return run.Outcome;
    }

    /// <summary>The state to begin with: what the run of the model in use has learned, where the
    /// settings ask for that and it can be had.</summary>
    private State<T>? WarmStart(LoadedData<T> data)
    {
        if (!plan.Settings.Watch.WarmStart || publisher.Current() is not { } used)
            return null;
        var faults = new List<string>();
        var store = new CheckpointStore(files, RunFolder.CheckpointsOf(used.Run), keep: 1);
        var architecture = plan.ArchitectureFor(data.Train.Features, data.Train.Classes);
        try
        {
            foreach (var checkpoint in store.Load(faults.Add))
            {
                if (
                    Checkpoint
                        .Read<T>(plan.Hyperparameters, architecture, checkpoint.Bytes)
                        .TryGet(out var state, out var found)
                )
                {
                    logger.WarmStarted(used.Run);
                    return Trainer.StartFrom(plan.Hyperparameters, state);
                }
                faults.AddRange(found.Select(fault => fault.ToString()));
            }
        }
        catch (RefusedException later)
        {
            faults.AddRange(later.Reasons);
        }
        logger.ColdStarted(used.Run, string.Join(' ', faults.DefaultIfEmpty("No checkpoint.")));
        return null;
    }
}
