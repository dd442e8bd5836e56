using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The options of a worker of a cluster.</summary>
/// <param name="Cluster">The section Cluster.</param>
/// <param name="Given">The settings of this machine.</param>
/// <param name="Slots">How many trials run at the same time.</param>
/// <param name="Note">Prints sentences on standard error.</param>
internal sealed record WorkerOptions(
    ClusterSettings Cluster,
    CommandLineSettings Given,
    int Slots,
    Action<IEnumerable<string>> Note
);

/// <summary>The service that works on the sweeps of a store until it is stopped.</summary>
internal sealed class WorkerService(
    WorkerOptions options,
    ExitStatus status,
    TimeProvider clock,
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers,
    ILogger<WorkerService> logger
) : OutcomeService(status, lifetime, logger)
{
    protected override void Refuse(IReadOnlyList<string> reasons) => options.Note(reasons);

    protected override async Task<Outcome> RunAsync(CancellationToken stop)
    {
        var store = ClusterStore.Of(options.Cluster.Store!).Address;
        await using var member = await ClusterMember.JoinAsync(options.Cluster, loggers, stop);
        using var scratch = new ScratchFolder();
        logger.Joined(member.Access.Worker, store, Counted.Of(options.Slots, "slot"));
        var sweeps = new JoinedSweeps(
            member.Access,
            store,
            options.Given,
            options.Slots,
            options.Note,
            services
        );
        var worker = new TrialWorker(
            member.Access,
            sweeps,
            options.Slots,
            scratch.Path,
            clock,
            logger
        );
        try
        {
            await worker.RunAsync(stop);
        }
        catch (DifferentResultException different)
        {
            options.Note([different.Message]);
            return Outcome.Failed;
        }
        return Status.Stopped;
    }
}
