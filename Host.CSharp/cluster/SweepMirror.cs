using System.Security.Cryptography;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The folder of a sweep that a cluster works on: it gets the board, the table, the picture and the trials' run
/// folders.</summary>
internal sealed class SweepMirror(
    SweepFile file,
    SweepFolder folder,
    IFiles files,
    SweepReport report,
    TimeProvider clock,
    Action<IEnumerable<string>> note
)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);

    /// <summary>The picture takes longer to draw than short trials to run.</summary>
    private static readonly TimeSpan PictureInterval = TimeSpan.FromSeconds(2);

    /// <summary>Leases here only say which trials run.</summary>
    private const long NoEnd = long.MaxValue / 2;

    private readonly HashSet<int> fetched = [];
    private volatile SweepBoard board = SweepBoards.Start(file.Plan);
    private SweepRequest request;
    private string version = "";
    private bool isPaused;
    private long drawn;

    /// <summary>The trials as they are now.</summary>
    public SweepBoard Board => board;

    /// <summary>Sentences about trials of which two results differ.</summary>
    public IReadOnlyList<string> Differences { get; private set; } = [];

    /// <summary>Whether somebody has asked the sweep to end.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>What an earlier process has left in the folder.</summary>
    /// <param name="json">The JSON of board.json; empty for none.</param>
    public void Restore(byte[] json)
    {
        if (json.Length == 0)
            return;
        var stored = BoardFile.Parse(folder.PathOf(SweepFolder.BoardName), json);
        board = stored.Restore(file.Plan, folder.PathOf(SweepFolder.BoardName));
        Differences = stored.Differences;
    }

    /// <summary>Follows the sweep until it is done or stopped.</summary>
    public async Task FollowAsync(
        ClusterAccess cluster,
        Submission submission,
        Retry retry,
        CancellationToken stop
    )
    {
        var sweep = cluster.Grains.GetGrain<ISweep>(file.Name);
        while (true)
        {
            await AskAsync(sweep, retry, stop);
            var view = await retry.UntilDoneAsync(() => sweep.View(version), stop);
            if (view.Board.Length > 0)
                Show(view);
            foreach (var each in view.Running)
                report.Advanced(each.Trial, each.Iteration, each.Total);
            Heed(view.Phase);
            await FetchAsync(cluster, submission, retry, stop);
            if (board.IsDone || IsStopped)
                return;
            if (view.Phase == SweepPhase.Unknown)
            {
                // The store was emptied: the sweep goes on from what is known here.
                var known = submission with
                {
                    Board = BoardFile.Of(board, Differences).ToJson(),
                };
                await retry.UntilDoneAsync(() => sweep.Begin(known), stop);
            }
            await Task.Delay(Beat, clock, stop);
        }
    }

    public void Draw()
    {
        folder.WritePicture(SweepPicture.ToSvg(file, board));
        drawn = clock.GetTimestamp();
    }

    private void Show(SweepView view)
    {
        var read = ReadBoard.Of(file.Name, file.Plan, view.Board, 0, NoEnd);
        var before = board;
        board = read.Board;
        note(read.Differences.Except(Differences));
        Differences = read.Differences;
        version = view.Version;
        folder.WriteBoard(read.File);
        folder.WriteTable(board);
        foreach (var (old, trial) in before.Trials.Zip(board.Trials))
        {
            if (trial.Results.Length > old.Results.Length)
                report.Recorded(board, trial.Number, trial.Results.Length - 1);
        }
        if (drawn == 0 || clock.GetElapsedTime(drawn) >= PictureInterval)
            Draw();
    }

    /// <summary>Passes on what another terminal asks of the folder.</summary>
    private async Task AskAsync(ISweep sweep, Retry retry, CancellationToken stop)
    {
        var asked = folder.Request;
        if (asked == request)
            return;
        request = asked;
        var wanted = asked switch
        {
            SweepRequest.Pause => SweepPhase.Paused,
            SweepRequest.Stop => SweepPhase.Stopped,
            _ => SweepPhase.Running,
        };
        await retry.UntilDoneAsync(() => sweep.Ask(wanted), stop);
    }

    /// <summary>Does what the cluster was asked for; the folder shows it.</summary>
    private void Heed(SweepPhase phase)
    {
        var shown = phase == SweepPhase.Paused ? SweepRequest.Pause : SweepRequest.None;
        IsStopped = phase == SweepPhase.Stopped;
        if (IsStopped || shown == request && isPaused == (phase == SweepPhase.Paused))
            return;
        if (shown != request)
            SweepFolder.Ask(files, folder.Path, shown);
        request = shown;
        isPaused = phase == SweepPhase.Paused;
        report.Paused(isPaused);
    }

    /// <summary>Unpacks the run folders of trials with which nothing more happens.</summary>
    private async Task FetchAsync(
        ClusterAccess cluster,
        Submission submission,
        Retry retry,
        CancellationToken stop
    )
    {
        foreach (var trial in board.Trials.Where(trial => trial.IsSettled))
        {
            if (fetched.Contains(trial.Number))
                continue;
            if (!IsHere(trial))
            {
                var archive = await retry.UntilDoneAsync(
                    () => cluster.Trials.GetAsync(TrialStore.KeyOf(submission.Key, trial.Number)),
                    stop
                );
                archive?.Unpack(folder.Trials.TrialOf(trial.Number));
                // The best model is trained again where it is missing; others are not needed.
                if (archive is not null && !IsHere(trial))
                    Directory.Delete(folder.Trials.TrialOf(trial.Number), recursive: true);
            }
            fetched.Add(trial.Number);
        }
    }

    /// <summary>Whether a trial's run folders have the models of its last result.</summary>
    private bool IsHere(SweepTrial trial) =>
        trial.Results[^1].Model
        == string.Join(
            ' ',
            file.Repeats.Parts.Select(part =>
            {
                var model = Path.Combine(
                    folder.Trials.RunOf(trial.Number, part),
                    RunFolder.ModelName
                );
                return File.Exists(model)
                    ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(model)))
                    : "none";
            })
        );
}
