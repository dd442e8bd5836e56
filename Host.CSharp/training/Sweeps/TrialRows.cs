using Pipeline.Learning;
using Pipeline.Learning.Interop;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>A sweep's trials as rows of a table.</summary>
internal static class TrialRows
{
    /// <summary>The titles of the columns.</summary>
    /// <param name="settings">What the varied settings are called.</param>
    /// <param name="goal">What is to improve.</param>
    public static string[] Titles(IEnumerable<string> settings, SweepGoal goal) =>
        ["trial", .. settings, "rung", goal.Name, "state"];

    /// <summary>A row for each trial that runs or has a result, the running ones first, then the best.</summary>
    /// <param name="board">The trials.</param>
    /// <param name="goal">What is to improve.</param>
    /// <param name="isRunning">Whether a trial runs.</param>
    /// <param name="state">What happens with a trial, in a word.</param>
    public static IEnumerable<string[]> Of(
        SweepBoard board,
        SweepGoal goal,
        Func<SweepTrial, bool> isRunning,
        Func<SweepTrial, string> state
    ) =>
        board
            .Trials.Where(isRunning)
            .Concat(SweepBoards.Ranking(board).Where(trial => !isRunning(trial)))
            .Select(trial =>
                (string[])
                    [
                        Invariant($"{trial.Number}"),
                        .. trial.Values,
                        Invariant($"{trial.Results.Length} of {board.Plan.Rungs.Length + 1}"),
                        TrialText.NumberOf(trial, goal),
                        state(trial),
                    ]
            );
}
