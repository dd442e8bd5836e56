using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Collects the figures for a run's results, including those in the log of a resumed run.</summary>
internal sealed class RunRecorder(Head head)
{
    private readonly LastStepKeeper last = new();

    public Curves Curves { get; } = new(head);

    public RunHistory History { get; } = new();

    /// <summary>The last step of the log that the run was resumed with.</summary>
    public StepFigures? LastStep => last.Step;

    /// <summary>The observers that get the lines of a resumed run's log.</summary>
    public IReadOnlyList<IRunObserver> Observers => [Curves, History, last];

    private sealed class LastStepKeeper : IRunObserver
    {
        public StepFigures? Step { get; private set; }

        public void Stepped(in StepFigures step) => Step = step;
    }
}
