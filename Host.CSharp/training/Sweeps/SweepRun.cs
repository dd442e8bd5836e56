using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A sweep on one machine: slots that take trials, run them and record their results.</summary>
internal sealed class SweepRun(
    SweepFile file,
    SweepFolder folder,
    ITrialRunner runner,
    SweepReport report,
    int slots,
    TimeProvider clock
)
{
    /// <summary>Within this process no lease has to expire: it ends with the process.</summary>
    private const long NoEnd = long.MaxValue / 2;

    /// <summary>How often another terminal's requests are looked for.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    /// <summary>The picture takes longer to draw than short trials to run.</summary>
    private static readonly TimeSpan PictureInterval = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly BestModel best = new(file, folder, runner);
    private readonly List<string> differences = [];
    private SweepBoard board = SweepBoards.Start(file.Plan);
    private long drawn;

    /// <summary>Is replaced whenever a waiting slot has reason to look again.</summary>
    private TaskCompletionSource changed = NewSignal();

    /// <summary>Ends the runs of all slots; replaced after a pause.</summary>
    private CancellationTokenSource pause = new();

    /// <summary>The trials as they are now.</summary>
    public SweepBoard Board
    {
        get
        {
            lock (gate)
                return board;
        }
    }

    /// <summary>Sentences about trials of which two results differ.</summary>
    public IReadOnlyList<string> Differences => differences;

    /// <summary>The run folder of the best model; null before a trial has run to its end.</summary>
    public string? BestRun => best.RunOf(Board);

    /// <summary>Whether another terminal has asked the sweep to end.</summary>
    public bool IsAskedToStop { get; private set; }

    /// <summary>Runs until all trials are settled, or until it is asked to stop.</summary>
    /// <returns>Whether all is done.</returns>
    /// <exception cref="RefusedException">The folder's files are damaged.</exception>
    public async Task<bool> RunAsync(CancellationToken stop)
    {
        if (folder.ReadBoard() is { } stored)
        {
            board = stored.Restore(file.Plan, folder.PathOf(SweepFolder.BoardName));
            differences.AddRange(stored.Differences);
        }
        Save(isNew: true);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var waking = ended.Token.Register(Wake);
        var listening = ListenAsync(ended);
        try
        {
            using (report.Follow(() => Board, Counted.Of(slots, "slot")))
            {
                var all = Enumerable
                    .Range(1, slots)
                    .Select(slot => Background.StartAsync(() => WorkAsync($"slot {slot}", ended)));
                await Task.WhenAll(all.ToArray());
            }
            return Board.IsDone && await best.WriteAsync(Board, ended.Token);
        }
        finally
        {
            await Background.CancelAsync(ended);
            await listening;
            Draw();
        }
    }

    /// <summary>Takes and runs stages until there is nothing left to do.</summary>
    private async Task WorkAsync(string worker, CancellationTokenSource ended)
    {
        try
        {
            while (true)
            {
                Task news;
                SweepLease? lease;
                CancellationToken paused;
                lock (gate)
                {
                    // Within the lock, as a slot that began to wait after it was woken would wait for ever.
                    if (board.IsDone || ended.IsCancellationRequested)
                        return;
                    news = changed.Task;
                    paused = pause.Token;
                    lease = null;
                    if (
                        !paused.IsCancellationRequested
                        && SweepBoards.TryTake(worker, 0, NoEnd, ref board, out var taken)
                    )
                    {
                        lease = taken;
                        Save(isNew: false);
                    }
                }
                if (lease is null)
                    await news;
                else
                    await RunAsync(worker, lease, paused, ended.Token);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // All trials have been given back.
        }
        catch
        {
            // The other slots save their trials.
            await Background.CancelAsync(ended);
            throw;
        }
    }

    private async Task RunAsync(
        string worker,
        SweepLease lease,
        CancellationToken paused,
        CancellationToken stop
    )
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(paused, stop);
        var start = clock.GetTimestamp();
        TrialResult? result = null;
        try
        {
            result = await runner.RunAsync(
                folder.Trials,
                lease,
                (iteration, total) => report.Advanced(lease.Trial, iteration, total),
                either.Token
            );
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested) { }
        catch (RefusedException refused)
        {
            var settings = TrialText.SettingsOf(file.Plan, Board.Trials[lease.Trial]);
            throw new RefusedException(
                refused.Reasons.Select(reason => $"Trial {lease.Trial} ({settings}): {reason}")
            );
        }
        finally
        {
            lock (gate)
            {
                if (result is null)
                    board = SweepBoards.Release(worker, lease, board);
                else
                    Record(worker, lease, clock.GetElapsedTime(start).TotalSeconds, result);
                Save(result is not null);
            }
        }
    }

    private void Record(string worker, SweepLease lease, double seconds, TrialResult result)
    {
        var recorded = SweepBoards.Record(worker, lease, seconds, result, ref board);
        if (recorded is RecordedResult.Different different)
            differences.Add(different.sentence);
        report.Recorded(board, lease.Trial, lease.Stage);
    }

    /// <summary>Writes the board, the table if there is a result, and from time to time the picture.</summary>
    private void Save(bool isNew)
    {
        folder.WriteBoard(BoardFile.Of(board, differences));
        if (isNew)
        {
            folder.WriteTable(board);
            if (drawn == 0 || clock.GetElapsedTime(drawn) >= PictureInterval)
                Draw();
        }
        Notify();
    }

    private void Wake()
    {
        lock (gate)
            Notify();
    }

    /// <summary>Lets waiting slots look again.</summary>
    private void Notify()
    {
        var before = changed;
        changed = NewSignal();
        before.TrySetResult();
    }

    private void Draw()
    {
        folder.WritePicture(SweepPicture.ToSvg(file, Board));
        drawn = clock.GetTimestamp();
    }

    /// <summary>Carries out what other terminals ask for.</summary>
    private async Task ListenAsync(CancellationTokenSource ended)
    {
        while (!ended.IsCancellationRequested)
        {
            var request = folder.Request;
            var isPaused = pause.IsCancellationRequested;
            if (request == SweepRequest.Stop)
            {
                IsAskedToStop = true;
                await Background.CancelAsync(ended);
            }
            else if (request == SweepRequest.Pause && !isPaused)
            {
                report.Paused(true);
                await Background.CancelAsync(pause);
            }
            else if (request == SweepRequest.None && isPaused)
            {
                report.Paused(false);
                lock (gate)
                {
                    pause.Dispose();
                    pause = new();
                    Notify();
                }
            }
            await Task.Delay(Beat, clock, ended.Token)
                .ConfigureAwait(
                    ConfigureAwaitOptions.SuppressThrowing
                        | ConfigureAwaitOptions.ContinueOnCapturedContext
                );
        }
    }

    private static TaskCompletionSource NewSignal() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
