using System.Globalization;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Trials in words and numbers.</summary>
internal static class TrialText
{
    public const string Diverged = "diverged";
    public const string Running = "running";

    /// <summary>What happens with a trial, in a word.</summary>
    public static string StateOf(SweepTrial trial) =>
        trial.State.IsDone ? "done"
        : trial.State.IsStopped
            ? double.IsFinite(trial.Results[^1].Deficit) ? "stopped"
                : Diverged
        : trial.State.IsLeased ? Running
        : trial.State.IsUndecided ? "undecided"
        : "waiting";

    /// <summary>A figure of a trial's newest result; NaN without one.</summary>
    public static double FigureOf(SweepTrial trial, SweepGoal goal) =>
        trial.Results.IsEmpty || !double.IsFinite(trial.Results[^1].Deficit)
            ? double.NaN
            : goal.ValueOf(trial.Results[^1].Figures);

    /// <summary>The same figure as a text.</summary>
    public static string NumberOf(SweepTrial trial, SweepGoal goal) =>
        ReportTable.Number(FigureOf(trial, goal), "G5");

    /// <summary>The goal and the figure: ValidationAccuracy 0.98.</summary>
    public static string GoalOf(SweepTrial trial, SweepGoal goal) =>
        $"{goal.Name} {NumberOf(trial, goal)}";

    /// <summary>The number of trials with which nothing more happens.</summary>
    public static int SettledOf(SweepBoard board) => board.Trials.Count(trial => trial.IsSettled);

    /// <summary>The name of a trial's folder.</summary>
    public static string FolderOf(int number) =>
        number.ToString("D4", CultureInfo.InvariantCulture);

    /// <summary>A setting's name without its section.</summary>
    public static string ShortName(string setting) => setting[(setting.IndexOf(':') + 1)..];

    /// <summary>A trial's settings: LearningRate 0.5, Hidden 100.</summary>
    public static string SettingsOf(SweepPlan plan, SweepTrial trial) =>
        string.Join(
            ", ",
            plan.Settings.Zip(trial.Values, (name, value) => $"{ShortName(name)} {value}")
        );
}
