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
    IEnumerable<IProgress<TrainingProgress>> progress,
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
        Architecture Architecture,
        RunFolder Folder,
        CheckpointStore Store,
        Cadence Cadence,
        long Iterations,
        long EpochLength,
        StoredRun? Earlier,
        WarmStart<T>? Warm
    );

    /// <summary>Runs to the end, or until it is asked to stop.</summary>
    /// <param name="data">The samples.</param>
    /// <param name="earlier">The run to resume, if any.</param>
    /// <param name="warm">The state to start from, if it does not follow from the settings.</param>
    /// <param name="stop">Ends the run; what it has learned so far is saved.</param>
    /// <param name="path">The folder of a new run; if null, a new one in Run:Directory.</param>
    /// <exception cref="RefusedException">The data or the earlier run do not fit the
    /// settings.</exception>
    public async Task<FinishedRun<T>> RunAsync(
        TrainingData<T> data,
        StoredRun? earlier,
        WarmStart<T>? warm,
        CancellationToken stop,
        string? path = null
    )
    {
        var architecture = configuration.ArchitectureFor(data);
        foreach (
            var warning in Trainer.Warnings(
                configuration.Hyperparameters,
                data.Samples.Train.Count,
                architecture
            )
        )
            logger.DataDoubtful(warning);
        earlier?.RefuseDifferences(configuration, data.Loaded.Hashes);
        using var folder = (earlier?.Path ?? path) is { } known
            ? RunFolder.Open(files, known)
            : RunFolder.Create(files, configuration, architecture, clock);
        var store = new CheckpointStore(
            files,
            folder.Checkpoints,
            configuration.Settings.Run.CheckpointsKept
        );
        var iterations = Runs.Iterations(configuration.Hyperparameters, data.Samples.Train.Count);
        var target = new Target(
            data,
            architecture,
            folder,
            store,
            CadenceOf(earlier),
            iterations,
            Batch.IterationsPerEpoch(
                data.Samples.Train.Count,
                configuration.Hyperparameters.BatchSize
            ),
            earlier,
            warm
        );
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
        var first = from?.State.Iteration ?? 0;
        if (first > target.Iterations)
            throw TooShort(first, target.Iterations);
        var record = new RunRecorder(configuration.Head);
        var writer = Prepare(target, from, record);
        using var events = EventsOf(target.Folder, first, record.LastStep);
        var result = await TrainAsync(target, from, record, writer, events, stop);
        if (result.End == LoopEnd.ResumeEarlier)
            return null;
        var results = new RunResults<T>(
            configuration,
            status,
            report,
            () => clock.GetElapsedTime(start),
            logger
        );
        return results.Save(result, target.Data, target.Folder, target.Store, writer, record);
    }

    /// <summary>Makes the folder that of a run at a position: logs, checkpoints and results of later iterations
    /// are deleted, and the settings are written.</summary>
    private CheckpointWriter<T> Prepare(Target target, RunPosition<T>? from, RunRecorder record)
    {
        var (folder, earlier) = (target.Folder, target.Earlier);
        var first = from?.State.Iteration ?? 0;
        var logs = folder.Logs.Find(first, target.EpochLength, target.Cadence, record.Observers);
        // First what would need the lines that are removed, if the process is killed in between.
        folder.DeleteResults(continues: first < target.Iterations);
        target.Store.Forget(from?.State.Iteration ?? -1);
        folder.Logs.Continue(logs);
        var writer = WriterOf(target);
        metrics.Start(from?.Trained ?? TimeSpan.Zero);
        // A warm start does not follow from the settings: a run folder that has settings needs its
        // checkpoint to be resumed.
        if (from is not null && ReferenceEquals(from.State, target.Warm?.State))
            writer.Save(from);
        folder.WriteSettings(
            configuration,
            target.Data.Loaded.Hashes,
            target.Cadence,
            earlier?.BeganWith ?? target.Warm?.Run
        );
        if (earlier is not null)
            logger.RunResumed(folder.Path, first);
        return writer;
    }

    /// <summary>Runs the loop, with checkpoints and reports. If it fails, the newest position is
    /// saved.</summary>
    private async Task<LoopResult<T>> TrainAsync(
        Target target,
        RunPosition<T>? from,
        RunRecorder record,
        CheckpointWriter<T> writer,
        EventFile? events,
        CancellationToken stop
    )
    {
        var checkpoints = new CheckpointScheduler<T>(writer, configuration.Settings.Run, clock);
        var loop = new TrainingLoop<T>(
            configuration,
            target.Architecture,
            target.Data.Samples.Scaled(),
            ObserversOf(target, record, events),
            clock,
            checkpoints
        );
        try
        {
            var result = await report.TrackAsync(
                from?.State.Iteration ?? 0,
                target.Iterations,
                () => checkpoints.DuringAsync(() => loop.RunAsync(stop, from))
            );
            events?.Saving();
            return result;
        }
        catch (Exception exception)
            when (exception is not RefusedException && loop.Reached is { } reached)
        {
            events?.Saving();
            writer.TrySave(reached);
            logger.RunBroken(reached.State.Iteration, target.Folder.Path);
            throw;
        }
    }

    private CheckpointWriter<T> WriterOf(Target target) =>
        new(
            target.Folder,
            target.Store,
            target.EpochLength,
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
            new Thinned(target.Cadence, target.EpochLength, thinned),
            // The report chooses the steps that it prints itself.
            new Thinned(new(1), target.EpochLength, report),
            .. observers,
            .. progress.Select(each => new ProgressReporter(each, target.Iterations, clock)),
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
