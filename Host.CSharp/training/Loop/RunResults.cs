using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Saves and reports the results of a run.</summary>
internal sealed class RunResults<T>(
    RunConfiguration configuration,
    ExitStatus status,
    ConsoleReport report,
    Func<TimeSpan> elapsed,
    ILogger logger
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Saves as much as the disk takes, and reports the end of the run.</summary>
    public FinishedRun<T> Save(
        LoopResult<T> result,
        TrainingData<T> data,
        RunFolder folder,
        CheckpointStore store,
        CheckpointWriter<T> writer,
        RunRecorder record
    )
    {
        // The picture takes a tenth of a second, most of it the JIT compiler's.
        var curves = Background.Start(() => record.Curves.ToSvg($"{result.Network.Architecture}"));
        var finished = data.Samples.Finish(result.Network);
        var model = data.ModelOf(finished.Network, configuration, result.Iteration);
        var outcome = OutcomeOf(result.End);
        var summary = RunSummary.Of(
            configuration,
            result,
            finished,
            model,
            outcome,
            data,
            record.History,
            elapsed
        );
        List<string> failures = [];
        // The summary is the last file: it is not written unless all others are.
        foreach (
            var save in (Action[])
                [
                    () => writer.Save(result.Position),
                    () => folder.WriteModel(model),
                    folder.Logs.Flush,
                    () => folder.WriteCurves(curves.GetAwaiter().GetResult()),
                    () =>
                    {
                        if (failures.Count == 0)
                            folder.WriteSummary(summary);
                    },
                ]
        )
        {
            try
            {
                store.FreeingSpace(save);
            }
            catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
            {
                failures.Add(trouble.Message.TrimEnd('.'));
            }
        }
        if (failures.Count > 0)
            logger.RunUnsaved(string.Join("; ", failures.Distinct()), writer.Newest, folder.Path);
        Report(result, outcome, summary, model, folder.Path);
        var saved = failures.Count == 0 ? outcome : Outcome.Failed;
        return new(saved, folder.Path, result.Iteration, model);
    }

    private Outcome OutcomeOf(LoopEnd end) =>
        end switch
        {
            LoopEnd.Finished or LoopEnd.Stalled => Outcome.Completed,
            LoopEnd.Stopped => status.Stopped,
            _ => Outcome.Diverged,
        };

    private void ReportDecision(Model<T> model, RunSummary summary)
    {
        if (configuration.Decision is not { } wanted)
            return;
        if (model.Decision.IsValueSome)
            logger.DecisionChosen(
                wanted.Class,
                model.Decision.Value.Threshold,
                summary.DecisionTestAccuracy ?? double.NaN
            );
        else
            logger.DecisionUnreached(wanted.Class);
    }

    private void ReportCoverage(Model<T> model)
    {
        if (configuration.Settings.Training.Coverage is null)
            return;
        if (model.Conformal.IsValueSome)
            logger.CoverageReached(CoverageText.Of(model));
        else
            logger.CoverageUnreached();
    }

    private void Report(
        LoopResult<T> result,
        Outcome outcome,
        RunSummary summary,
        Model<T> model,
        string folder
    )
    {
        logger.RunEnded(
            OutcomeText.Of(outcome),
            result.ReachedIteration,
            result.TrainSeconds,
            summary.ParametersSha256
        );
        if (summary.Temperature is { } temperature)
            logger.Calibrated(temperature);
        ReportDecision(model, summary);
        ReportCoverage(model);
        report.Ended(
            outcome,
            result.ReachedIteration,
            result.Kept,
            result.TrainSeconds,
            summary.Message,
            summary.Findings,
            folder
        );
    }
}
