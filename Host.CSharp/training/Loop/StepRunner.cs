using System.Numerics;
using System.Runtime.ExceptionServices;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Makes the steps of a run, reports each of them, offers states for checkpoints and measures the
/// time of training.</summary>
internal sealed class StepRunner<T>(
    Hyperparameters settings,
    Dataset<T> train,
    IReadOnlyList<IRunObserver> observers,
    TimeProvider clock,
    ICheckpointing<T>? checkpointing
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>A step that takes longer is abandoned when the run is asked to stop; shorter ones are
    /// finished first.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    private readonly long perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
    private TimeSpan step = TimeSpan.MaxValue;
    private ExceptionDispatchInfo? thrown;

    /// <summary>The time of training so far.</summary>
    public TimeSpan Trained { get; set; }

    /// <summary>Makes several steps: fewer if the run is asked to stop, the loss is not finite or an observer
    /// fails.</summary>
    /// <param name="state">The state to start from.</param>
    /// <param name="count">How many steps at most.</param>
    /// <param name="stop">Ends the steps.</param>
    /// <returns>The state after the last step.</returns>
    public async Task<TrainingState<T>> RunAsync(
        TrainingState<T> state,
        long count,
        CancellationToken stop
    )
    {
        var start = clock.GetTimestamp();

        bool ShouldContinue(long iteration, double loss)
        {
            step = clock.GetElapsedTime(start);
            Trained += step;
            Report(iteration, loss, state);
            start = clock.GetTimestamp();
            return step <= Slow
                && double.IsFinite(loss)
                && thrown is null
                && !stop.IsCancellationRequested;
        }

        if (step <= Slow)
            return Runs.Advance(settings, train, count, ShouldContinue, Keeps, state);
        var next = await Background.RunAsync(() => Trainer.Step(settings, train, state), stop);
        ShouldContinue(next.Iteration, next.Loss);
        Keeps(next);
        return next;
    }

    /// <summary>Throws what an observer has thrown during a step.</summary>
    public void ThrowIfObserverFailed() => thrown?.Throw();

    private void Report(long iteration, double loss, TrainingState<T> state)
    {
        var figures = new StepFigures(
            iteration,
            (iteration - 1) / perEpoch,
            Runs.BatchSize(settings, train.Count, iteration - 1),
            loss,
            Trainer.Rate(settings, train, state.Validation, iteration - 1),
            Trained.TotalSeconds
        );
        try
        {
            foreach (var observer in observers)
                observer.Stepped(figures);
        }
        catch (Exception exception)
        {
            // The step is done. The steps end here, so that its state is not lost.
            thrown = ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Whether a state is kept for a checkpoint: only a sound one can be resumed.</summary>
    private bool Keeps(TrainingState<T> next)
    {
        if (
            checkpointing?.IsDue(next.Iteration) != true
            || !Divergence.Health(settings, train, next).IsHealthy
        )
            return false;
        foreach (var observer in observers)
            observer.Saving();
        checkpointing.Offer(new(next, Trained));
        return true;
    }
}
