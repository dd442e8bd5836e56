using System.Numerics;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The service: loads, trains, saves, and stops the host.</summary>
internal sealed class TrainingWorker(
    RunPlan plan,
    ExitStatus status,
    ConsoleReport report,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<TrainingWorker> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The host finishes starting first.
            await Task.Yield();
            plan.ApplyThreads();
            status.Outcome = plan.Precision.IsDouble
                ? await TrainAsync<double>(stoppingToken)
                : await TrainAsync<float>(stoppingToken);
        }
        catch (RefusedException refused)
        {
            report.Refused(refused.Reasons);
            status.Outcome = Outcome.Refused;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            status.Outcome = status.Stopped;
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            logger.RunUnsaved(unwritable.Message);
            status.Outcome = Outcome.Failed;
        }
        catch (Exception unexpected)
        {
            logger.RunFailed(unexpected);
            status.Outcome = Outcome.Failed; // a worker that merely throws leaves exit code 0
        }
        finally
        {
            lifetime.StopApplication();
        }
    }

    private async Task<Outcome> TrainAsync<T>(CancellationToken stop)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var start = clock.GetTimestamp();
        var settings = plan.Settings;
        var data = IdxFolder.Load<T>(settings.Data.Directory, settings.Data.Classes);
        var architecture = plan.ArchitectureFor(data.Train.Features);
        plan.CheckBatch(architecture);
        logger.DataLoaded(
            data.Train.Count,
            data.Test.Count,
            data.Train.Features,
            settings.Data.Directory,
            clock.GetElapsedTime(start).TotalSeconds
        );
        stop.ThrowIfCancellationRequested();

        using var folder = RunFolder.Create(plan, architecture, clock);
        folder.WriteSettings(plan, data.Hashes);
        var iterations = Runs.Iterations(plan.Hyperparameters, data.Train.Count);
        logger.RunStarted(
            architecture.ToString(),
            architecture.ParameterCount,
            iterations,
            plan.Hyperparameters.BatchSize,
            plan.Hyperparameters.LearningRate,
            plan.Hyperparameters.Gradient.ToString(),
            plan.Precision.ToString(),
            plan.Hyperparameters.Seed
        );
        if (plan.Hyperparameters.Gradient.IsNumerical)
            report.Numerical(architecture.ParameterCount, iterations);
        var curves = new Curves(iterations);
        var loop = new TrainingLoop<T>(plan, [folder, curves, report, new EpochLog(logger)], clock);
        var result = await report.TrackAsync(
            iterations,
            () => loop.RunAsync(data.Train, data.Test, stop)
        );

        var outcome = result.End switch
        {
            LoopEnd.Finished => Outcome.Completed,
            LoopEnd.Stopped => status.Stopped,
            _ => Outcome.Diverged,
        };
        var advice = Advice(result);
        var hash = Convert.ToHexStringLower(
            SHA256.HashData(Parameters.ToBytes(Trainer.Model(result.State).Parameters))
        );
        folder.WriteModel(result.State);
        folder.WriteCurves(curves, architecture.ToString());
        folder.WriteSummary(
            new Summary(
                Outcome: outcome.ToString().ToLowerInvariant(),
                Iterations: result.ReachedIteration,
                ModelIteration: result.State.Iteration,
                TrainSeconds: Math.Round(result.TrainSeconds, 4),
                TotalSeconds: Math.Round(clock.GetElapsedTime(start).TotalSeconds, 4),
                FinalTrainLoss: Finite(result.Kept?.Train.Loss),
                FinalTrainAccuracy: result.Kept?.Train.Accuracy,
                FinalTestLoss: Finite(result.Kept?.Test.Loss),
                FinalTestAccuracy: result.Kept?.Test.Accuracy,
                BestTestAccuracy: folder.Best?.Test.Accuracy,
                BestIteration: folder.Best?.Iteration,
                ParametersSha256: hash,
                Threads: plan.Threads,
                Precision: plan.Precision.ToString(),
                Seed: plan.Hyperparameters.Seed,
                Message: advice
            )
        );
        logger.RunEnded(
            outcome.ToString().ToLowerInvariant(),
            result.ReachedIteration,
            result.TrainSeconds,
            hash
        );
        report.Ended(
            outcome,
            result.ReachedIteration,
            result.Kept,
            result.TrainSeconds,
            advice,
            folder.Path
        );
        return outcome;
    }

    /// <summary>JSON has no word for other numbers.</summary>
    private static double? Finite(double? figure) =>
        figure is { } number && double.IsFinite(number) ? number : null;

    private string? Advice<T>(LoopResult<T> result)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var (what, kept) = result.End switch
        {
            LoopEnd.NotFinite => (
                "the loss is no longer a finite number",
                "the last whose loss was finite"
            ),
            LoopEnd.TooHigh => (
                "the mean loss of an epoch is above ten times the first loss",
                "where that epoch began"
            ),
            _ => ("", ""),
        };
        return what.Length == 0
            ? null
            : FormattableString.Invariant(
                $"The run diverged at iteration {result.ReachedIteration}: {what}. Lower Training:LearningRate, now {plan.Hyperparameters.LearningRate}. The model of iteration {result.State.Iteration}, {kept}, is kept."
            );
    }

    /// <summary>Epochs as structured messages.</summary>
    private sealed class EpochLog(ILogger logger) : IRunObserver
    {
        public void Stepped(in StepFigures step) { }

        public void Evaluated(EpochFigures epoch) =>
            logger.EpochEvaluated(
                epoch.Epoch,
                epoch.Iteration,
                epoch.Train.Loss,
                epoch.Train.Accuracy,
                epoch.Test.Loss,
                epoch.Test.Accuracy
            );

        public void Finished(EpochFigures kept) { }
    }
}
