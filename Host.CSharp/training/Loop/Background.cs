namespace Pipeline.Training;

/// <summary>Work beside the caller: on the thread pool, or on the caller's own scheduler if it has one.</summary>
internal static class Background
{
    /// <summary>Starts a computation.</summary>
    /// <param name="work">The computation.</param>
    /// <param name="stop">Cancels a computation that has not begun.</param>
    public static Task<TResult> Start<TResult>(
        Func<TResult> work,
        CancellationToken stop = default
    ) =>
        Task.Factory.StartNew(
            work,
            stop,
            TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Current
        );

    /// <summary>Starts work without a result.</summary>
    public static Task Start(Action work, CancellationToken stop) =>
        Start(
            () =>
            {
                work();
                return true;
            },
            stop
        );

    /// <summary>Starts work that waits in between.</summary>
    public static Task StartAsync(Func<Task> work) => Start(work).Unwrap();

    /// <summary>Cancels a token; what was registered for that is done beside the caller.</summary>
    public static Task CancelAsync(CancellationTokenSource source) =>
        Start(source.Cancel, CancellationToken.None);

    /// <summary>Returns the result, or stops waiting for it. A computation that nobody waits for any more
    /// runs to its end without effect.</summary>
    /// <exception cref="OperationCanceledException">Stopped before the result was known.</exception>
    public static Task<TResult> RunAsync<TResult>(Func<TResult> work, CancellationToken stop) =>
        Start(work, stop).WaitAsync(stop);
}
