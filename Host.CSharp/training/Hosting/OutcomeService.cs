using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>A service that works once, decides the exit code and stops the host.</summary>
internal abstract class OutcomeService(
    ExitStatus status,
    IHostApplicationLifetime lifetime,
    ILogger logger
) : BackgroundService
{
    protected ExitStatus Status => status;

    /// <summary>Does the work.</summary>
    protected abstract Task<Outcome> RunAsync(CancellationToken stop);

    /// <summary>Reports why settings or data are refused.</summary>
    protected abstract void Refuse(IReadOnlyList<string> reasons);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The host finishes starting first.
            await Task.Yield();
            status.Decided = await RunAsync(stoppingToken);
        }
        catch (RefusedException refused)
        {
            Refuse(refused.Reasons);
            status.Decided = Outcome.Refused;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            status.Decided = status.Stopped;
        }
        catch (Exception trouble)
            when (AtomicFile.IsDiskError(trouble) || trouble is UnsavedException)
        {
            logger.RunUnsaved(trouble.Message);
            status.Decided = Outcome.Failed;
        }
        catch (Exception unexpected)
        {
            logger.RunFailed(unexpected);
            status.Decided = Outcome.Failed; // a worker that merely throws leaves exit code 0
        }
        finally
        {
            lifetime.StopApplication();
        }
    }
}
