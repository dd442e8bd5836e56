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
) : OutcomeService(status, lifetime, logger)
{
    protected override void Refuse(IReadOnlyList<string> reasons) => report.Refused(reasons);

    protected override Task<Outcome> RunAsync(CancellationToken stop)
    {
        configuration.ApplyThreads();
        return configuration.Mode == RunMode.Once
                ? services.GetRequiredService<SingleRun>().RunAsync(stop)
            : configuration.Precision.IsDouble
                ? services.GetRequiredService<WatchMode<double>>().RunAsync(stop)
            : services.GetRequiredService<WatchMode<float>>().RunAsync(stop);
    }
}
