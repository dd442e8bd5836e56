using System.Threading.RateLimiting;

namespace Pipeline.Serving;

/// <summary>Lets as many long requests compute at once as there are processors; some more wait, others are refused.
/// Short requests do not pass through it, as the change of threads would cost more than their work.</summary>
internal sealed class WorkLimiter : IDisposable
{
    /// <summary>The most long requests that wait.</summary>
    public const int MostWaiting = 64;

    /// <summary>The bytes of a body times the parameters of a model from which on a request is long: about a millisecond
    /// of work.</summary>
    private const long LongWork = 300_000_000;

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
        bytes is not { } length || length > LongWork / Math.Max(1, model.Work);

    /// <summary>Waits for a processor.</summary>
    /// <returns>The permit to compute, which must be disposed of; not acquired if too many requests wait.</returns>
    public ValueTask<RateLimitLease> AcquireAsync(CancellationToken cancellation) =>
        limiter.AcquireAsync(1, cancellation);

    public void Dispose() => limiter.Dispose();
}
