namespace Pipeline.Training;

/// <summary>The exit status of the process.</summary>
internal sealed class ExitStatus
{
    /// <summary>The outcome of the worker; null if the process was stopped before the worker
    /// started.</summary>
    public Outcome? Decided { get; set; }

    /// <summary>The outcome of a run that was stopped, which depends on the signal.</summary>
    public Outcome Stopped { get; private set; } = Outcome.Interrupted;

    /// <summary>Whether the process was asked to stop.</summary>
    public bool IsStopped { get; private set; }

    public void Stop(Outcome outcome) => (Stopped, IsStopped) = (outcome, true);

    public int Code => (int)(Decided ?? Stopped);
}
