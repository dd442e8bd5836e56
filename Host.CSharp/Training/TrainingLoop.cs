using System.Diagnostics;
using System.Numerics;
using System.Runtime.ExceptionServices;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>One step, as it is logged: its loss is of its mini-batch, before its update.</summary>
internal readonly record struct StepFigures(
    long Iteration,
    long Epoch,
    int Samples,
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

    /// <summary>What the observer was told so far is about to be saved in a checkpoint.</summary>
    void Saving() { }

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

    /// <summary>Diverged, and what is to be kept lies before the state that the run went on
    /// from.</summary>
    TooLate,
}

/// <summary>What a run came to: the network to keep and the iteration it is of, the steps done (more than
/// that where the run diverged or an earlier network was better), where it would go on from, and how
/// good the network is, unless the run was stopped.</summary>
internal sealed record LoopResult<T>(
    LoopEnd End,
    Network<T> Network,
    long Iteration,
    long ReachedIteration,
    Standing<T> Standing,
    Network<T>? NotFinite,
    EpochFigures? Kept
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    public double TrainSeconds => Standing.Trained.TotalSeconds;
}

/// <summary>Steps until the run is done, stopped or diverged. It knows nothing of a host: a test runs
/// it with a token and a list of observers.</summary>
internal sealed class TrainingLoop<T>(
    RunConfiguration plan,
    IReadOnlyList<IRunObserver> observers,
    TimeProvider clock,
    ICheckpointing<T>? checkpointing = null
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>A step that takes longer is left behind when the run is told to stop; shorter ones are
    /// waited for.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    private TimeSpan trained;
    private TimeSpan step = TimeSpan.MaxValue;

    /// <summary>What an observer has thrown in the middle of the steps.</summary>
    private ExceptionDispatchInfo? thrown;

    /// <summary>Where the run stands while its loss is sound, also after an exception; null before there
    /// is a network.</summary>
    public Standing<T>? Reached { get; private set; }

    /// <param name="train">The samples to learn from.</param>
    /// <param name="validation">Those that the run is watched by, if any.</param>
    /// <param name="test">Those that only measure it.</param>
    /// <param name="stop">Ends the run after the step it is in.</param>
    /// <param name="from">Where an earlier run stood, to go on from there; else the run begins.</param>
    /// <exception cref="OperationCanceledException">The run was stopped before there was a
    /// network.</exception>
    public async Task<LoopResult<T>> RunAsync(
        Dataset<T> train,
        Dataset<T>? validation,
        Dataset<T> test,
        CancellationToken stop,
        Standing<T>? from = null
    )
    {
        var settings = plan.Hyperparameters;
        var total = Runs.Iterations(settings, train.Count);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
        var architecture = plan.ArchitectureFor(train.Features, train.Classes);
        trained = from?.Trained ?? TimeSpan.Zero;
        var state =
            from?.State
            ?? await AwaitOrAbandon(() => Trainer.Start<T>(settings, architecture), stop);
        var first = state.Iteration;
        // A disk that takes no checkpoint says so at once, and while the network is first evaluated.
        if (from is null)
            checkpointing?.Offer(new(state, trained));
        // Where the run stands while it gets anywhere, by its steps alone: what a look at validation
        // adds, it adds again when the run goes on from there.
        Reached = new(state, trained);
        // Where the newest steps began and those before them, and the end of the last sound epoch.
        var (begin, earlier) = (state, state);
        State<T>? soundEpoch = null;

        async Task<EpochFigures> EvaluateAsync(long iteration, Network<T> network)
        {
            using var span = Spans.Evaluate(iteration);
            return new(
                iteration / perEpoch,
                iteration,
                await AwaitOrAbandon(() => Network.Evaluate(network, train), stop),
                await AwaitOrAbandon(() => Network.Evaluate(network, test), stop),
                validation is null
                    ? null
                    : await AwaitOrAbandon(() => Network.Evaluate(network, validation), stop),
                trained.TotalSeconds
            );
        }

        // The state of an iteration just passed, by the steps that led there.
        Task<State<T>> AgainAsync(long iteration)
        {
            var near = begin.Iteration <= iteration ? begin : earlier;
            var count = Math.Max(0, iteration - near.Iteration);
            return AwaitOrAbandon(
                () => Runs.Advance(settings, train, count, (_, _) => true, near),
                stop
            );
        }

        LoopResult<T> Result(
            LoopEnd end,
            long iteration,
            Network<T> network,
            EpochFigures? kept = null,
            Network<T>? notFinite = null
        )
        {
            var steps = end == LoopEnd.Stopped ? iteration : state.Iteration;
            var reached = Reached with { Trained = trained };
            return new(end, network, iteration, steps, reached, notFinite, kept);
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
            return Result(end, iteration, kept, figures, notFinite);
        }

        LoopResult<T> TooLate() => Result(LoopEnd.TooLate, first, Trainer.Model(state));

        // The last network that gave a finite loss is kept; the one after it did not.
        async Task<LoopResult<T>> NotFiniteAsync(long lastFinite)
        {
            if (first > 0 && lastFinite < first)
                return TooLate();
            var kept = await AgainAsync(lastFinite);
            var next = await AwaitOrAbandon(
                () => Runs.Advance(settings, train, 1, (_, _) => true, kept),
                stop
            );
            return await EndAsync(
                LoopEnd.NotFinite,
                kept.Iteration,
                Trainer.Model(kept),
                notFinite: next.Network
            );
        }

        Activity? epoch = null;
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
                epoch ??= Spans.Epoch(state.Iteration / perEpoch);
                state = await StepsAsync(train, state, count, stop);
                if (state.Iteration % perEpoch == 0)
                {
                    epoch?.Dispose();
                    epoch = null;
                }

                var health = Trainer.Health(settings, train, state);
                if (health.IsNotFinite)
                    return await NotFiniteAsync(state.Iteration - 2);
                if (health.IsTooHigh && soundEpoch is null)
                    return TooLate();
                if (health.IsTooHigh)
                {
                    var (iteration, kept) = (soundEpoch!.Iteration, Trainer.Model(soundEpoch));
                    return await EndAsync(LoopEnd.TooHigh, iteration, kept);
                }
                Reached = new(state, trained);
                thrown?.Throw();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            var reached = Reached.State;
            return Result(LoopEnd.Stopped, reached.Iteration, Trainer.Model(reached));
        }
        finally
        {
            epoch?.Dispose();
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
                Runs.BatchSize(settings, train.Count, iteration - 1),
                loss,
                Trainer.Rate(settings, train, state.Watch, iteration - 1),
                trained.TotalSeconds
            );
            try
            {
                foreach (var observer in observers)
                    observer.Stepped(figures);
            }
            catch (Exception exception)
            {
                // The step is done: it ends here, and its state is not lost.
                thrown = ExceptionDispatchInfo.Capture(exception);
            }
            start = clock.GetTimestamp();
            return step <= Slow
                && double.IsFinite(loss)
                && thrown is null
                && !stop.IsCancellationRequested;
        }

        // Only what is getting anywhere is worth to go on from.
        bool Keeps(State<T> next)
        {
            if (
                checkpointing?.IsDue(next.Iteration) != true
                || !Trainer.Health(settings, train, next).IsSound
            )
                return false;
            foreach (var observer in observers)
                observer.Saving();
            checkpointing.Offer(new(next, trained));
            return true;
        }

        if (step <= Slow)
            return Runs.Advance(settings, train, count, Stepped, Keeps, state);
        var next = await AwaitOrAbandon(() => Trainer.Step(settings, train, state), stop);
        Stepped(next.Iteration, next.Loss);
        Keeps(next);
        return next;
    }

    /// <summary>The work's result, or an end to the waiting. What is left behind is pure: it changes
    /// nothing that anyone sees.</summary>
    private static Task<TResult> AwaitOrAbandon<TResult>(
        Func<TResult> work,
        CancellationToken stop
    ) => Task.Run(work, stop).WaitAsync(stop);
}
