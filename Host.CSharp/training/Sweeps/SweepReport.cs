using System.Collections.Concurrent;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Spectre.Console;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>The report of a sweep on the console: in a terminal a table that is drawn again and again, elsewhere a line for
/// each result.</summary>
/// <param name="console">The terminal.</param>
/// <param name="output">Where lines are written.</param>
/// <param name="clock">Measures how fast the sweep is.</param>
/// <param name="file">The sweep.</param>
/// <param name="dividesRows">Whether test samples are rows of a table that has the training samples, too.</param>
internal sealed class SweepReport(
    IAnsiConsole console,
    TextWriter output,
    TimeProvider clock,
    SweepFile file,
    bool dividesRows
)
{
    /// <summary>The most rows of the table in a terminal.</summary>
    private const int MostRows = 16;

    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(400);

    private readonly ConcurrentDictionary<int, (long Iteration, long Total)> running = new();
    private long start;
    private int settledBefore;
    private bool isPaused;
    private bool isDrawn;

    /// <summary>Follows a sweep until the result is disposed.</summary>
    /// <param name="current">Gives the trials as they are now.</param>
    /// <param name="workers">Who works on it, in words.</param>
    public IDisposable Follow(Func<SweepBoard> current, string workers)
    {
        start = clock.GetTimestamp();
        var board = current();
        settledBefore = TrialText.SettledOf(board);
        var goal = file.Goal.Name;
        Line(
            Invariant(
                $"{file.Name}: {Counted.Of(board.Trials.Length, "trial")}, {settledBefore} settled; {workers}; goal {goal}"
            )
        );
        isDrawn = console.Profile.Capabilities.Interactive;
        return isDrawn ? new Drawing(this, current) : new Nothing();
    }

    /// <summary>A trial has made steps.</summary>
    public void Advanced(int trial, long iteration, long total) =>
        running[trial] = (iteration, total);

    /// <summary>A result was recorded.</summary>
    public void Recorded(SweepBoard board, int number, int rung)
    {
        var trial = board.Trials[number];
        running.TryRemove(number, out _);
        if (isDrawn)
            return;
        var stages = board.Plan.Rungs.Length + 1;
        var stage = stages == 1 ? "" : Invariant($", rung {rung + 1} of {stages}");
        Line(
            Invariant(
                $"trial {trial.Number}{stage} | {TrialText.SettingsOf(board.Plan, trial)} | {GoalOf(trial)} | {TrialText.StateOf(trial)}; {Progress(board)}"
            )
        );
    }

    public void Paused(bool paused)
    {
        isPaused = paused;
        if (!isDrawn)
            Line(paused ? "paused; sweep continue goes on" : "continued");
    }

    /// <summary>How many trials are settled, how many that is a minute, and the time left.</summary>
    private string Progress(SweepBoard board)
    {
        var settled = TrialText.SettledOf(board);
        var text = Invariant($"{settled} of {Counted.Of(board.Trials.Length, "trial")}");
        var minutes = clock.GetElapsedTime(start).TotalMinutes;
        if (settled <= settledBefore || minutes <= 0)
            return text;
        var rate = (settled - settledBefore) / minutes;
        var left = TimeSpan.FromMinutes(Math.Min((board.Trials.Length - settled) / rate, 1e7));
        return Invariant(
            $"{text}, {rate:G3} a minute, {Math.Floor(left.TotalHours):F0}:{left:mm\\:ss} left"
        );
    }

    private string GoalOf(SweepTrial trial) => TrialText.GoalOf(trial, file.Goal);

    /// <summary>The trials that run, then the best ones.</summary>
    private Table TableOf(SweepBoard board)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (
            var title in TrialRows.Titles(
                board.Plan.Settings.Select(TrialText.ShortName),
                file.Goal
            )
        )
            table.AddColumn(new TableColumn(Markup.Escape(VisibleText.Of(title))));
        var rows = TrialRows.Of(board, file.Goal, trial => trial.State.IsLeased, StateOf);
        foreach (var cells in rows.Take(MostRows))
            table.AddRow([.. cells.Select(cell => new Text(VisibleText.Of(cell)))]);
        table.Caption(Markup.Escape((isPaused ? "paused; " : "") + Progress(board)));
        return table;
    }

    private string StateOf(SweepTrial trial) =>
        trial.State.IsLeased && running.TryGetValue(trial.Number, out var at) && at.Total > 0
            ? Invariant($"running {100 * at.Iteration / at.Total} %")
            : TrialText.StateOf(trial);

    /// <summary>The end of a sweep, or of this part of it.</summary>
    public void Ended(
        SweepBoard board,
        IReadOnlyList<string> differences,
        string folder,
        string? bestRun,
        bool isDone
    )
    {
        Line(
            Invariant(
                $"{(isDone ? "completed" : "stopped")}: {TrialText.SettledOf(board)} of {Counted.Of(board.Trials.Length, "trial")} settled, {board.Trials.Count(trial => trial.State.IsDone)} of them trained to the end"
            )
        );
        if (SweepBoards.Best(board) is { } best)
        {
            Line(
                Invariant(
                    $"best: trial {best.Number} | {TrialText.SettingsOf(board.Plan, best)} | {GoalOf(best)}"
                )
            );
            if (
                isDone
                && bestRun is not null
                && JsonText.ReadOrNull<RunSummary>(() =>
                    File.ReadAllBytes(Path.Combine(bestRun, RunFolder.SummaryFile))
                )
                    is { } summary
            )
            {
                var accuracy = summary.FinalTestAccuracy is { } share
                    ? Invariant($", accuracy {share:F4}")
                    : "";
                var decision = summary.DecisionTestAccuracy is { } answered
                    ? Invariant($", {answered:F4} with Training:Decision")
                    : "";
                var uncalibrated = summary.Temperature is null ? "" : " before calibration";
                Line(
                    Invariant(
                        $"its model on {TestSamples}: loss{uncalibrated} {summary.FinalTestLoss:G5}{accuracy}{decision}"
                    )
                );
            }
        }
        foreach (var difference in differences)
            Line(difference);
        Line($"sweep folder: {folder}");
        if (!isDone)
            Line("to resume: the same command again");
    }

    /// <summary>The test samples, and what they had to do with the choice: folds have all rows of
    /// Data:Train, and every seed divides the rows in its own way.</summary>
    private string TestSamples =>
        !dividesRows ? "the test samples, which chose nothing"
        : file.Repeats.Folds is not null
            ? "test samples that were in the folds, too (Data:Test names separate ones)"
        : file.Repeats.Seeds > 1 || file.Plan.Settings.Contains("Training:Seed")
            ? "test samples that other seeds learned from (Data:Test names separate ones)"
        : "the test samples, which chose nothing";

    private void Line(string text)
    {
        output.WriteLine(VisibleText.Of(text));
        output.Flush();
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose() { }
    }

    private Task DrawAsync(Func<SweepBoard> current, CancellationToken end) =>
        console
            .Live(TableOf(current()))
            .StartAsync(async context =>
            {
                while (!end.IsCancellationRequested)
                {
                    context.UpdateTarget(TableOf(current()));
                    await Task.Delay(Frame, end)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                context.UpdateTarget(TableOf(current()));
            });

    /// <summary>Draws the table until it is disposed.</summary>
    private sealed class Drawing : IDisposable
    {
        private readonly CancellationTokenSource end = new();
        private readonly Task drawing;

        public Drawing(SweepReport report, Func<SweepBoard> current) =>
            drawing = Task.Run(() => report.DrawAsync(current, end.Token));

        public void Dispose()
        {
            end.Cancel();
            drawing.GetAwaiter().GetResult();
            end.Dispose();
        }
    }
}
