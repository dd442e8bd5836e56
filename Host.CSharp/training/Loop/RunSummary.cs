using System.Numerics;
using System.Security.Cryptography;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The content of summary.json.</summary>
internal sealed record RunSummary(
    string Outcome,
    long Iterations,
    long ModelIteration,
    double TrainSeconds,
    double TotalSeconds,
    double? FinalTrainLoss,
    double? FinalTrainAccuracy,
    double? FinalTestLoss,
    double? FinalTestAccuracy,
    double? DecisionTestAccuracy,
    double? FinalValidationLoss,
    double? FinalValidationAccuracy,
    double? BestTestAccuracy,
    long? BestIteration,
    double? Temperature,
    string ParametersSha256,
    int Threads,
    string Precision,
    ulong Seed,
    string? Message,
    IReadOnlyList<string> Findings
)
{
    /// <summary>The number of training samples that are searched for stuck units.</summary>
    private const int Probe = 1000;

    /// <summary>The summary of a run.</summary>
    /// <param name="configuration">Its settings.</param>
    /// <param name="result">The result of its loop.</param>
    /// <param name="finished">The network that it saves.</param>
    /// <param name="model">The model of that network.</param>
    /// <param name="outcome">Its outcome.</param>
    /// <param name="data">Its samples.</param>
    /// <param name="history">Its evaluations.</param>
    /// <param name="elapsed">The time since it began, loading included.</param>
    public static RunSummary Of<T>(
        RunConfiguration configuration,
        LoopResult<T> result,
        FinishedNetwork<T> finished,
        Model<T> model,
        Outcome outcome,
        TrainingData<T> data,
        RunHistory history,
        Func<TimeSpan> elapsed
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        string[] findings =
        [
            .. FindingsOf(result, history.Losses, data).Select(finding => $"{finding}"),
            .. data.Loaded.Leakage is { } leakage ? [leakage] : Array.Empty<string>(),
        ];
        return new(
            Outcome: outcome.ToString().ToLowerInvariant(),
            Iterations: result.ReachedIteration,
            ModelIteration: result.Iteration,
            TrainSeconds: Math.Round(result.TrainSeconds, 4),
            TotalSeconds: Math.Round(elapsed().TotalSeconds, 4),
            FinalTrainLoss: result.Kept?.Train.Loss,
            FinalTrainAccuracy: result.Kept?.Train.Accuracy,
            FinalTestLoss: result.Kept?.Test.Loss,
            FinalTestAccuracy: result.Kept?.Test.Accuracy,
            DecisionTestAccuracy: model.Decision.IsValueSome
            && Evaluations.Create(EvaluationOptions.Default, model, data.Loaded.Test)
                is Evaluation.Classification { Item: var figures }
                ? figures.Accuracy
                : null,
            FinalValidationLoss: result.Kept?.Validation?.Loss,
            FinalValidationAccuracy: result.Kept?.Validation?.Accuracy,
            BestTestAccuracy: history.Best?.Test.Accuracy,
            BestIteration: history.Best?.Iteration,
            Temperature: finished.Temperature,
            ParametersSha256: Convert.ToHexStringLower(
                SHA256.HashData(Parameters.ToBytes(finished.Network.Parameters))
            ),
            Threads: configuration.Threads,
            Precision: configuration.Precision.ToString(),
            Seed: configuration.Hyperparameters.Seed,
            Message: result.Divergence?.ToString(),
            Findings: findings
        );
    }

    /// <summary>The findings from the losses of the epochs and the network; none for a run that was
    /// stopped.</summary>
    public static IEnumerable<Finding> FindingsOf<T>(
        LoopResult<T> result,
        IReadOnlyList<EpochLosses> losses,
        TrainingData<T> data
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (result.End == LoopEnd.Stopped)
            return [];
        var samples = data.Samples.Scaled();
        var train = samples.Learned;
        var probe = Dataset.Take([.. Enumerable.Range(0, Math.Min(Probe, train.Count))], train);
        return result.NotFinite is { } network
            ? Diagnosis.OfNumbers(result.Iteration + 1, network, probe)
            : Diagnosis.OfRun(data.Loaded.Classes, losses, result.Network, probe, train);
    }
}
