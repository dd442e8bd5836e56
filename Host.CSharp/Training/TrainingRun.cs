using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A run that has ended: its folder and its model.</summary>
internal sealed record FinishedRun<T>(
    Outcome Outcome,
    string Folder,
    long Iteration,
    Model<T> Model
)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>One run, from its data to the files in its folder.</summary>
internal sealed class TrainingRun<T>(
    RunConfiguration configuration,
    ExitStatus status,
    ConsoleReport report,
    IEnumerable<IRunObserver> observers,
    TrainingMetrics metrics,
    IFiles files,
    TimeProvider clock,
    ILoggerFactory loggers
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly ILogger logger = loggers.CreateLogger<TrainingRun<T>>();
    private readonly long start = clock.GetTimestamp();

    /// <summary>What all attempts of a run share.</summary>
    private sealed record Target(
        TrainingData<T> Data,
        RunFolder Folder,
        CheckpointStore Store,
        Cadence Cadence,
        long Iterations,
        StoredRun? Earlier,
        WarmStart<T>? Warm
    );

    /// <summary>Runs to the end, or until it is asked to stop.</summary>
    /// <param name="data">The samples.</param>
    /// <param name="earlier">The run to resume, if any.</param>
    /// <param name="warm">The state to start from, if it does not follow from the settings.</param>
    /// <param name="stop">Ends the run; what it has learned so far is saved.</param>
    /// <exception cref="RefusedException">The data or the earlier run do not fit the
    /// settings.</exception>
    public async Task<FinishedRun<T>> RunAsync(
        TrainingData<T> data,
        StoredRun? earlier,
        WarmStart<T>? warm,
        CancellationToken stop
    )
    {
        var architecture = configuration.ArchitectureFor(data.Loaded.Train);
        earlier?.RefuseDifferences(configuration, data.Loaded.Hashes);
        using var folder = earlier is null
            ? RunFolder.Create(files, configuration, architecture, clock)
            : RunFolder.Open(files, earlier.Path);
        var store = new CheckpointStore(
            files,
            folder.Checkpoints,
            configuration.Settings.Run.CheckpointsKept
        );
        var iterations = Runs.Iterations(configuration.Hyperparameters, data.Samples.Train.Count);
        var target = new Target(data, folder, store, CadenceOf(earlier), iterations, earlier, warm);
        ReportStart(architecture, iterations);
        var points = new StartingPoints<T>(configuration, store, architecture, logger);
        foreach (var from in points.Of(data.Loaded.Hashes, earlier, warm))
        {
            if (await AttemptAsync(target, from, stop) is { } finished)
                return finished;
        }
        throw new InvalidOperationException("A run that starts at iteration 0 is never too late.");
    }

    /// <summary>Runs from one position.</summary>
    /// <returns>Null if the run has diverged and is to be resumed from an earlier position.</returns>
    private async Task<FinishedRun<T>?> AttemptAsync(
        Target target,
        RunPosition<T>? from,
        CancellationToken stop
    )
    {
        var (folder, earlier, hashes) = (target.Folder, target.Earlier, target.Data.Loaded.Hashes);
        var first = from?.State.Iteration ?? 0;
        if (first > target.Iterations)
            throw TooShort(first, target.Iterations);
        var record = new RunRecorder(configuration.Head, target.Iterations);
        var perEpoch = Batch.IterationsPerEpoch(
            target.Data.Samples.Train.Count,
            configuration.Hyperparameters.BatchSize
        );
        folder.Logs.Rewind(first, perEpoch, target.Cadence, record.Observers);
        target.Store.Forget(from?.State.Iteration ?? -1);
        folder.DeleteResults(continues: first < target.Iterations);
        var writer = WriterOf(target, perEpoch);
        metrics.Start(from?.Trained ?? TimeSpan.Zero);
        // A warm start does not follow from the settings: a run folder that has settings needs its
        // checkpoint to be resumed.
        if (from is not null && ReferenceEquals(from.State, target.Warm?.State))
            writer.Save(from);
        folder.WriteSettings(
            configuration,
            hashes,
            target.Cadence,
            earlier?.BeganWith ?? target.Warm?.Run
        );
        if (earlier is not null)
            logger.RunResumed(folder.Path, first);
        var checkpoints = new CheckpointScheduler<T>(writer, configuration.Settings.Run, clock);
        using var events = EventsOf(folder, first, record.LastStep);
        var loop = new TrainingLoop<T>(
            configuration,
            target.Data.Samples,
            ObserversOf(target, perEpoch, record, events),
            clock,
            checkpoints
        );
        LoopResult<T> result;
        try
        {
            result = await report.TrackAsync(
                first,
                target.Iterations,
                () => checkpoints.DuringAsync(() => loop.RunAsync(stop, from))
            );
        }
        catch (Exception exception)
            when (exception is not RefusedException && loop.Reached is { } reached)
        {
            events?.Saving();
            writer.TrySave(reached);
            logger.RunBroken(reached.State.Iteration, folder.Path);
            throw;
        }
        events?.Saving();
        if (result.End == LoopEnd.ResumeEarlier)
            return null;
        var results = new RunResults<T>(
            configuration,
            status,
            report,
            () => clock.GetElapsedTime(start),
            logger
        );
        return results.Save(result, target.Data, folder, target.Store, writer, record);
    }

    private CheckpointWriter<T> WriterOf(Target target, long perEpoch) =>
        new(
            target.Folder,
            target.Store,
            perEpoch,
            configuration.AffectingResultSha256,
            target.Data.Loaded.Hashes,
            metrics,
            loggers.CreateLogger<CheckpointWriter<T>>(),
            clock
        );

    private EventFile? EventsOf(RunFolder folder, long first, StepFigures? last) =>
        configuration.Settings.Run.TensorBoard
            ? new(files, folder.Path, first, last, clock, loggers.CreateLogger<EventFile>())
            : null;

    private IReadOnlyList<IRunObserver> ObserversOf(
        Target target,
        long perEpoch,
        RunRecorder record,
        EventFile? events
    )
    {
        IRunObserver[] thinned =
        [
            target.Folder.Logs,
            record.History,
            record.Curves,
            .. events is null ? (IRunObserver[])[] : [events],
        ];
        return
        [
            new Thinned(target.Cadence, perEpoch, thinned),
            // The report chooses the steps that it prints itself.
            new Thinned(new(1), perEpoch, report),
            .. observers,
        ];
    }

    /// <summary>Which iterations have a line in the run's log: a resumed run keeps its own.</summary>
    private Cadence CadenceOf(StoredRun? earlier)
    {
        var given = new Cadence(configuration.Settings.Run.ProgressEvery);
        var kept = earlier is null ? given : Cadence.Of(earlier);
        if (kept != given)
            logger.CadenceKept(earlier!.Path, $"{kept}", $"{given}");
        return kept;
    }

    private void ReportStart(Architecture architecture, long iterations)
    {
        var settings = configuration.Hyperparameters;
        logger.RunStarted(
            architecture.ToString(),
            architecture.ParameterCount,
            iterations,
            settings.BatchSize,
            settings.LearningRate,
            settings.Gradient.ToString(),
            configuration.Precision.ToString(),
            settings.Seed
        );
        if (settings.Gradient.IsNumerical)
            report.Numerical(architecture.ParameterCount, iterations);
    }

    private RefusedException TooShort(long reached, long iterations) =>
        RefusedException.Of(
            configuration.Hyperparameters.Length.IsEpochs
                ? "Training:Epochs"
                : "Training:Iterations",
            $"{reached} iterations or more, as the run has done",
            $"{iterations}"
        );
}
