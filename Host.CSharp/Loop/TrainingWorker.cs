using System.Numerics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>The service: trains, once or whenever the data change, and stops the host.</summary>
internal sealed class TrainingWorker(
    RunPlan plan,
    ExitStatus status,
    ConsoleReport report,
    DataLoader loader,
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
            plan.ApplyThreads();
            status.Decided = plan.Precision.IsDouble
                ? await TrainAsync<double>(stoppingToken)
                : await TrainAsync<float>(stoppingToken);
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
        catch (Exception trouble) when (WholeFile.IsTrouble(trouble))
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

    private async Task<Outcome> TrainAsync<T>(CancellationToken stop)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (plan.Mode == RunMode.Watch)
            return await services.GetRequiredService<Watching<T>>().RunAsync(stop);
        var earlier = plan.EarlierRun();
        var data = await loader.LoadAsync<T>(stop);
        var run = services.GetRequiredService<TrainingRun<T>>();
        return (await run.RunAsync(data, earlier, null, stop)).Outcome;
    }
}
