namespace Pipeline.Training;

/// <summary>Pure computations on the thread pool.</summary>
internal static class Background
{
    /// <summary>Returns the result, or stops waiting for it. A computation that nobody waits for any more
    /// runs to its end without effect.</summary>
    /// <exception cref="OperationCanceledException">Stopped before the result was known.</exception>
    public static Task<TResult> RunAsync<TResult>(Func<TResult> work, CancellationToken stop) =>
        Task.Run(work, stop).WaitAsync(stop);
}
