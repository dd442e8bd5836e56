using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The figures of a run that its results are made of, also those of a resumed run's log.</summary>
internal sealed class RunRecorder(Head head, long iterations)
{
    private readonly LastStepKeeper last = new();

    public Curves Curves { get; } = new(head, iterations);

    public RunHistory History { get; } = new();

    /// <summary>The last step of the log that the run was resumed with.</summary>
    public StepFigures? LastStep => last.Step;

    /// <summary>Those that the lines of a resumed run's log are reported to.</summary>
    public IReadOnlyList<IRunObserver> Observers => [Curves, History, last];

    private sealed class LastStepKeeper : IRunObserver
    {
        public StepFigures? Step { get; private set; }

        public void Stepped(in StepFigures step) => Step = step;
    }
}
