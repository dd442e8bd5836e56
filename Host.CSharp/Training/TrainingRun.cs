using System.Numerics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A run that has ended: where it left what, and its model.</summary>
internal sealed record FinishedRun<T>(
    Outcome Outcome,
    string Folder,
    long Iteration,
    Model<T> Model
)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>What a run begins with that an earlier one has learned.</summary>
/// <param name="State">The state before the first step.</param>
/// <param name="Run">The folder of the earlier run.</param>
internal sealed record WarmStart<T>(State<T> State, string Run)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>One run, from its data to what it leaves in its folder.</summary>
internal sealed class TrainingRun<T>(
    RunConfiguration plan,
    ExitStatus status,
    ConsoleReport report,
    IEnumerable<IRunObserver> observers,
    TrainingMetrics metrics,
    IFiles files,
    TimeProvider clock,
    ILogger<TrainingWorker> logger
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>So many training samples tell which units learn nothing.</summary>
    private const int Probe = 1000;

    private readonly long start = clock.GetTimestamp();

    /// <summary>Runs to the end, or until told to stop.</summary>
    /// <param name="data">The samples.</param>
    /// <param name="earlier">A run to resume, if any.</param>
    /// <param name="warm">What to begin with, if it does not follow from the settings.</param>
    /// <param name="stop">Ends the run with what was learned so far saved.</param>
    /// <exception cref="RefusedException">The data or the earlier run do not fit the
    /// settings.</exception>
    public async Task<FinishedRun<T>> RunAsync(
        LoadedData<T> data,
        EarlierRun? earlier,
        WarmStart<T>? warm,
        CancellationToken stop
    )
    {
        var architecture = plan.ArchitectureFor(data.Train);
        var (train, validation) = plan.Split(data.Train);
        string[] differences =
        [
            .. earlier?.Differences(plan) ?? [],
            .. earlier?.Differences(data.Hashes) ?? [],
        ];
        if (differences.Length > 0)
            throw new RefusedException([.. differences, .. WaysOut(earlier!)]);

        using var folder = earlier is null
            ? RunFolder.Create(files, plan, architecture, clock)
            : RunFolder.Open(files, earlier.Path);
        var store = new CheckpointStore(
            files,
            folder.Checkpoints,
            plan.Settings.Run.CheckpointsKept
        );
        var iterations = Runs.Iterations(plan.Hyperparameters, train.Count);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, plan.Hyperparameters.BatchSize);
        var cadence = CadenceOf(earlier);
        Started(architecture, iterations);

        // Where what a diverged run keeps lies before a checkpoint, one from before is taken.
        foreach (var from in From(store, architecture, data.Hashes, earlier, warm))
        {
            if (from?.State.Iteration > iterations)
                throw Shorter(from.State.Iteration, iterations);
            var (curves, history) = (new Curves(plan.Head, iterations), new RunHistory());
            var last = new LastStep();
            folder.Logs.Rewind(
                from?.State.Iteration ?? 0,
                perEpoch,
                cadence,
                [curves, history, last]
            );
            store.Forget(from?.State.Iteration ?? -1);
            folder.DeleteResults(goesOn: (from?.State.Iteration ?? 0) < iterations);
            var writer = new CheckpointWriter<T>(
                folder,
                store,
                perEpoch,
                plan.DecidingSha256,
                data.Hashes,
                metrics,
                logger,
                clock
            );
            metrics.Start(from?.Trained ?? TimeSpan.Zero);
            // It does not follow from the settings: without it, a run that has settings could not be
            // resumed.
            if (from is not null && ReferenceEquals(from.State, warm?.State))
                writer.Save(from);
            folder.WriteSettings(plan, data.Hashes, cadence, earlier?.BeganWith ?? warm?.Run);
            if (earlier is not null)
                logger.RunResumed(folder.Path, from?.State.Iteration ?? 0);
            var checkpointing = new CheckpointScheduler<T>(writer, plan.Settings.Run, clock);
            using var events = plan.Settings.Run.TensorBoard
                ? new EventFile(
                    files,
                    folder.Path,
                    from?.State.Iteration ?? 0,
                    last.Step,
                    clock,
                    logger
                )
                : null;
            IRunObserver[] asked = events is null ? [] : [events];
            var loop = new TrainingLoop<T>(
                plan,
                [
                    new Thinned(cadence, perEpoch, [folder.Logs, history, curves, .. asked]),
                    // The report decides itself which steps it prints.
                    new Thinned(new(1), perEpoch, report),
                    .. observers,
                ],
                clock,
                checkpointing
            );
            LoopResult<T> result;
            try
            {
                result = await report.TrackAsync(
                    from?.State.Iteration ?? 0,
                    iterations,
                    () =>
                        checkpointing.DuringAsync(() =>
                            loop.RunAsync(train, validation, data.Test, stop, from)
                        )
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
            if (result.End != LoopEnd.TooLate)
            {
                var model = Models.Create(
                    result.Network,
                    data.Preprocessing,
                    data.Classes,
                    Provenance.Of(plan, result.Iteration)
                );
                var outcome = Save(
                    result,
                    data,
                    model,
                    folder,
                    store,
                    writer,
                    curves,
                    history,
                    train
                );
                return new(outcome, folder.Path, result.Iteration, model);
            }
        }
        throw new InvalidOperationException("A run from its beginning is never too late.");
    }

    /// <summary>Which iterations have a line in the run's log: for a run that is resumed, those that its
    /// own settings say.</summary>
    private Cadence CadenceOf(EarlierRun? earlier)
    {
        var given = new Cadence(plan.Settings.Run.ProgressEvery);
        var kept = earlier is null ? given : Cadence.Of(earlier);
        if (kept != given)
            logger.CadenceKept(earlier!.Path, $"{kept}", $"{given}");
        return kept;
    }

    private void Started(Architecture architecture, long iterations)
    {
        var settings = plan.Hyperparameters;
        logger.RunStarted(
            architecture.ToString(),
            architecture.ParameterCount,
            iterations,
            settings.BatchSize,
            settings.LearningRate,
            settings.Gradient.ToString(),
            plan.Precision.ToString(),
            settings.Seed
        );
        if (settings.Gradient.IsNumerical)
            report.Numerical(architecture.ParameterCount, iterations);
    }

    /// <summary>How a person may go on where a run is not resumed as its settings do not fit.</summary>
    private IEnumerable<string> WaysOut(EarlierRun earlier)
    {
        if (earlier.Differences(plan).Count == 0)
            yield break;
        var free = SettingCatalog.All.Except(plan.Deciding).Select(setting => setting.Key);
        yield return $"Settings that may change as a run goes on: {string.Join(", ", free)}. For a new run with the settings given now, set Run:Resume=Never.";
    }

    /// <summary>Where to go on from: the states of the checkpoints, newest first, then the beginning.
    /// Damaged checkpoints are logged and left out.</summary>
    /// <exception cref="RefusedException">A checkpoint is whole and not for this run: of another, or of a
    /// later version; or there is none, and the beginning does not follow from the settings.</exception>
    private IEnumerable<Standing<T>?> From(
        CheckpointStore store,
        Architecture architecture,
        IReadOnlyDictionary<string, string> dataSha256,
        EarlierRun? earlier,
        WarmStart<T>? warm
    )
    {
        foreach (var checkpoint in earlier is null ? [] : store.Load(logger.CheckpointDamaged))
        {
            var (manifest, path) = (checkpoint.Manifest, checkpoint.Path);
            if (!manifest.IsOf(plan.DecidingSha256, dataSha256))
                throw new RefusedException([
                    Faults
                        .Create(
                            path,
                            "a checkpoint of this run",
                            "another's, or one of an earlier version"
                        )
                        .ToString(),
                ]);
            if (
                !Checkpoint
                    .Read<T>(plan.Hyperparameters, architecture, checkpoint.Bytes)
                    .TryGet(out var state, out var faults)
            )
                throw new RefusedException(
                    faults.Select(fault => Faults.Within(path, fault).ToString())
                );
            yield return new(state, TimeSpan.FromSeconds(manifest.TrainSeconds));
        }
        if (earlier?.BeganWith is { } run)
            throw new RefusedException([
                Faults
                    .Create(
                        store.Folder,
                        $"a whole checkpoint, as the run began with the network of {run}",
                        "none"
                    )
                    .ToString(),
            ]);
        yield return warm is null ? null : new(warm.State, TimeSpan.Zero);
    }

    /// <summary>Saves what the run came to, as much of it as the disk takes.</summary>
    private Outcome Save(
        LoopResult<T> result,
        LoadedData<T> data,
        Model<T> model,
        RunFolder folder,
        CheckpointStore store,
        CheckpointWriter<T> writer,
        Curves curves,
        RunHistory history,
        Dataset<T> train
    )
    {
        var outcome = result.End switch
        {
            LoopEnd.Finished or LoopEnd.Stalled => Outcome.Completed,
            LoopEnd.Stopped => status.Stopped,
            _ => Outcome.Diverged,
        };
        var advice = Advice(result);
        string[] findings =
        [
            .. Findings(result, history.Losses, model.Classes, train)
                .Select(finding => $"{finding}"),
            .. data.Leakage is { } leakage ? [leakage] : Array.Empty<string>(),
        ];
        var hash = Convert.ToHexStringLower(
            SHA256.HashData(Parameters.ToBytes(result.Network.Parameters))
        );
        var name = outcome.ToString().ToLowerInvariant();
        var summary = new Summary(
            Outcome: name,
            Iterations: result.ReachedIteration,
            ModelIteration: result.Iteration,
            TrainSeconds: Math.Round(result.TrainSeconds, 4),
            TotalSeconds: Math.Round(clock.GetElapsedTime(start).TotalSeconds, 4),
            FinalTrainLoss: result.Kept?.Train.Loss,
            FinalTrainAccuracy: result.Kept?.Train.Accuracy,
            FinalTestLoss: result.Kept?.Test.Loss,
            FinalTestAccuracy: result.Kept?.Test.Accuracy,
            FinalValidationLoss: result.Kept?.Validation?.Loss,
            FinalValidationAccuracy: result.Kept?.Validation?.Accuracy,
            BestTestAccuracy: history.Best?.Test.Accuracy,
            BestIteration: history.Best?.Iteration,
            ParametersSha256: hash,
            Threads: plan.Threads,
            Precision: plan.Precision.ToString(),
            Seed: plan.Hyperparameters.Seed,
            Message: advice,
            Findings: findings
        );
        List<string> troubles = [];
        // The summary is last: where it is, all else is.
        foreach (
            var save in (Action[])
                [
                    () => writer.Save(result.Standing),
                    () => folder.WriteModel(model),
                    folder.Logs.Flush,
                    () => folder.WriteCurves(curves, $"{result.Network.Architecture}"),
                    () =>
                    {
                        if (troubles.Count == 0)
                            folder.WriteSummary(summary);
                    },
                ]
        )
        {
            try
            {
                store.MakingRoom(save);
            }
            catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
            {
                troubles.Add(trouble.Message.TrimEnd('.'));
            }
        }
        if (troubles.Count > 0)
            logger.RunUnsaved(string.Join("; ", troubles.Distinct()), writer.Newest, folder.Path);
        logger.RunEnded(
            OutcomeText.Of(outcome),
            result.ReachedIteration,
            result.TrainSeconds,
            hash
        );
        report.Ended(
            outcome,
            result.ReachedIteration,
            result.Kept,
            result.TrainSeconds,
            advice,
            findings,
            folder.Path
        );
        return troubles.Count == 0 ? outcome : Outcome.Failed;
    }

    /// <summary>What a person might want to change, from the losses of the epochs and the
    /// network.</summary>
    private static IEnumerable<Finding> Findings(
        LoopResult<T> result,
        IReadOnlyList<EpochLosses> losses,
        IEnumerable<string> classes,
        Dataset<T> train
    )
    {
        if (result.End == LoopEnd.Stopped)
            return [];
        var probe = Dataset.Take([.. Enumerable.Range(0, Math.Min(Probe, train.Count))], train);
        return result.NotFinite is { } network
            ? Diagnosis.OfNumbers(result.Iteration + 1, network, probe)
            : Diagnosis.OfRun(classes, losses, result.Network, probe, train);
    }

    private string? Advice(LoopResult<T> result)
    {
        var (what, kept) = result.End switch
        {
            LoopEnd.NotFinite => (
                "the loss is no longer a finite number",
                "the last whose loss was finite"
            ),
            LoopEnd.TooHigh => (
                "the mean loss of an epoch is above ten times the first loss",
                "where that epoch began"
            ),
            _ => ("", ""),
        };
        return what.Length == 0
            ? null
            : FormattableString.Invariant(
                $"The run diverged at iteration {result.ReachedIteration}: {what}. Lower Training:LearningRate, now {plan.Hyperparameters.LearningRate}. The model of iteration {result.Iteration}, {kept}, is kept."
            );
    }

    private RefusedException Shorter(long reached, long iterations)
    {
        var key = plan.Hyperparameters.Length.IsEpochs ? "Training:Epochs" : "Training:Iterations";
        var expected = $"{reached} iterations or more, where the run stands";
        return new([Faults.Create(key, expected, $"{iterations}").ToString()]);
    }

    /// <summary>Keeps the newest step that the log has.</summary>
    private sealed class LastStep : IRunObserver
    {
        public StepFigures? Step { get; private set; }

        public void Stepped(in StepFigures step) => Step = step;

        public void Evaluated(EpochFigures epoch) { }

        public void Finished(EpochFigures kept) { }
    }
}
