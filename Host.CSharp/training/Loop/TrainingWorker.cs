using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>The service: trains, once or whenever the data change, and stops the host.</summary>
internal sealed class TrainingWorker(
    RunConfiguration configuration,
    ExitStatus status,
    ConsoleReport report,
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    ILogger<TrainingWorker> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The host finishes starting first.
            await Task.Yield();
            configuration.ApplyThreads();
            status.Decided = await TrainAsync(stoppingToken);
        }
        catch (RefusedException refused)
        {
            report.Refused(refused.Reasons);
            status.Decided = Outcome.Refused;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            status.Decided = status.Stopped;
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
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

    private Task<Outcome> TrainAsync(CancellationToken stop) =>
        configuration.Mode == RunMode.Once ? services.GetRequiredService<SingleRun>().RunAsync(stop)
        : configuration.Precision.IsDouble
            ? services.GetRequiredService<WatchMode<double>>().RunAsync(stop)
        : services.GetRequiredService<WatchMode<float>>().RunAsync(stop);
}
