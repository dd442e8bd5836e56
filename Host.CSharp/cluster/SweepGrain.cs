using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orleans;
using Orleans.Runtime;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <inheritdoc cref="ISweep"/>
/// <remarks>The decisions are those of <see cref="SweepBoards"/>; here they are saved. Leases are saved when they are taken,
/// renewals are not.</remarks>
internal sealed class SweepGrain(
    [PersistentState("sweep", ClusterStore.Name)] IPersistentState<SweepState> stored,
    IClusterMembershipService members,
    TimeProvider clock
) : Grain, ISweep
{
    /// <summary>How long a worker that is not heard of keeps its trial, if the membership still knows it.</summary>
    internal static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(10);

    private readonly Dictionary<int, Progress> running = [];
    private List<string> differences = [];
    private SweepBoard? board;
    private string key = "";

    /// <summary>Tells one activation's versions from another's.</summary>
    private readonly string activation = Guid.NewGuid().ToString("N");
    private long changes;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private static long Length => (long)LeaseLength.TotalMilliseconds;

    private SweepPhase Phase =>
        board is null ? SweepPhase.Unknown
        : board.IsDone ? SweepPhase.Done
        : stored.State.Wanted;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (stored.State.Submission is { } submission)
            Read(submission, stored.State.Board);
        return Task.CompletedTask;
    }

    /// <summary>The board as it was saved. Workers go on with the leases that they had.</summary>
    private void Read(Submission submission, byte[] json)
    {
        key = submission.Key;
        var plan = SweepFile.Parse(submission.Name, submission.Plan).Plan;
        if (json.Length == 0)
            board = SweepBoards.Start(plan);
        else
        {
            var read = ReadBoard.Of(submission.Name, plan, json, Now, Length);
            (board, differences) = (read.Board, [.. read.Differences]);
        }
    }

    public async Task<string> Begin(Submission submission)
    {
        if (stored.State.Submission is { } known)
        {
            if (DifferenceOf(known, submission) is { Length: > 0 } difference)
                return difference;
        }
        else
        {
            Read(submission, submission.Board);
            // No worker of this cluster has a trial yet.
            board = SweepBoards.ReleaseGone(_ => true, board!);
            stored.State.Submission = submission with { Board = [] };
        }
        stored.State.Wanted = SweepPhase.Running;
        await SaveAsync();
        await NameAsync();
        return "";
    }

    /// <summary>Lists the sweep where workers look for work, or no longer.</summary>
    private Task NameAsync()
    {
        var names = GrainFactory.GetGrain<ISweepNames>(0);
        var name = this.GetPrimaryKeyString();
        return Phase == SweepPhase.Running ? names.Add(name) : names.Remove(name);
    }

    /// <summary>What another submission of the same name has that is different.</summary>
    private static string DifferenceOf(Submission known, Submission other)
    {
        static bool AreSame(byte[] one, byte[] other) =>
            JsonNode.DeepEquals(StrictJson.Node(one), StrictJson.Node(other));

        static string? Program(Submission submission) =>
            JsonSerializer
                .Deserialize<SweepIdentity>(submission.Identity, JsonText.Options)
                ?.Program;

        string[] different =
        [
            .. AreSame(known.Plan, other.Plan) ? Array.Empty<string>() : ["another plan"],
            .. AreSame(known.Settings, other.Settings) ? Array.Empty<string>() : ["other settings"],
            .. Data(known) == Data(other) ? Array.Empty<string>() : ["other data"],
            .. Program(known) == Program(other)
                ? Array.Empty<string>()
                : [$"version {Program(other)} of the program instead of {Program(known)}"],
        ];
        return different.Length == 0
            ? ""
            : PlanReader.Sentence(
                known.Name,
                "what the sweep of that name was begun with, or another name",
                string.Join(", ", different)
            );

        static string Data(Submission submission) =>
            string.Join(
                ' ',
                JsonSerializer
                    .Deserialize<SweepIdentity>(submission.Identity, JsonText.Options)!
                    .DataSha256.Values.Order(StringComparer.Ordinal)
            );
    }

    public Task<Submission?> Describe() => Task.FromResult(stored.State.Submission);

    public async Task<Taken> Take(string worker)
    {
        if (board is null || Phase != SweepPhase.Running)
            return new(Phase, null);
        await ReleaseGoneAsync();
        if (!SweepBoards.TryTake(worker, Now, Length, ref board, out var lease))
            return new(Phase, null);
        running.Remove(lease.Trial);
        await SaveAsync();
        return new(
            Phase,
            new(
                lease.Trial,
                lease.Attempt,
                lease.Stage,
                lease.Epoch.ToNullable(),
                [.. lease.Values],
                key
            )
        );
    }

    /// <summary>Ends the leases of workers that the membership does not know, or knows to be dead.</summary>
    private async Task ReleaseGoneAsync()
    {
        var holders = board!
            .Trials.Where(trial => trial.State.IsLeased)
            .Select(trial => trial.Worker)
            .Distinct()
            .ToArray();
        if (holders.Any(holder => StatusOf(holder) == SiloStatus.None))
        {
            // Perhaps one that has just joined.
            await members.Refresh();
        }
        board = SweepBoards.ReleaseGone(IsGone, board!);
    }

    private bool IsGone(string worker) =>
        StatusOf(worker)
            is not (SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown);

    private SiloStatus StatusOf(string worker) =>
        WorkerName.AddressOf(worker) is { } address
            ? members.CurrentSnapshot.GetSiloStatus(address)
            : SiloStatus.Dead;

    public Task<LeaseState> Renew(string worker, Lease lease, long iteration, long total)
    {
        if (
            !IsOfSweep(lease)
            || !SweepBoards.TryRenew(worker, LeaseOf(lease), Now, Length, ref board!)
        )
            return Task.FromResult(LeaseState.Lost);
        running[lease.Trial] = new(lease.Trial, iteration, total);
        return Task.FromResult(Phase == SweepPhase.Running ? LeaseState.Held : LeaseState.Recalled);
    }

    public Task Release(string worker, Lease lease)
    {
        if (!IsOfSweep(lease))
            return Task.CompletedTask;
        board = SweepBoards.Release(worker, LeaseOf(lease), board!);
        return SaveAsync();
    }

    public async Task<Recorded> Record(string worker, Lease lease, StageResult result)
    {
        if (
            !IsOfSweep(lease)
            || lease.Stage < 0
            || lease.Stage > board!.Plan.Rungs.Length
            || lease.Stage > board.Trials[lease.Trial].Results.Length
        )
            return new(false, "");
        var recorded = SweepBoards.Record(
            worker,
            LeaseOf(lease),
            result.Seconds,
            SweepBoards.Result(
                result.Deficit,
                result.Names.Zip(result.Figures),
                result.Iterations,
                result.Model,
                result.HasEnded
            ),
            ref board!
        );
        if (recorded.IsKnown)
            return new(true, "");
        var alarm = recorded is RecordedResult.Different different ? different.sentence : "";
        if (alarm.Length > 0 && !differences.Contains(alarm))
            differences.Add(alarm);
        running.Remove(lease.Trial);
        await SaveAsync();
        if (Phase == SweepPhase.Done)
            await NameAsync();
        return new(true, alarm);
    }

    public Task<SweepView> View(string known)
    {
        var version = string.Create(CultureInfo.InvariantCulture, $"{activation} {changes}");
        return Task.FromResult(
            new SweepView(
                Phase,
                version,
                board is null || version == known ? [] : stored.State.Board,
                board is null
                    ? []
                    : [.. running.Values.Where(each => board.Trials[each.Trial].State.IsLeased)]
            )
        );
    }

    public async Task<SweepPhase> Ask(SweepPhase wanted)
    {
        var before = Phase;
        if (before is SweepPhase.Unknown or SweepPhase.Done)
            return before;
        stored.State.Wanted = wanted;
        await SaveAsync();
        await NameAsync();
        return before;
    }

    public async Task Remove()
    {
        if (board is not null)
        {
            foreach (var trial in board.Trials.Where(trial => trial.Attempts > 0))
                await GrainFactory
                    .GetGrain<ITrialArchive>(TrialStore.KeyOf(key, trial.Number))
                    .Remove();
            await stored.ClearStateAsync();
            board = null;
        }
        await NameAsync();
        DeactivateOnIdle();
    }

    /// <summary>Whether a lease is of this sweep, rather than of an earlier one of that name.</summary>
    private bool IsOfSweep(Lease lease) =>
        board is not null
        && lease.Sweep == key
        && lease.Trial >= 0
        && lease.Trial < board.Trials.Length;

    private static SweepLease LeaseOf(Lease lease) =>
        SweepBoards.Lease(lease.Trial, lease.Attempt, lease.Stage, lease.Epoch, lease.Values);

    private Task SaveAsync()
    {
        changes++;
        stored.State.Board = BoardFile.Of(board!, differences).ToJson();
        return this.SaveAsync(stored);
    }
}
