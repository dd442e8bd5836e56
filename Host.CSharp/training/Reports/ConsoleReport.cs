using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Spectre.Console;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>The report of a run on the console: a line for each epoch and, for long runs, the speed and the
/// time left: as a progress bar in a terminal, elsewhere as a line at intervals. If a log is given, all of it
/// is logged instead.</summary>
internal sealed class ConsoleReport(
    IAnsiConsole console,
    TextWriter output,
    TextWriter errors,
    TimeProvider clock,
    ILogger? log = null
) : IRunObserver
{
    /// <summary>The interval of lines without a progress bar.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private ProgressTask? bar;
    private long every = 1;
    private long total;
    private long first;
    private long lineTime;
    private long lineIteration;

    /// <param name="from">The iteration that the run starts at.</param>
    /// <param name="iterations">The last iteration.</param>
    /// <param name="run">The run.</param>
    public async Task<TResult> TrackAsync<TResult>(
        long from,
        long iterations,
        Func<Task<TResult>> run
    )
    {
        (first, total) = (from, iterations);
        Remember(from);
        if (log is not null || !console.Profile.Capabilities.Interactive)
            return await run();
        every = Math.Max(1, iterations / 500);
        return await console
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .StartAsync(async context =>
            {
                bar = context.AddTask("training", maxValue: Math.Max(1, iterations - from));
                try
                {
                    return await Task.Run(run);
                }
                finally
                {
                    bar = null;
                }
            });
    }

    /// <summary>Reports the cost of the numerical gradient: two losses for each parameter.</summary>
    public void Numerical(long parameters, long iterations)
    {
        var each = 2 * parameters;
        Line(
            Invariant(
                $"numerical gradient: {each:N0} loss evaluations an iteration, {(decimal)each * iterations:N0} in all"
            )
        );
    }

    public void Stepped(in StepFigures step)
    {
        if (bar is null)
        {
            Plain(step);
            return;
        }
        if (step.Iteration % every != 0)
            return;
        bar.Value = step.Iteration - first;
        bar.Description = Invariant(
            $"iteration {step.Iteration}, loss {step.Loss:F3}, {step.Iteration / step.Seconds:F0}/s"
        );
    }

    /// <summary>Prints a line if the last one was long ago.</summary>
    private void Plain(in StepFigures step)
    {
        var silence = clock.GetElapsedTime(lineTime);
        if (silence < Silence)
            return;
        var rate = (step.Iteration - lineIteration) / silence.TotalSeconds;
        var left = TimeSpan.FromSeconds(Math.Min((total - step.Iteration) / rate, 1e9));
        var time = Invariant($"{Math.Floor(left.TotalHours):F0}:{left:mm\\:ss}");
        if (log is not null)
            log.Progress(step.Iteration, total, step.Loss, rate, time);
        else
            Line(
                Invariant(
                    $"iteration {step.Iteration} of {total} | loss: {step.Loss:F4}{Pace(rate)}, {time} left"
                )
            );
        Remember(step.Iteration);
    }

    private void Remember(long iteration) =>
        (lineTime, lineIteration) = (clock.GetTimestamp(), iteration);

    public void Evaluated(EpochFigures epoch)
    {
        if (log is not null)
            log.EpochEvaluated(epoch);
        else
            Line(Invariant($"epoch {epoch.Epoch} | {Accuracies(epoch)}"));
        Remember(epoch.Iteration);
    }

    public void Ended(
        Outcome outcome,
        long iterations,
        EpochFigures? kept,
        double seconds,
        string? advice,
        IEnumerable<string> findings,
        string folder
    )
    {
        var pace = iterations == 0 ? "" : Pace(iterations / Math.Max(seconds, 1e-9));
        // The log has a message for that already.
        if (log is null)
            Line(
                Invariant(
                    $"{OutcomeText.Of(outcome)}: {Steps(iterations)} in {seconds:F2} s of training{pace}"
                )
            );
        if (kept is not null)
        {
            if (log is not null)
                log.EpochEvaluated(kept);
            else
                Line(Invariant($"final | {Accuracies(kept)}"));
        }
        foreach (var finding in findings)
            Line(finding);
        Line($"run folder: {folder}");
        if (outcome is not (Outcome.Completed or Outcome.Diverged))
            Line($"to resume: train --resume {Quoted(folder)}");
        if (advice is null)
            return;
        if (log is not null)
            log.Advised(advice);
        else
            errors.WriteLine(advice);
    }

    /// <summary>A path as one argument of a shell.</summary>
    private static string Quoted(string path) => path.Any(char.IsWhiteSpace) ? $"\"{path}\"" : path;

    public void Refused(IEnumerable<string> reasons)
    {
        foreach (var reason in reasons)
        {
            if (log is not null)
                log.Refused(reason);
            else
                errors.WriteLine(VisibleText.Of(reason));
        }
    }

    private static string Accuracies(EpochFigures epoch)
    {
        // Predicted numbers have no accuracy.
        if (double.IsNaN(epoch.Train.Accuracy))
        {
            return Invariant($"train loss: {epoch.Train.Loss:G6}, test loss: {epoch.Test.Loss:G6}");
        }
        var validation = epoch.Validation is { } score
            ? Invariant($" validation acc: {score.Accuracy:F4},")
            : "";
        return Invariant(
            $"train acc: {epoch.Train.Accuracy:F4},{validation} test acc: {epoch.Test.Accuracy:F4}"
        );
    }

    private static string Steps(long iterations) =>
        iterations == 1 ? "1 iteration" : Invariant($"{iterations} iterations");

    private static string Pace(double rate) =>
        rate >= 1 ? Invariant($" ({rate:F0} a second)") : Invariant($" ({1 / rate:F1} s each)");

    /// <summary>Prints a line, above the progress bar if there is one.</summary>
    private void Line(string text)
    {
        if (log is not null)
            log.Reported(text);
        else if (bar is null)
            output.WriteLine(VisibleText.Of(text));
        else
            console.WriteLine(VisibleText.Of(text));
    }
}
