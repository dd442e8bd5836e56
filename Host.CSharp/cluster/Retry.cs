using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>Calls that are repeated until they succeed: members and the store come and go.</summary>
internal sealed class Retry(TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Whether the last call that was logged failed.</summary>
    private int isTroubled;

    /// <summary>Repeats a call until it succeeds.</summary>
    /// <param name="call">The call.</param>
    /// <param name="end">Ends the attempts.</param>
    /// <exception cref="OperationCanceledException">The attempts were ended.</exception>
    public async Task<TResult> UntilDoneAsync<TResult>(
        Func<Task<TResult>> call,
        CancellationToken end
    )
    {
        while (true)
        {
            try
            {
                var result = await call().WaitAsync(end);
                if (Interlocked.Exchange(ref isTroubled, 0) == 1)
                    logger.ClusterAnswersAgain();
                return result;
            }
            catch (Exception trouble) when (trouble is not (ArgumentException or RefusedException))
            {
                end.ThrowIfCancellationRequested();
                if (Interlocked.Exchange(ref isTroubled, 1) == 0)
                    logger.ClusterTroubled(trouble.Message.Split('\n')[0]);
                await Task.Delay(Pause, clock, end);
            }
        }
    }

    /// <summary>Repeats a call until it succeeds.</summary>
    public Task UntilDoneAsync(Func<Task> call, CancellationToken end) =>
        UntilDoneAsync(
            async () =>
            {
                await call();
                return true;
            },
            end
        );
}
