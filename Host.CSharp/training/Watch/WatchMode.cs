using System.Numerics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Watch mode: trains, publishes the model, waits until the data change, and starts again.</summary>
internal sealed class WatchMode<T>(
    RunConfiguration configuration,
    DataLoader loader,
    DataFileWatcher watch,
    ModelPublisher publisher,
    Resumption resumption,
    RunResumer resumer,
    RunRetention retention,
    Liveness liveness,
    TrainingMetrics metrics,
    TimeProvider clock,
    IFiles files,
    IServiceProvider services,
    ILogger<WatchMode<T>> logger
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The data that need no further run: those of the last run whose model was published or
    /// rejected, or that diverged.</summary>
    private readonly List<IReadOnlyDictionary<string, string>> done = [];

    /// <summary>Runs until it is asked to stop, or until results cannot be saved.</summary>
    /// <exception cref="RefusedException">The settings do not fit the run to resume, the run folder cannot be
    /// created, or the model in use cannot be written.</exception>
    public async Task<Outcome> RunAsync(CancellationToken stop)
    {
        publisher.Check();
        CheckNamedRun();
        metrics.ObserveModel(AgeOfModel, publisher.Current);
        var left = Left();
        while (true)
        {
            await watch.ChangedAsync(stop);
            if (await LoadAsync(stop) is { } data)
            {
                var run = left is { } once ? await ResumeAsync(once, data, stop) : null;
                left = null;
                if (
                    run is null
                    && !done.Any(hashes => DataHashes.AreSame(hashes, data.Loaded.Hashes))
                )
                    run = await RunOnceAsync(configuration, data, null, stop);
                if (run is not null)
                {
                    if (run.Outcome is not (Outcome.Completed or Outcome.Diverged))
                        return run.Outcome;
                    done.Clear();
                    done.Add(data.Loaded.Hashes);
                    retention.Apply();
                }
            }
            logger.Waiting(configuration.DataSource);
        }
    }

    /// <exception cref="RefusedException">The settings name a run to resume and do not fit it.</exception>
    private void CheckNamedRun()
    {
        if (resumption.IsAutomatic)
            return;
        foreach (var (run, runConfiguration) in resumption.Runs)
        {
            if (run.Differences(runConfiguration) is { Count: > 0 } differences)
                throw new RefusedException(differences);
        }
    }

    /// <summary>The data; null if they are refused.</summary>
    private async Task<TrainingData<T>?> LoadAsync(CancellationToken stop)
    {
        try
        {
            var data = await loader.LoadAsync<T>(stop);
            configuration.ArchitectureFor(data);
            return data;
        }
        catch (RefusedException refused)
        {
            // A file may still be being copied; the next check may succeed.
            foreach (var reason in refused.Reasons)
                logger.DataRefused(reason);
            metrics.DataRefused();
            liveness.Refused(refused.Reasons);
            return null;
        }
    }

    /// <summary>This service's newest finished run, if its model was neither published nor rejected because
    /// the service was killed. Also records which data need no further run.</summary>
    private Unpublished Left()
    {
        var considered = publisher.Current()?.Considered;
        if (considered is not null && OfThisService(considered) is { } last)
            done.Add(last.DataSha256);
        // Other services may have runs in the same directory.
        var newest = StoredRun
            .Folders(configuration.Settings.Run.Directory)
            .Where(path => StoredRun.FinishedAs(path) is not null)
            .Select(OfThisService)
            .FirstOrDefault(run => run is not null);
        if (newest is null || newest.Path == considered)
            return new(null);
        if (StoredRun.FinishedAs(newest.Path) == Outcome.Completed)
            return new(resumption.IsAutomatic ? newest : null);
        logger.DivergedBefore(newest.Path);
        done.Add(newest.DataSha256);
        return new(null);
    }

    /// <summary>Seconds since the model in use was written; null if there is no model.</summary>
    private double? AgeOfModel() =>
        files.StampOf(configuration.PublishedModelPath) is { } stamp
            ? (clock.GetUtcNow() - stamp.Time).TotalSeconds
            : null;

    /// <summary>A finished run whose model is still to be published, from before the service was last
    /// ended.</summary>
    private sealed record Unpublished(StoredRun? Run);

    /// <summary>Resumes an unfinished run; otherwise publishes the model of a run that the service
    /// had finished.</summary>
    private async Task<FinishedRun<T>?> ResumeAsync(
        Unpublished left,
        TrainingData<T> data,
        CancellationToken stop
    )
    {
        var resumed = await resumer.FirstAsync(
            resumption.Runs,
            run => RunOnceAsync(run.Configuration, data, run.Run, stop)
        );
        return resumed is null && left.Run?.Differences(data.Loaded.Hashes).Count == 0
            ? await RunOnceAsync(configuration, data, left.Run, stop)
            : resumed;
    }

    /// <summary>The run of a folder, if it has this service's settings.</summary>
    private StoredRun? OfThisService(string path)
    {
        try
        {
            var run = StoredRun.Read(path);
            return run.Differences(configuration).Count == 0 ? run : null;
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    private async Task<FinishedRun<T>> RunOnceAsync(
        RunConfiguration runConfiguration,
        TrainingData<T> data,
        StoredRun? earlier,
        CancellationToken stop
    )
    {
        var warm = earlier is null ? WarmStart(data) : null;
        var run = await ActivatorUtilities
            .CreateInstance<TrainingRun<T>>(services, runConfiguration)
            .RunAsync(data, earlier, warm, stop);
        if (run.Outcome == Outcome.Completed)
            publisher.Publish(run, data);
        return run;
    }

    /// <summary>The state to start from: that of the run of the model in use, if the settings ask for that
    /// and it can be read.</summary>
    private WarmStart<T>? WarmStart(TrainingData<T> data)
    {
        if (!configuration.Settings.Watch.WarmStart || publisher.Current() is not { Run: { } run })
            return null;
        var faults = new List<string>();
        var store = new CheckpointStore(files, RunFolder.CheckpointsOf(run), keep: 1);
        var architecture = configuration.ArchitectureFor(data);
        try
        {
            foreach (var checkpoint in store.Load(faults.Add))
            {
                if (
                    Checkpoint
                        .Read<T>(configuration.Hyperparameters, architecture, checkpoint.Bytes)
                        .TryGet(out var state, out var found)
                )
                {
                    logger.WarmStarted(run);
                    return new(
                        Trainer.StartFrom(configuration.Hyperparameters, architecture, state),
                        run
                    );
                }
                faults.AddRange(found.Select(fault => fault.ToString()));
            }
        }
        catch (RefusedException later)
        {
            faults.AddRange(later.Reasons);
        }
        logger.ColdStarted(run, string.Join(' ', faults.DefaultIfEmpty("No checkpoint.")));
        return null;
    }
}
