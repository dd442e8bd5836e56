using System.Diagnostics;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Steps and evaluations until the run is done, stopped or diverged. It does not depend on the host:
/// a test runs it with a token and a list of observers. A loop runs once.</summary>
internal sealed class TrainingLoop<T>(
    RunConfiguration configuration,
    Architecture architecture,
    TrainingSamples<T> samples,
    IReadOnlyList<IRunObserver> observers,
    TimeProvider clock,
    ICheckpointing<T>? checkpointing = null
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly Hyperparameters settings = configuration.Hyperparameters;
    private readonly Dataset<T> train = samples.Train;
    private readonly long total = Runs.Iterations(
        configuration.Hyperparameters,
        samples.Train.Count
    );
    private readonly long perEpoch = Batch.IterationsPerEpoch(
        samples.Train.Count,
        configuration.Hyperparameters.BatchSize
    );
    private readonly StepRunner<T> steps = new(
        configuration.Hyperparameters,
        samples.Learned,
        observers,
        clock,
        checkpointing
    );

    private TrainingState<T> state = null!;
    private long first;

    /// <summary>States from which recent iterations are computed again: the newest call of the step runner
    /// and the call before it started from these, the newest epoch from the last.</summary>
    private (TrainingState<T> Newest, TrainingState<T> Before, TrainingState<T>? Epoch) known;

    private Activity? epochSpan;

    /// <summary>The newest position whose loss is sound, also after an exception; null before there is a
    /// network.</summary>
    public RunPosition<T>? Reached { get; private set; }

    /// <param name="stop">Ends the run after the current step.</param>
    /// <param name="from">The position to resume from; null for a new run.</param>
    /// <exception cref="OperationCanceledException">The run was stopped before there was a
    /// network.</exception>
    public async Task<LoopResult<T>> RunAsync(CancellationToken stop, RunPosition<T>? from = null)
    {
        await StartAsync(from, stop);
        try
        {
            while (true)
            {
                if (await EvaluateEpochAsync(stop) is { } end)
                    return end;
                stop.ThrowIfCancellationRequested();
                if (await AdvanceAsync(stop) is { } diverged)
                    return diverged;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            var reached = Reached!.State;
            return Result(LoopEnd.Stopped, reached.Iteration, Trainer.CurrentNetwork(reached)) with
            {
                ReachedIteration = reached.Iteration,
            };
        }
        finally
        {
            epochSpan?.Dispose();
        }
    }

    private async Task StartAsync(RunPosition<T>? from, CancellationToken stop)
    {
        steps.Trained = from?.Trained ?? TimeSpan.Zero;
        state =
            from?.State
            ?? await Background.RunAsync(() => Trainer.Start<T>(settings, architecture), stop);
        first = state.Iteration;
        known = (state, state, null);
        // A disk that takes no checkpoint is noticed at once, while the network is first evaluated.
        if (from is null)
            checkpointing?.Offer(new(state, steps.Trained));
        // Validation results are not part of the position: they are found again when the run is resumed.
        Reached = new(state, steps.Trained);
    }

    /// <summary>Evaluates the network between two epochs and at the end.</summary>
    /// <returns>The result if the run ends here.</returns>
    private async Task<LoopResult<T>?> EvaluateEpochAsync(CancellationToken stop)
    {
        EpochFigures? figures = null;
        if (state.Iteration % perEpoch == 0)
        {
            var model = Trainer.CurrentNetwork(state);
            figures = await EvaluateAsync(state.Iteration, model, stop);
            foreach (var observer in observers)
            {
                observer.Reached(state.Iteration, model);
                observer.Evaluated(figures);
            }
            if (figures.Validation is { } score)
            {
                var loss = configuration.Metric is { } metric
                    ? await DeficitAsync(metric, model, stop)
                    : score.Loss;
                state = Trainer.Observe(settings, loss, state);
            }
            known.Epoch = state;
        }
        var hasStalled = Trainer.HasStalled(settings, state);
        if (state.Iteration != total && !hasStalled)
            return null;
        figures ??= await EvaluateAsync(state.Iteration, Trainer.CurrentNetwork(state), stop);
        if (await RecoverAsync(Divergence.HealthAfter(figures.Train.Loss), stop) is { } diverged)
            return diverged;
        var (iteration, network) = Trainer.FinalNetwork(settings, state);
        var end = hasStalled ? LoopEnd.Stalled : LoopEnd.Finished;
        return await EndAsync(Result(end, iteration, network), figures, stop);
    }

    /// <summary>Makes steps up to the end of the epoch or of the run at most.</summary>
    /// <returns>The result if the run has diverged.</returns>
    private async Task<LoopResult<T>?> AdvanceAsync(CancellationToken stop)
    {
        known = (state, known.Newest, known.Epoch);
        var toEpochEnd = perEpoch - (state.Iteration % perEpoch);
        epochSpan ??= Spans.Epoch(state.Iteration / perEpoch);
        state = await steps.RunAsync(state, Math.Min(toEpochEnd, total - state.Iteration), stop);
        if (state.Iteration % perEpoch == 0)
        {
            epochSpan?.Dispose();
            epochSpan = null;
        }
        if (await RecoverAsync(Divergence.Health(settings, train, state), stop) is { } diverged)
            return diverged;
        Reached = new(state, steps.Trained);
        steps.ThrowIfObserverFailed();
        return null;
    }

    /// <summary>Carries out what the core decides about a run of that health.</summary>
    /// <returns>The result, unless the run continues.</returns>
    private async Task<LoopResult<T>?> RecoverAsync(RunHealth health, CancellationToken stop)
    {
        var decision = Divergence.Decide(new(first, state.Iteration, perEpoch), health);
        if (decision.IsContinue)
            return null;
        if (decision is not DivergenceDecision.Keep { iteration: var iteration })
            return Result(LoopEnd.ResumeEarlier, first, Trainer.CurrentNetwork(state));
        var kept = await StateAtAsync(iteration, stop);
        var result = Result(LoopEnd.Diverged, iteration, Trainer.CurrentNetwork(kept)) with
        {
            Divergence = new(health, state.Iteration, iteration, settings.LearningRate),
            NotFinite = health.IsTooHigh
                ? null
                : (await Background.RunAsync(() => Again(kept, 1), stop)).Network,
        };
        return await EndAsync(result, null, stop);
    }

    /// <summary>The state of a recent iteration, computed again from a known one.</summary>
    private Task<TrainingState<T>> StateAtAsync(long iteration, CancellationToken stop)
    {
        TrainingState<T>?[] states = [known.Newest, known.Before, known.Epoch];
        var nearest = states
            .OfType<TrainingState<T>>()
            .Where(state => state.Iteration <= iteration)
            .MaxBy(state => state.Iteration)!;
        return Background.RunAsync(() => Again(nearest, iteration - nearest.Iteration), stop);
    }

    private TrainingState<T> Again(TrainingState<T> from, long count) =>
        Runs.Advance(settings, samples.Learned, count, (_, _) => true, from);

    private async Task<EpochFigures> EvaluateAsync(
        long iteration,
        Network<T> network,
        CancellationToken stop
    )
    {
        using var span = Spans.Evaluate(iteration);
        Task<Score> ScoreAsync(Dataset<T> data) =>
            Background.RunAsync(() => Network.Evaluate(network, data), stop);
        return new(
            iteration / perEpoch,
            iteration,
            await ScoreAsync(train),
            await ScoreAsync(samples.Test),
            samples.Validation is null ? null : await ScoreAsync(samples.Validation),
            steps.Trained.TotalSeconds
        );
    }

    /// <summary>How far the validation samples' figure is from the best.</summary>
    private async Task<double> DeficitAsync(
        Metric metric,
        Network<T> network,
        CancellationToken stop
    )
    {
        var evaluation = await Background.RunAsync(
            () => Evaluations.Create(EvaluationOptions.Default, network, samples.Validation!),
            stop
        );
        return Evaluations.Deficit(metric, Evaluations.Value(metric, evaluation));
    }

    private LoopResult<T> Result(LoopEnd end, long iteration, Network<T> network) =>
        new(end, network, iteration, state.Iteration, Reached! with { Trained = steps.Trained });

    /// <summary>Tells the observers the figures of the network to keep.</summary>
    /// <param name="result">The result so far.</param>
    /// <param name="newest">The newest figures, if they are known.</param>
    /// <param name="stop">Ends the evaluation.</param>
    private async Task<LoopResult<T>> EndAsync(
        LoopResult<T> result,
        EpochFigures? newest,
        CancellationToken stop
    )
    {
        var figures =
            newest?.Iteration == result.Iteration
                ? newest
                : await EvaluateAsync(result.Iteration, result.Network, stop);
        foreach (var observer in observers)
            observer.Finished(figures);
        return result with { Kept = figures };
    }
}
