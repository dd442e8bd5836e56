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

    void Evaluated(EpochFigures epoch);
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
    Score? Train,
    Score? Test,
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
    private double trainSeconds;

    public async Task<LoopResult<T>> RunAsync(
        Dataset<T> train,
        Dataset<T> test,
        CancellationToken stop
    )
    {
        var settings = plan.Hyperparameters;
        var total = Runs.Iterations(settings, train.Count);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
        var state = Trainer.Start<T>(settings, plan.ArchitectureFor(train.Features));
        // The newest state whose parameters gave a finite loss.
        var sound = state;

        while (true)
        {
            var endsEpoch = state.Iteration % perEpoch == 0;
            var scores =
                endsEpoch || state.Iteration == total
                    ? (
                        Train: Network.Evaluate(state.Network, train),
                        Test: Network.Evaluate(state.Network, test)
                    )
                    : default;
            if (endsEpoch)
            {
                var epoch = state.Iteration / perEpoch;
                var figures = new EpochFigures(
                    epoch,
                    state.Iteration,
                    scores.Train,
                    scores.Test,
                    trainSeconds
                );
                Tell(observer => observer.Evaluated(figures));
            }
            if (state.Iteration == total)
                return new(
                    LoopEnd.Finished,
                    state,
                    state.Iteration,
                    scores.Train,
                    scores.Test,
                    trainSeconds
                );

            var next = await StepAsync(train, state, stop);
            if (next is null)
                return new(LoopEnd.Stopped, state, state.Iteration, null, null, trainSeconds);

            TellStep(next, perEpoch);
            var health = Trainer.Health(settings, train, next);
            if (health.IsSound)
            {
                (sound, state) = (state, next);
                continue;
            }
            var kept = health.IsNotFinite ? sound : next;
            return new(
                health.IsNotFinite ? LoopEnd.NotFinite : LoopEnd.TooHigh,
                kept,
                next.Iteration,
                Network.Evaluate(kept.Network, train),
                Network.Evaluate(kept.Network, test),
                trainSeconds
            );
        }
    }

    /// <summary>The next state, or null once the run is to stop.</summary>
    private async ValueTask<State<T>?> StepAsync(
        Dataset<T> train,
        State<T> state,
        CancellationToken stop
    )
    {
        if (stop.IsCancellationRequested)
            return null;
        var start = clock.GetTimestamp();
        var settings = plan.Hyperparameters;
        try
        {
            // A numerical step takes many seconds. A step changes nothing, so one under way can
            // simply be left behind.
            return settings.Gradient.IsNumerical
                ? await Task.Run(() => Trainer.Step(settings, train, state), stop).WaitAsync(stop)
                : Trainer.Step(settings, train, state);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            trainSeconds += clock.GetElapsedTime(start).TotalSeconds;
        }
    }

    private void TellStep(State<T> state, int perEpoch)
    {
        var step = new StepFigures(
            state.Iteration,
            (state.Iteration - 1) / perEpoch,
            state.Loss,
            plan.Hyperparameters.LearningRate,
            trainSeconds
        );
        foreach (var observer in observers)
            observer.Stepped(step);
    }

    private void Tell(Action<IRunObserver> news)
    {
        foreach (var observer in observers)
            news(observer);
    }
}
