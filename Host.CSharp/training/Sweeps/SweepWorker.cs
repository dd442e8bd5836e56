using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>The service that runs a sweep and stops the host.</summary>
internal sealed class SweepWorker(
    SweepFile file,
    SweepSpace space,
    SweepOptions options,
    SweepReport report,
    ExitStatus status,
    IFiles files,
    TimeProvider clock,
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    ILogger<SweepWorker> logger
) : OutcomeService(status, lifetime, logger)
{
    protected override void Refuse(IReadOnlyList<string> reasons) => options.Note(reasons);

    protected override async Task<Outcome> RunAsync(CancellationToken stop)
    {
        using var opened = await OpenedSweep.OpenAsync(file, space, options, files, services, stop);
        var (folder, runner, slots) = opened;
        var sweep = new SweepRun(file, folder, runner, report, slots, clock);
        var isDone = await sweep.RunAsync(stop);
        report.Ended(sweep.Board, sweep.Differences, folder.Path, sweep.BestRun, isDone);
        return OpenedSweep.OutcomeOf(
            sweep.Board,
            sweep.Differences,
            isDone,
            sweep.IsAskedToStop,
            Status.Stopped
        );
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
