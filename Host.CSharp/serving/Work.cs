using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Serving;

/// <summary>Computes the answers of requests: short ones at once, long ones behind the <see
/// cref="WorkLimiter"/>.</summary>
internal static class Work
{
    /// <param name="context">The request.</param>
    /// <param name="model">The model.</param>
    /// <param name="read">Reads the body.</param>
    /// <param name="compute">The answer for the body.</param>
    /// <param name="write">Writes the answer as a whole; its result is the number of samples.</param>
    /// <returns>The number of samples; null if too many requests wait.</returns>
    public static async ValueTask<int?> RunAsync<TBody, TAnswer>(
        HttpContext context,
        LoadedModel model,
        Func<HttpContext, ValueTask<TBody>> read,
        Func<TBody, TAnswer> compute,
        Func<TAnswer, Task<int>> write
    )
    {
        if (!WorkLimiter.IsLong(context.Request.ContentLength, model))
            return await WriteAsync(compute(await read(context)));
        var limiter = context.RequestServices.GetRequiredService<WorkLimiter>();
        TAnswer answer;
        // Taken before the body is read, so that a refusal costs nothing.
        using (var lease = await limiter.TryAcquireAsync(context.RequestAborted))
        {
            if (lease is null)
            {
                context.Response.Headers.RetryAfter = "1";
                await Problem.WriteAsync(
                    context,
                    StatusCodes.Status503ServiceUnavailable,
                    "the service",
                    $"at most {WorkLimiter.MostWaiting} long requests that wait, {WorkLimiter.LongestWait.TotalSeconds:F0} s each",
                    "more, or longer"
                );
                return null;
            }
            var body = await read(context);
            answer = await Task.Run(() => compute(body), context.RequestAborted);
        }
        return await WriteAsync(answer);

        Task<int> WriteAsync(TAnswer answer)
        {
            // A request that has timed out is answered by a problem, which this answer must not precede.
            context.RequestAborted.ThrowIfCancellationRequested();
            return write(answer);
        }
    }
}
