using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Every message, its number and its level.</summary>
internal static partial class Log
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "Loaded {Train} training and {Test} test samples of {Features} numbers from {Directory} in {Seconds:F2} s"
    )]
    public static partial void DataLoaded(
        this ILogger logger,
        int train,
        int test,
        int features,
        string directory,
        double seconds
    );

    [LoggerMessage(
        2,
        LogLevel.Information,
        "Training {Architecture} ({Parameters} parameters) for {Iterations} iterations of {BatchSize} samples, learning rate {LearningRate}, {Gradient}, {Precision} precision, seed {Seed}"
    )]
    public static partial void RunStarted(
        this ILogger logger,
        string architecture,
        long parameters,
        long iterations,
        int batchSize,
        double learningRate,
        string gradient,
        string precision,
        ulong seed
    );

    [LoggerMessage(
        3,
        LogLevel.Debug,
        "Epoch {Epoch} after {Iteration} iterations: training loss {TrainLoss:F4}, accuracy {TrainAccuracy:F4}; test loss {TestLoss:F4}, accuracy {TestAccuracy:F4}"
    )]
    public static partial void EpochEvaluated(
        this ILogger logger,
        long epoch,
        long iteration,
        double trainLoss,
        double trainAccuracy,
        double testLoss,
        double testAccuracy
    );

    [LoggerMessage(
        4,
        LogLevel.Information,
        "Run {Outcome} after {Iterations} iterations, {TrainSeconds:F2} s of training; parameters' SHA-256 {Sha256}"
    )]
    public static partial void RunEnded(
        this ILogger logger,
        string outcome,
        long iterations,
        double trainSeconds,
        string sha256
    );

    [LoggerMessage(8, LogLevel.Warning, "{Leakage}")]
    public static partial void DataLeaked(this ILogger logger, string leakage);

    [LoggerMessage(5, LogLevel.Error, "Run failed")]
    public static partial void RunFailed(this ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Debug, "{Signal} received: stopping after this step")]
    public static partial void SignalReceived(this ILogger logger, string signal);

    [LoggerMessage(
        7,
        LogLevel.Error,
        "The run ended because a file could not be read or written: {Reason}"
    )]
    public static partial void RunUnsaved(this ILogger logger, string reason);
}
