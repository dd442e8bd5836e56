using System.Threading.RateLimiting;

namespace Pipeline.Serving;

/// <summary>Lets as many long requests compute at once as there are processors; some more wait, others are refused.
/// Short requests do not pass through it, as the change of threads would cost more than their work.</summary>
internal sealed class WorkLimiter : IDisposable
{
    /// <summary>The most long requests that wait.</summary>
    public const int MostWaiting = 64;

    /// <summary>How long one waits: where requests take longer than the usual milliseconds, fewer of them wait.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>How long a request waits for its refusal where too many wait: clients that ask again at once would otherwise
    /// take the processors from those that are answered.</summary>
    private static readonly TimeSpan RefusalDelay = TimeSpan.FromSeconds(0.5);

    /// <summary>The bytes of a body times the multiplications for a sample from which on a request is long: about a millisecond
    /// of work.</summary>
    private const long LongWork = 300_000_000;

    /// <summary>The bytes of a body from which on a request is long whatever the model is, so that the memory of all bodies
    /// is bounded.</summary>
    private const long LongBody = 64 << 10;

    private readonly ConcurrencyLimiter limiter = new(
        new()
        {
            PermitLimit = Environment.ProcessorCount,
            QueueLimit = MostWaiting,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }
    );

    /// <summary>Whether a request is long: one of an unknown length is.</summary>
    public static bool IsLong(long? bytes, LoadedModel model) =>
        bytes is not { } length || length > Math.Min(LongBody, LongWork / Math.Max(1, model.Work));

    /// <summary>Waits for a processor.</summary>
    /// <returns>The permit to compute, which must be disposed of; not acquired if too many requests wait.</returns>
    public ValueTask<RateLimitLease> AcquireAsync(CancellationToken cancellation) =>
        limiter.AcquireAsync(1, cancellation);

    /// <summary>Waits for a processor, but no longer than <see cref="LongestWait"/>.</summary>
    /// <returns>The permit to compute, which must be disposed of; null if too many requests wait, or for too long.</returns>
    public async ValueTask<RateLimitLease?> TryAcquireAsync(CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        waiting.CancelAfter(LongestWait);
        try
        {
            var lease = await AcquireAsync(waiting.Token);
            if (lease.IsAcquired)
                return lease;
            lease.Dispose();
            await Task.Delay(RefusalDelay, cancellation);
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => limiter.Dispose();
}
