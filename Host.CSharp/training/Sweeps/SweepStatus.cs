using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A sweep as its files show it, whether or not a process works on it.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="File">Its plan.</param>
/// <param name="Board">Its trials; those that a process has taken wait here.</param>
/// <param name="Running">The numbers of the trials that run.</param>
/// <param name="Differences">Sentences about trials of which two results differ.</param>
/// <param name="State">running, paused, stopped or completed.</param>
internal sealed record SweepStatus(
    string Path,
    SweepFile File,
    SweepBoard Board,
    IReadOnlySet<int> Running,
    IReadOnlyList<string> Differences,
    string State
)
{
    /// <summary>The state of a sweep whose process waits.</summary>
    public const string Paused = "paused";

    /// <summary>Reads the folder of a sweep.</summary>
    /// <exception cref="RefusedException">It is not one, or its files are damaged.</exception>
    public static SweepStatus Read(string path)
    {
        if (!SweepFolder.IsSweep(path))
        {
            throw RefusedException.Of(
                path,
                $"the folder of a sweep, which holds {SweepFolder.PlanName} and {SweepFolder.BoardName}",
                Directory.Exists(path) ? "another folder" : "no such folder"
            );
        }
        var file = SweepFile.Read(System.IO.Path.Combine(path, SweepFolder.PlanName));
        var name = System.IO.Path.Combine(path, SweepFolder.BoardName);
        var stored = BoardFile.Read(name);
        var board = stored.Restore(file.Plan, name);
        var isHeld = SweepFolder.IsRunning(path);
        var state =
            board.IsDone && !isHeld ? "completed"
            : !isHeld ? "stopped"
            : SweepFolder.RequestOf(path) == SweepRequest.Pause ? Paused
            : TrialText.Running;
        var running = isHeld ? stored.Trials.Where(trial => trial.State == TrialText.Running) : [];
        return new(
            System.IO.Path.GetFullPath(path),
            file with
            {
                Name = System.IO.Path.GetFileName(
                    System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))
                ),
            },
            board,
            running.Select(trial => trial.Number).ToHashSet(),
            stored.Differences,
            state
        );
    }

    /// <summary>What happens with a trial, in a word.</summary>
    public string StateOf(SweepTrial trial) =>
        Running.Contains(trial.Number) ? TrialText.Running : TrialText.StateOf(trial);

    /// <summary>The titles of <see cref="Rows"/>.</summary>
    public IReadOnlyList<string> Titles => TrialRows.Titles(Board.Plan.Settings, File.Goal);

    /// <summary>A row for each trial that runs or has a result, the running ones first, then the best.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows =>
        [.. TrialRows.Of(Board, File.Goal, trial => Running.Contains(trial.Number), StateOf)];

    /// <summary>How far it is, in a sentence.</summary>
    public string Summary
    {
        get
        {
            var best = SweepBoards.Best(Board) is { } trial
                ? FormattableString.Invariant(
                    $"; best: trial {trial.Number}, {TrialText.GoalOf(trial, File.Goal)}"
                )
                : "";
            return FormattableString.Invariant(
                $"{State}: {TrialText.SettledOf(Board)} of {Counted.Of(Board.Trials.Length, "trial")} settled{best}"
            );
        }
    }
}
