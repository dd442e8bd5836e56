using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The sweeps that a worker works on.</summary>
internal interface ISweepSource
{
    /// <summary>The names of the sweeps that may have work.</summary>
    Task<IReadOnlyList<string>> NamesAsync();

    /// <summary>Gets ready for a sweep; null if there is no such sweep any more.</summary>
    /// <param name="sweep">Its name.</param>
    /// <param name="retry">Repeats calls of the cluster.</param>
    /// <param name="stop">Ends the attempts.</param>
    /// <exception cref="RefusedException">The sweep cannot be worked on here.</exception>
    Task<JoinedSweep?> JoinAsync(string sweep, Retry retry, CancellationToken stop);
}

/// <summary>A sweep that a worker is ready for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Key">The key of its submission.</param>
/// <param name="Runner">Runs its trials.</param>
internal sealed record JoinedSweep(string Name, string Key, ITrialRunner Runner);

/// <summary>Another result is known than the one that this worker found.</summary>
internal sealed class DifferentResultException(string sentence) : Exception(sentence);

/// <summary>A worker of a cluster: slots that take stages of trials, run them on threads of their own, and record their
/// results.</summary>
internal sealed class TrialWorker(
    ClusterAccess cluster,
    ISweepSource source,
    int slots,
    string scratch,
    TimeProvider clock,
    ILogger logger
)
{
    /// <summary>The interval between requests for work while the coordinator has none.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a new checkpoint is looked for.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a lease is renewed.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(1);

    /// <summary>How long trials are given back after a request to stop.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Retry retry = new(clock, logger);
    private int attempts;

    /// <summary>Works until it is stopped.</summary>
    /// <exception cref="RefusedException">A sweep or a trial cannot be worked on here.</exception>
    /// <exception cref="DifferentResultException">Another worker has found another result.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var free = new SemaphoreSlim(slots);
        List<Task> running = [];
        try
        {
            while (true)
            {
                await free.WaitAsync(ended.Token);
                var (sweep, lease) = await TakeAsync(ended.Token);
                running.RemoveAll(task => task.IsCompletedSuccessfully);
                running.Add(
                    Task.Factory.StartNew(
                        () =>
                        {
                            try
                            {
                                RunAsync(sweep, lease, ended.Token).GetAwaiter().GetResult();
                            }
                            catch
                            {
                                // The other slots give their trials back.
                                ended.Cancel();
                                throw;
                            }
                            finally
                            {
                                free.Release();
                            }
                        },
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                );
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // All trials are given back.
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(running);
        }
    }

    /// <summary>Asks for a stage until there is one.</summary>
    private async Task<(JoinedSweep Sweep, Lease Lease)> TakeAsync(CancellationToken stop)
    {
        while (true)
        {
            foreach (var name in await retry.UntilDoneAsync(source.NamesAsync, stop))
            {
                if (await source.JoinAsync(name, retry, stop) is not { } sweep)
                    continue;
                var taken = await retry.UntilDoneAsync(
                    () => SweepOf(name).Take(cluster.Worker),
                    stop
                );
                if (taken.Lease is not { } lease)
                    continue;
                if (lease.Sweep == sweep.Key)
                    return (sweep, lease);
                // Another sweep of that name has begun.
                await retry.UntilDoneAsync(
                    () => SweepOf(name).Release(cluster.Worker, lease),
                    stop
                );
            }
            await Task.Delay(Idle, clock, stop);
        }
    }

    private ISweep SweepOf(string name) => cluster.Grains.GetGrain<ISweep>(name);

    private async Task RunAsync(JoinedSweep joined, Lease lease, CancellationToken stop)
    {
        var sweep = joined.Name;
        var folders = new TrialFolders(
            Path.Combine(scratch, $"{Interlocked.Increment(ref attempts)}")
        );
        // What has been learned is sent and given back after a request to stop too.
        using var grace = new CancellationTokenSource();
        await using var registration = stop.Register(() => grace.CancelAfter(Grace));
        try
        {
            var stage = new RunningStage(sweep, lease, folders.TrialOf(lease.Trial));
            await RestoreAsync(stage, stop);
            var start = clock.GetTimestamp();
            var result = await TrainAsync(stage, joined.Runner, folders, stop, grace.Token);
            if (stage.IsLost)
            {
                logger.StageLost(sweep, lease.Trial);
                return;
            }
            await SendAsync(stage, isStageEnd: result is not null, grace.Token);
            if (result is null)
            {
                await retry.UntilDoneAsync(
                    () => SweepOf(sweep).Release(cluster.Worker, lease),
                    grace.Token
                );
                logger.StageReleased(sweep, lease.Trial);
                return;
            }
            var seconds = clock.GetElapsedTime(start).TotalSeconds;
            var recorded = await retry.UntilDoneAsync(
                () => SweepOf(sweep).Record(cluster.Worker, lease, ResultOf(result, seconds)),
                grace.Token
            );
            logger.StageDone(sweep, lease.Trial, lease.Stage + 1, seconds);
            if (recorded.Alarm.Length > 0)
                throw new DifferentResultException($"{sweep}: {recorded.Alarm}");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The lease ends with this worker.
        }
        catch (RefusedException refused)
        {
            await retry
                .UntilDoneAsync(() => SweepOf(sweep).Release(cluster.Worker, lease), grace.Token)
                .WaitAsync(Grace, clock, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new RefusedException(
                refused.Reasons.Select(reason => $"{sweep}, trial {lease.Trial}: {reason}")
            );
        }
        finally
        {
            Delete(folders.Path);
        }
    }

    /// <summary>Unpacks what another worker has left of the trial.</summary>
    private async Task RestoreAsync(RunningStage stage, CancellationToken stop)
    {
        var archive = await retry.UntilDoneAsync(() => cluster.Trials.GetAsync(stage.Key), stop);
        if (archive is not null)
        {
            try
            {
                archive.Unpack(stage.Folder);
                stage.Sent = archive.Iteration;
            }
            catch (InvalidDataException damaged)
            {
                logger.ArchiveDamaged(stage.Sweep, stage.Lease.Trial, damaged.Message);
                Delete(stage.Folder);
            }
        }
        var lease = stage.Lease;
        logger.StageTaken(
            stage.Sweep,
            lease.Trial,
            lease.Stage + 1,
            lease.Attempt,
            Math.Max(0, stage.Sent)
        );
    }

    /// <summary>Runs the stage; meanwhile renews the lease and sends each new checkpoint.</summary>
    /// <returns>The result; null if the stage was stopped before its end.</returns>
    private async Task<TrialResult?> TrainAsync(
        RunningStage stage,
        ITrialRunner runner,
        TrialFolders folders,
        CancellationToken stop,
        CancellationToken grace
    )
    {
        var lease = stage.Lease;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var trained = new CancellationTokenSource();
        var tending = Task.Run(() => TendAsync(stage, ending, trained.Token, grace), grace);
        try
        {
            return await runner.RunAsync(
                folders,
                SweepBoards.Lease(
                    lease.Trial,
                    lease.Attempt,
                    lease.Stage,
                    lease.Epoch,
                    lease.Values
                ),
                stage.Advance,
                ending.Token
            );
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            await trained.CancelAsync();
            try
            {
                await tending;
            }
            catch (OperationCanceledException)
            {
                // The stage has ended meanwhile.
            }
        }
    }

    private async Task TendAsync(
        RunningStage stage,
        CancellationTokenSource ending,
        CancellationToken trained,
        CancellationToken grace
    )
    {
        var renewed = clock.GetTimestamp();
        while (!trained.IsCancellationRequested)
        {
            await Task.Delay(Beat, clock, trained)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (trained.IsCancellationRequested)
                return;
            if (TrialArchive.IterationOf(stage.Folder) > stage.Sent)
                await SendAsync(stage, isStageEnd: false, grace);
            if (clock.GetElapsedTime(renewed) < Renewal)
                continue;
            var (iteration, total) = stage.Progress;
            // Training goes on while the cluster does not answer: the result counts whoever has the lease.
            var state = await retry.UntilDoneAsync(
                () => SweepOf(stage.Sweep).Renew(cluster.Worker, stage.Lease, iteration, total),
                trained
            );
            renewed = clock.GetTimestamp();
            if (state == LeaseState.Held)
                continue;
            stage.IsLost = state == LeaseState.Lost;
            await ending.CancelAsync();
            return;
        }
    }

    /// <summary>Sends the newest checkpoint. One that is too long stays here.</summary>
    private async Task SendAsync(RunningStage stage, bool isStageEnd, CancellationToken end)
    {
        if (stage.IsRefused)
            return;
        try
        {
            if (TrialArchive.Pack(stage.Folder, isStageEnd) is not { } archive)
                return;
            if (archive.Iteration <= stage.Sent && !isStageEnd)
                return;
            await retry.UntilDoneAsync(() => cluster.Trials.PutAsync(stage.Key, archive), end);
            stage.Sent = archive.Iteration;
        }
        catch (RefusedException refused)
        {
            stage.IsRefused = true;
            logger.ArchiveRefused(stage.Sweep, refused.Reasons[0]);
        }
    }

    private static StageResult ResultOf(TrialResult result, double seconds) =>
        new(
            result.Deficit,
            [.. result.Figures.Select(figure => figure.Item1)],
            [.. result.Figures.Select(figure => figure.Item2)],
            result.Iterations,
            result.Model,
            result.HasEnded,
            seconds
        );

    private static void Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            // The scratch folder is deleted as a whole.
        }
    }

    /// <summary>A stage that this worker runs.</summary>
    private sealed class RunningStage(string sweep, Lease lease, string folder)
    {
        private long iteration;
        private long total;

        public string Sweep => sweep;

        public Lease Lease => lease;

        /// <summary>The trial's folder.</summary>
        public string Folder => folder;

        public string Key => TrialStore.KeyOf(lease.Sweep, lease.Trial);

        /// <summary>The iterations of the newest archive that was sent or received; below 0 for none.</summary>
        public long Sent { get; set; } = -1;

        /// <summary>Whether its archive is too long.</summary>
        public bool IsRefused { get; set; }

        /// <summary>Whether the lease has ended.</summary>
        public bool IsLost { get; set; }

        public (long Iteration, long Total) Progress =>
            (Volatile.Read(ref iteration), Volatile.Read(ref total));

        public void Advance(long done, long all)
        {
            Volatile.Write(ref iteration, done);
            Volatile.Write(ref total, all);
        }
    }
}
