using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The service that submits a sweep to a cluster, works on it, and keeps its folder as a sweep on one machine
/// does.</summary>
internal sealed class SubmittedSweepService(
    SweepFile file,
    SweepSpace space,
    SweepOptions options,
    ClusterSettings cluster,
    SweepReport report,
    ExitStatus status,
    IFiles files,
    TimeProvider clock,
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers,
    ILogger<SubmittedSweepService> logger
) : OutcomeService(status, lifetime, logger)
{
    /// <summary>The sweep reports its trials itself.</summary>
    private readonly ILogger quiet = new QuietLoggers(loggers).CreateLogger(
        typeof(SubmittedSweepService).FullName!
    );

    protected override void Refuse(IReadOnlyList<string> reasons) => options.Note(reasons);

    protected override async Task<Outcome> RunAsync(CancellationToken stop)
    {
        var first = options.Configurations[0];
        SweepTeam.UseThreads(SweepTeam.SlotsOf(options, file), first);
        using var opened = await OpenedSweep.OpenAsync(file, space, options, files, services, stop);
        var (folder, runner, slots) = opened;
        var submission = new Submission(
            file.Name,
            WithoutPreset(file.Content),
            JsonText.Of(space.SharedOf(first)),
            JsonText.Of(SweepIdentity.Of(first, runner.DataSha256)),
            folder.ReadBoard()?.ToJson() ?? []
        );
        var best = new BestModel(file, folder, runner);
        var mirror = new SweepMirror(file, folder, files, report, clock, options.Note);
        mirror.Restore(submission.Board);
        if (!mirror.Board.IsDone)
        {
            await using var member = await ClusterMember.JoinAsync(cluster, loggers, stop);
            using var scratch = new ScratchFolder();
            var worker = new TrialWorker(
                member.Access,
                new OnlySweep(new(file.Name, submission.Key, runner)),
                slots,
                scratch.Path,
                clock,
                quiet
            );
            try
            {
                await FollowAsync(mirror, worker, slots, submission, member.Access, stop);
            }
            catch (DifferentResultException different)
            {
                options.Note([different.Message]);
                return Outcome.Failed;
            }
        }
        var isDone = mirror.Board.IsDone && await best.WriteAsync(mirror.Board, stop);
        mirror.Draw();
        report.Ended(
            mirror.Board,
            mirror.Differences,
            folder.Path,
            best.RunOf(mirror.Board),
            isDone
        );
        return OpenedSweep.OutcomeOf(
            mirror.Board,
            mirror.Differences,
            isDone,
            mirror.IsStopped,
            Status.Stopped
        );
    }

    /// <summary>Works on the sweep and mirrors it until it is done or stopped.</summary>
    private async Task FollowAsync(
        SweepMirror mirror,
        TrialWorker worker,
        int slots,
        Submission submission,
        ClusterAccess access,
        CancellationToken stop
    )
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var retry = new Retry(clock, quiet);
        var sweep = access.Grains.GetGrain<ISweep>(file.Name);
        if (
            await retry.UntilDoneAsync(() => sweep.Begin(submission), ended.Token) is
            { Length: > 0 } difference
        )
            throw new RefusedException([difference]);
        using var following = report.Follow(
            () => mirror.Board,
            $"{Counted.Of(slots, "slot")} here"
        );
        var working = worker.RunAsync(ended.Token);
        var mirroring = mirror.FollowAsync(access, submission, retry, ended.Token);
        // The sweep is done or stopped, this process is to stop, or one of both fails.
        await Task.WhenAny(working, mirroring);
        await ended.CancelAsync();
        await Task.WhenAll(working, mirroring)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var failed in new[] { working, mirroring }.Where(task => task.IsFaulted))
            await failed;
        if (mirror.Board.IsDone && mirror.Differences.Count == 0)
            await retry.UntilDoneAsync(sweep.Remove, stop);
    }

    /// <summary>The plan without its preset, which may be a file of this machine: its settings are sent.</summary>
    private static byte[] WithoutPreset(byte[] content)
    {
        var plan = JsonNode.Parse(content)!.AsObject();
        plan.Remove("preset");
        return JsonText.Of(plan);
    }

    /// <summary>The sweep of this process.</summary>
    private sealed class OnlySweep(JoinedSweep sweep) : ISweepSource
    {
        public Task<IReadOnlyList<string>> NamesAsync() =>
            Task.FromResult<IReadOnlyList<string>>([sweep.Name]);

        public Task<JoinedSweep?> JoinAsync(string name, Retry retry, CancellationToken stop) =>
            Task.FromResult<JoinedSweep?>(sweep);
    }
}
