using System.Globalization;
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
    /// <summary>So many training samples tell which units learn nothing.</summary>
    private const int Probe = 1000;

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
        var data = DataFiles.Load<T>(plan);
        var architecture = plan.ArchitectureFor(data.Train.Features, data.Train.Classes);
        plan.CheckBatch(architecture);
        logger.DataLoaded(
            data.Train.Count,
            data.Test.Count,
            data.Train.Features,
            settings.Data.Directory,
            clock.GetElapsedTime(start).TotalSeconds
        );
        if (data.Leakage is { } leakage)
            logger.DataLeaked(leakage);
        stop.ThrowIfCancellationRequested();
        var (train, validation) = plan.Split(data.Train);

        using var folder = RunFolder.Create(plan, architecture, clock);
        folder.WriteSettings(plan, data.Hashes);
        var iterations = Runs.Iterations(plan.Hyperparameters, train.Count);
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
        using var events = settings.Run.TensorBoard ? new EventFile(folder.Path, clock) : null;
        IRunObserver[] observers = [folder, curves, report, new EpochLog(logger)];
        var loop = new TrainingLoop<T>(
            plan,
            events is null ? observers : [.. observers, events],
            clock
        );
        var result = await report.TrackAsync(
            iterations,
            () => loop.RunAsync(train, validation, data.Test, stop)
        );

        var outcome = result.End switch
        {
            LoopEnd.Finished or LoopEnd.Stalled => Outcome.Completed,
            LoopEnd.Stopped => status.Stopped,
            _ => Outcome.Diverged,
        };
        var advice = Advice(result);
        string[] findings =
        [
            .. Findings(result, folder.Losses, train).Select(finding => $"{finding}"),
            .. data.Leakage is { } leaked ? [leaked] : Array.Empty<string>(),
        ];
        var hash = Convert.ToHexStringLower(
            SHA256.HashData(Parameters.ToBytes(result.Network.Parameters))
        );
        folder.WriteModel(
            Models.Create(
                result.Network,
                data.Preprocessing,
                data.Classes,
                Provenance(folder.Path, result.Iteration)
            )
        );
        folder.WriteCurves(curves, architecture.ToString());
        folder.WriteSummary(
            new Summary(
                Outcome: outcome.ToString().ToLowerInvariant(),
                Iterations: result.ReachedIteration,
                ModelIteration: result.Iteration,
                TrainSeconds: Math.Round(result.TrainSeconds, 4),
                TotalSeconds: Math.Round(clock.GetElapsedTime(start).TotalSeconds, 4),
                FinalTrainLoss: Finite(result.Kept?.Train.Loss),
                FinalTrainAccuracy: Finite(result.Kept?.Train.Accuracy),
                FinalTestLoss: Finite(result.Kept?.Test.Loss),
                FinalTestAccuracy: Finite(result.Kept?.Test.Accuracy),
                FinalValidationLoss: Finite(result.Kept?.Validation?.Loss),
                FinalValidationAccuracy: Finite(result.Kept?.Validation?.Accuracy),
                BestTestAccuracy: Finite(folder.Best?.Test.Accuracy),
                BestIteration: folder.Best?.Iteration,
                ParametersSha256: hash,
                Threads: plan.Threads,
                Precision: plan.Precision.ToString(),
                Seed: plan.Hyperparameters.Seed,
                Message: advice,
                Findings: findings
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
            findings,
            folder.Path
        );
        return outcome;
    }

    /// <summary>Where a model comes from, which its file keeps.</summary>
    private Dictionary<string, string> Provenance(string folder, long iteration) =>
        new()
        {
            ["run"] = Path.GetFileName(folder),
            ["iteration"] = iteration.ToString(CultureInfo.InvariantCulture),
            ["seed"] = plan.Hyperparameters.Seed.ToString(CultureInfo.InvariantCulture),
            ["program"] = $"Pipeline {RunFolder.Version}",
        };

    /// <summary>JSON has no word for other numbers.</summary>
    private static double? Finite(double? figure) =>
        figure is { } number && double.IsFinite(number) ? number : null;

    /// <summary>What a person might want to change, from the losses of the epochs and the
    /// network.</summary>
    private static IEnumerable<Finding> Findings<T>(
        LoopResult<T> result,
        IReadOnlyList<EpochLosses> losses,
        Dataset<T> train
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (result.End == LoopEnd.Stopped)
            return [];
        var probe = Dataset.Take([.. Enumerable.Range(0, Math.Min(Probe, train.Count))], train);
        return result.NotFinite is { } network
            ? Diagnosis.OfNumbers(result.Iteration + 1, network, probe)
            : [.. Diagnosis.OfLosses(losses), .. Diagnosis.OfUnits(result.Network, probe)];
    }

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
                $"The run diverged at iteration {result.ReachedIteration}: {what}. Lower Training:LearningRate, now {plan.Hyperparameters.LearningRate}. The model of iteration {result.Iteration}, {kept}, is kept."
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
