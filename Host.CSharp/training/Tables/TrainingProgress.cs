using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Where a training run stands.</summary>
/// <param name="Epoch">Whole epochs so far.</param>
/// <param name="Iteration">Steps so far.</param>
/// <param name="Iterations">The steps of the whole run; early stopping may end it sooner.</param>
/// <param name="Loss">The loss of the newest mini-batch; NaN before the first step.</param>
/// <param name="Scores">The network's scores, if it has just been evaluated: after an epoch, and before the first
/// step.</param>
public sealed record TrainingProgress(
    long Epoch,
    long Iteration,
    long Iterations,
    double Loss,
    TrainingScores? Scores
);

/// <summary>How well a network does on the samples of a run.</summary>
/// <param name="Train">On the samples that it learns from.</param>
/// <param name="Validation">On those that early stopping looks at; null if there are none.</param>
/// <param name="Test">On those that only measure it. The accuracy is NaN where numbers are predicted.</param>
public sealed record TrainingScores(Score Train, Score? Validation, Score Test);

/// <summary>Reports the events of a run: every evaluation, and between them a step every half second.</summary>
internal sealed class ProgressReporter(
    IProgress<TrainingProgress> progress,
    long iterations,
    TimeProvider clock
) : IRunObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);
    private long last = clock.GetTimestamp();
    private double loss = double.NaN;

    public void Stepped(in StepFigures step)
    {
        loss = step.Loss;
        if (clock.GetElapsedTime(last) >= Interval)
            Report(new(step.Epoch, step.Iteration, iterations, loss, null));
    }

    public void Evaluated(EpochFigures epoch) =>
        Report(new(epoch.Epoch, epoch.Iteration, iterations, loss, ScoresOf(epoch)));

    public static TrainingScores ScoresOf(EpochFigures epoch) =>
        new(epoch.Train, epoch.Validation, epoch.Test);

    private void Report(TrainingProgress reached)
    {
        last = clock.GetTimestamp();
        progress.Report(reached);
    }
}
