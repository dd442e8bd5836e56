using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>The service that runs a sweep and stops the host.</summary>
internal sealed class SweepWorker(
    LocalSweep sweep,
    SweepFile file,
    SweepOptions options,
    ExitStatus status,
    IHostApplicationLifetime lifetime,
    ILogger<SweepWorker> logger
) : OutcomeService(status, lifetime, logger)
{
    protected override void Refuse(IReadOnlyList<string> reasons) => options.Note(reasons);

    protected override Task<Outcome> RunAsync(CancellationToken stop)
    {
        SweepTeam.UseThreads(SweepTeam.SlotsOf(options, file), options.Configurations[0]);
        return sweep.RunAsync(stop);
    }
}

/// <summary>What the command line says of a sweep.</summary>
/// <param name="Configurations">The configurations that are known before the first trial.</param>
/// <param name="Directory">The folder of the sweep's folder.</param>
/// <param name="Slots">How many trials run at the same time; null for the default.</param>
/// <param name="Note">Prints sentences on standard error.</param>
internal sealed record SweepOptions(
    IReadOnlyList<RunConfiguration> Configurations,
    string Directory,
    int? Slots,
    Action<IEnumerable<string>> Note
);
