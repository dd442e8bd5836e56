using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>One step, as it is logged: its loss is of its mini-batch, before its update.</summary>
internal readonly record struct StepFigures(
    long Iteration,
    long Epoch,
    double Loss,
    double LearningRate,
    double Seconds
);

/// <summary>The network's score after some whole epochs; seconds of training alone.</summary>
internal sealed record EpochFigures(
    long Epoch,
    long Iteration,
    Score Train,
    Score Test,
    Score? Validation,
    double Seconds
);

/// <summary>Someone who is told how a run goes.</summary>
internal interface IRunObserver
{
    void Stepped(in StepFigures step);

    /// <summary>An epoch has ended, or the run is about to begin.</summary>
    void Evaluated(EpochFigures epoch);

    /// <summary>The network of that moment: to look at, not to keep.</summary>
    void Reached<T>(long iteration, Network<T> network)
        where T : struct, IBinaryFloatingPointIeee754<T> { }

    /// <summary>The state that the run keeps, once it is done or has diverged.</summary>
    void Finished(EpochFigures kept);
}

/// <summary>How the loop ended.</summary>
internal enum LoopEnd
{
    Finished,
    Stalled,
    Stopped,
    NotFinite,
    TooHigh,
}

/// <summary>What a run came to: the network to keep and the iteration it is of, the steps done (more than
/// that where the run diverged or an earlier network was better), and how good the network is, unless
/// the run was stopped.</summary>
internal sealed record LoopResult<T>(
    LoopEnd End,
    Network<T> Network,
    long Iteration,
    long ReachedIteration,
    Network<T>? NotFinite,
    EpochFigures? Kept,
    double TrainSeconds
)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Steps until the run is done, stopped or diverged. It knows nothing of a host: a test runs
/// it with a token and a list of observers.</summary>
internal sealed class TrainingLoop<T>(
    RunPlan plan,
    IReadOnlyList<IRunObserver> observers,
    TimeProvider clock
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>A step that takes longer is left behind when the run is told to stop; shorter ones are
    /// waited for.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    private TimeSpan trained;
    private TimeSpan step = TimeSpan.MaxValue;

    /// <exception cref="OperationCanceledException">The run was stopped before there was a
    /// network.</exception>
    public async Task<LoopResult<T>> RunAsync(
        Dataset<T> train,
        Dataset<T>? validation,
        Dataset<T> test,
        CancellationToken stop
    )
    {
        var settings = plan.Hyperparameters;
        var total = Runs.Iterations(settings, train.Count);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
        var architecture = plan.ArchitectureFor(train.Features, train.Classes);
        var state = await Leavable(() => Trainer.Start<T>(settings, architecture), stop);
        // Where the newest steps began and those before them, and the end of the last sound epoch.
        var (begin, earlier, soundEpoch) = (state, state, state);

        async Task<EpochFigures> EvaluateAsync(long iteration, Network<T> network) =>
            new(
                iteration / perEpoch,
                iteration,
                await Leavable(() => Network.Evaluate(network, train), stop),
                await Leavable(() => Network.Evaluate(network, test), stop),
                validation is null
                    ? null
                    : await Leavable(() => Network.Evaluate(network, validation), stop),
                trained.TotalSeconds
            );

        // The state of an iteration just passed, by the steps that led there.
        State<T> Again(long iteration)
        {
            var from = begin.Iteration <= iteration ? begin : earlier;
            var count = Math.Max(0, iteration - from.Iteration);
            return Runs.Advance(settings, train, count, (_, _) => true, from);
        }

        async Task<LoopResult<T>> EndAsync(
            LoopEnd end,
            long iteration,
            Network<T> kept,
            EpochFigures? known = null,
            Network<T>? notFinite = null
        )
        {
            var figures =
                known?.Iteration == iteration ? known : await EvaluateAsync(iteration, kept);
            foreach (var observer in observers)
                observer.Finished(figures);
            return new(
                end,
                kept,
                iteration,
                state.Iteration,
                notFinite,
                figures,
                trained.TotalSeconds
            );
        }

        // The last network that gave a finite loss is kept; the one after it did not.
        Task<LoopResult<T>> NotFiniteAsync(long lastFinite)
        {
            var kept = Again(lastFinite);
            var next = Runs.Advance(settings, train, 1, (_, _) => true, kept);
            return EndAsync(
                LoopEnd.NotFinite,
                kept.Iteration,
                Trainer.Model(kept),
                notFinite: next.Network
            );
        }

        try
        {
            while (true)
            {
                EpochFigures? figures = null;
                if (state.Iteration % perEpoch == 0)
                {
                    var model = Trainer.Model(state);
                    figures = await EvaluateAsync(state.Iteration, model);
                    foreach (var observer in observers)
                    {
                        observer.Reached(state.Iteration, model);
                        observer.Evaluated(figures);
                    }
                    if (figures.Validation is { } score)
                        state = Trainer.Observe(settings, score.Loss, state);
                    soundEpoch = state;
                }
                var hasStalled = Trainer.HasStalled(settings, state);
                if (state.Iteration == total || hasStalled)
                {
                    figures ??= await EvaluateAsync(state.Iteration, Trainer.Model(state));
                    if (!double.IsFinite(figures.Train.Loss))
                        return await NotFiniteAsync(state.Iteration - 1);
                    var (iteration, network) = Trainer.Outcome(settings, state);
                    var end = hasStalled ? LoopEnd.Stalled : LoopEnd.Finished;
                    return await EndAsync(end, iteration, network, figures);
                }

                stop.ThrowIfCancellationRequested();
                (earlier, begin) = (begin, state);
                var toEpochEnd = perEpoch - (state.Iteration % perEpoch);
                var count = Math.Min(toEpochEnd, total - state.Iteration);
                state = await StepsAsync(train, state, count, stop);

                var health = Trainer.Health(settings, train, state);
                if (health.IsNotFinite)
                    return await NotFiniteAsync(state.Iteration - 2);
                if (health.IsTooHigh)
                {
                    var (iteration, kept) = (soundEpoch.Iteration, Trainer.Model(soundEpoch));
                    return await EndAsync(LoopEnd.TooHigh, iteration, kept);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new(
                LoopEnd.Stopped,
                Trainer.Model(state),
                state.Iteration,
                state.Iteration,
                null,
                null,
                trained.TotalSeconds
            );
        }
    }

    /// <summary>So many steps, or fewer where the run is told to stop or the loss is not
    /// finite.</summary>
    private async Task<State<T>> StepsAsync(
        Dataset<T> train,
        State<T> state,
        long count,
        CancellationToken stop
    )
    {
        var settings = plan.Hyperparameters;
        var perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
        var start = clock.GetTimestamp();

        bool Stepped(long iteration, double loss)
        {
            step = clock.GetElapsedTime(start);
            trained += step;
            var figures = new StepFigures(
                iteration,
                (iteration - 1) / perEpoch,
                loss,
                Trainer.Rate(settings, train, state.Watch, iteration - 1),
                trained.TotalSeconds
            );
            foreach (var observer in observers)
                observer.Stepped(figures);
            start = clock.GetTimestamp();
            return step <= Slow && double.IsFinite(loss) && !stop.IsCancellationRequested;
        }

        if (step <= Slow)
            return Runs.Advance(settings, train, count, Stepped, state);
        var next = await Leavable(() => Trainer.Step(settings, train, state), stop);
        Stepped(next.Iteration, next.Loss);
        return next;
    }

    /// <summary>The work's result, or an end to the waiting. What is left behind is pure: it changes
    /// nothing that anyone sees.</summary>
    private static Task<TResult> Leavable<TResult>(Func<TResult> work, CancellationToken stop) =>
        Task.Run(work, stop).WaitAsync(stop);
}
