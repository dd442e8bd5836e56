using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Learning.Interop;

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
        var configurations = options.Configurations;
        var slots = Math.Min(SweepTeam.SlotsOf(options.Slots), file.Plan.Trials);
        var runner = SweepTeam.RunnerOf(
            slots,
            file,
            space,
            configurations[0],
            options.Note,
            services
        );
        await Task.Run(() => runner.Check(configurations), stop).WaitAsync(stop);
        using var folder = SweepFolder.Open(files, options.Directory, file);
        // A request of an earlier process is no longer meant.
        SweepFolder.Ask(files, folder.Path, SweepRequest.None);
        folder.RequireSame(configurations[0], [.. file.Plan.Settings], runner.DataSha256);
        var sweep = new SweepRun(file, folder, runner, report, slots, clock);
        var isDone = await sweep.RunAsync(stop);
        report.Ended(sweep.Board, sweep.Differences, folder.Path, sweep.BestRun, isDone);
        return sweep.Differences.Count > 0 ? Outcome.Failed
            : isDone
                ? SweepBoards.Best(sweep.Board) is null ? Outcome.Diverged
                    : Outcome.Completed
            : sweep.IsAskedToStop ? Outcome.Terminated
            : Status.Stopped;
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
