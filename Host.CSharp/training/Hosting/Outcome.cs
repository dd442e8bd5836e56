namespace Pipeline.Training;

/// <summary>How a command ended; the number is the process's exit code.</summary>
internal enum Outcome
{
    Completed = 0,

    /// <summary>An unexpected error; for <c>check</c>, a wrong gradient.</summary>
    Failed = 1,

    /// <summary>Settings or data were refused, and nothing was written.</summary>
    Refused = 2,

    /// <summary>The loss diverged; the last good state is kept.</summary>
    Diverged = 3,

    /// <summary>Stopped by SIGHUP, as its terminal was closed; what was learned so far is saved.</summary>
    HungUp = 129,

    /// <summary>Stopped by SIGINT (Ctrl+C), what was learned so far is saved.</summary>
    Interrupted = 130,

    /// <summary>Stopped by SIGQUIT (Ctrl+\), what was learned so far is saved.</summary>
    Quit = 131,

    /// <summary>Stopped by SIGTERM, what was learned so far is saved.</summary>
    Terminated = 143,
}

/// <summary>Outcomes in sentences.</summary>
internal static class OutcomeText
{
    /// <summary>The outcome in words; files contain its name.</summary>
    public static string Of(Outcome outcome) =>
        outcome == Outcome.HungUp ? "hung up" : outcome.ToString().ToLowerInvariant();
}

/// <summary>The output of a command could not be saved.</summary>
internal sealed class UnsavedException(string reason) : Exception(reason);
