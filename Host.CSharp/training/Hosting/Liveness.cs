namespace Pipeline.Training;

/// <summary>Whether the service is live, and whether it is ready.</summary>
internal sealed class Liveness(RunConfiguration configuration, TimeProvider clock) : IRunObserver
{
    private long last = clock.GetTimestamp();

    /// <summary>Whether data were loaded.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Since when and why the present data are refused; null if they are not.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Whether there was a step, an evaluation or a check of the data lately.</summary>
    public bool IsLive =>
        clock.GetElapsedTime(Volatile.Read(ref last)).TotalSeconds
        <= configuration.Settings.Health.StalledAfter;

    public void Ready()
    {
        IsReady = true;
        Refusal = null;
        Beat();
    }

    public void Refused(IReadOnlyList<string> reasons)
    {
        var reason = string.Concat(
            reasons[0].Select(letter => char.IsControl(letter) ? ' ' : letter)
        );
        Refusal = FormattableString.Invariant(
            $"the data have been refused since {clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}: {reason}"
        );
        Beat();
    }

    public void Beat() => Volatile.Write(ref last, clock.GetTimestamp());

    public void Stepped(in StepFigures step) => Beat();

    public void Evaluated(EpochFigures epoch) => Beat();

    public void Finished(EpochFigures kept) => Beat();
}
