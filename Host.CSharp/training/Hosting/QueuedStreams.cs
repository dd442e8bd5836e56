namespace Pipeline.Training;

/// <summary>Standard output and standard error behind queues, until this is disposed.</summary>
internal sealed class QueuedStreams : IDisposable
{
    private readonly (TextWriter Output, TextWriter Errors) before = (Console.Out, Console.Error);
    private readonly QueuedWriter output;
    private readonly QueuedWriter errors;

    public QueuedStreams(QueuedWriter output, QueuedWriter errors)
    {
        (this.output, this.errors) = (output, errors);
        Console.SetOut(output);
        Console.SetError(errors);
    }

    /// <summary>The longest wait at the end for a reader that does not read: long after a run that has ended
    /// by itself, short after one that was asked to stop.</summary>
    public TimeSpan Patience { get; set; } = Timeout.InfiniteTimeSpan;

    public void Dispose()
    {
        Console.SetOut(before.Output);
        Console.SetError(before.Errors);
        output.Finish(Patience);
        errors.Finish(Patience);
    }
}
