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
    double Seconds
);

/// <summary>Someone who is told how a run goes.</summary>
internal interface IRunObserver
{
    void Stepped(in StepFigures step);

    /// <summary>An epoch has ended, or the run is about to begin.</summary>
    void Evaluated(EpochFigures epoch);

    /// <summary>The state that the run keeps, once it is done or has diverged.</summary>
    void Finished(EpochFigures kept);
}

/// <summary>How the loop ended.</summary>
internal enum LoopEnd
{
    Finished,
    Stopped,
    NotFinite,
    TooHigh,
}

/// <summary>What a run came to: the state to keep, the steps done (more than the kept state's where the
/// run diverged), and how good the state is, unless the run was stopped.</summary>
internal sealed record LoopResult<T>(
    LoopEnd End,
    State<T> State,
    long ReachedIteration,
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
        Dataset<T> test,
        CancellationToken stop
    )
    {
        var settings = plan.Hyperparameters;
        var total = Runs.Iterations(settings, train.Count);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
        var architecture = plan.ArchitectureFor(train.Features);
        var state = await Leavable(() => Trainer.Start<T>(settings, architecture), stop);
        // Where the newest steps began and those before them, and the end of the last sound epoch.
        var (begin, earlier, soundEpoch) = (state, state, state);

        async Task<EpochFigures> EvaluateAsync(State<T> at) =>
            new(
                at.Iteration / perEpoch,
                at.Iteration,
                await Leavable(() => Network.Evaluate(Trainer.Model(at), train), stop),
                await Leavable(() => Network.Evaluate(Trainer.Model(at), test), stop),
                trained.TotalSeconds
            );

        // The state of an iteration just passed, by the steps that led there.
        State<T> Again(long iteration)
        {
            var from = begin.Iteration <= iteration ? begin : earlier;
            var count = Math.Max(0, iteration - from.Iteration);
            return Runs.Advance(settings, train, count, (_, _) => true, from);
        }

        async Task<LoopResult<T>> EndAsync(LoopEnd end, State<T> kept, EpochFigures? known)
        {
            var figures = known ?? await EvaluateAsync(kept);
            foreach (var observer in observers)
                observer.Finished(figures);
            return new(end, kept, state.Iteration, figures, trained.TotalSeconds);
        }

        try
        {
            while (true)
            {
                EpochFigures? figures = null;
                if (state.Iteration % perEpoch == 0)
                {
                    figures = await EvaluateAsync(state);
                    foreach (var observer in observers)
                        observer.Evaluated(figures);
                    soundEpoch = state;
                }
                if (state.Iteration == total)
                {
                    figures ??= await EvaluateAsync(state);
                    return double.IsFinite(figures.Train.Loss)
                        ? await EndAsync(LoopEnd.Finished, state, figures)
                        : await EndAsync(LoopEnd.NotFinite, Again(state.Iteration - 1), null);
                }

                stop.ThrowIfCancellationRequested();
                (earlier, begin) = (begin, state);
                var toEpochEnd = perEpoch - (state.Iteration % perEpoch);
                var count = Math.Min(toEpochEnd, total - state.Iteration);
                state = await StepsAsync(train, state, count, stop);

                var health = Trainer.Health(settings, train, state);
                if (health.IsNotFinite)
                {
                    // The last parameters that gave a finite loss.
                    return await EndAsync(LoopEnd.NotFinite, Again(state.Iteration - 2), null);
                }
                if (health.IsTooHigh)
                    return await EndAsync(LoopEnd.TooHigh, soundEpoch, null);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new(LoopEnd.Stopped, state, state.Iteration, null, trained.TotalSeconds);
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
                Trainer.Rate(settings, train, iteration - 1),
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
