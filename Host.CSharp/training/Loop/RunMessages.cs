using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Log messages about runs. Event ids are unique in the program.</summary>
internal static partial class RunMessages
{
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

    // Numbers that are not finite are passed as texts, as JSON does not have them.
    [LoggerMessage(
        3,
        LogLevel.Information,
        "Epoch {Epoch} after {Iteration} iterations, {Seconds:F2} s of training: training loss {TrainLoss:F4}, accuracy {TrainAccuracy:F4}; test loss {TestLoss:F4}, accuracy {TestAccuracy:F4}"
    )]
    private static partial void EpochEvaluated(
        this ILogger logger,
        long epoch,
        long iteration,
        double seconds,
        object trainLoss,
        object trainAccuracy,
        object testLoss,
        object testAccuracy
    );

    [LoggerMessage(
        25,
        LogLevel.Information,
        "Epoch {Epoch} after {Iteration} iterations, {Seconds:F2} s of training: training loss {TrainLoss:G6}, test loss {TestLoss:G6}"
    )]
    private static partial void EpochEvaluated(
        this ILogger logger,
        long epoch,
        long iteration,
        double seconds,
        object trainLoss,
        object testLoss
    );

    /// <summary>The figures of an evaluation; for predicted numbers, the losses only.</summary>
    public static void EpochEvaluated(this ILogger logger, EpochFigures epoch)
    {
        if (double.IsNaN(epoch.Train.Accuracy))
            logger.EpochEvaluated(
                epoch.Epoch,
                epoch.Iteration,
                epoch.Seconds,
                Number(epoch.Train.Loss),
                Number(epoch.Test.Loss)
            );
        else
            logger.EpochEvaluated(
                epoch.Epoch,
                epoch.Iteration,
                epoch.Seconds,
                Number(epoch.Train.Loss),
                Number(epoch.Train.Accuracy),
                Number(epoch.Test.Loss),
                Number(epoch.Test.Accuracy)
            );
    }

    [LoggerMessage(
        26,
        LogLevel.Information,
        "Iteration {Iteration} of {Iterations}: loss {Loss:F4}, {Rate:F1} iterations a second, {Left} left"
    )]
    private static partial void Progress(
        this ILogger logger,
        long iteration,
        long iterations,
        object loss,
        double rate,
        string left
    );

    public static void Progress(
        this ILogger logger,
        long iteration,
        long iterations,
        double loss,
        double rate,
        string left
    ) => logger.Progress(iteration, iterations, Number(loss), rate, left);

    private static object Number(double number) =>
        double.IsFinite(number)
            ? number
            : number.ToString(System.Globalization.CultureInfo.InvariantCulture);

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

    [LoggerMessage(5, LogLevel.Error, "Run failed")]
    public static partial void RunFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        7,
        LogLevel.Error,
        "The run ended because a file could not be read or written: {Reason}"
    )]
    public static partial void RunUnsaved(this ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Information, "Resuming {Folder} from iteration {Iteration}")]
    public static partial void RunResumed(this ILogger logger, string folder, long iteration);

    [LoggerMessage(
        12,
        LogLevel.Error,
        "Some results could not be saved: {Reason}. {Newest}. After freeing disk space, resume the run with train --resume {Folder}"
    )]
    public static partial void RunUnsaved(
        this ILogger logger,
        string reason,
        string newest,
        string folder
    );

    [LoggerMessage(
        21,
        LogLevel.Warning,
        "The event file for TensorBoard cannot be written and ends here; the run continues. {Path}: {Reason}"
    )]
    public static partial void EventsEnded(this ILogger logger, string path, string reason);

    [LoggerMessage(
        23,
        LogLevel.Error,
        "The run ended unexpectedly at iteration {Iteration}; train --resume {Folder} resumes it from its newest checkpoint"
    )]
    public static partial void RunBroken(this ILogger logger, long iteration, string folder);

    [LoggerMessage(
        24,
        LogLevel.Warning,
        "{Folder} is resumed with its own Run:ProgressEvery, {Kept}; the given value, {Given}, applies to new runs only"
    )]
    public static partial void CadenceKept(
        this ILogger logger,
        string folder,
        string kept,
        string given
    );

    [LoggerMessage(
        40,
        LogLevel.Warning,
        "{Folder} is not resumed. {Reasons} Its files are unchanged; train --resume {Folder} resumes it once these reasons are resolved"
    )]
    public static partial void RunNotResumed(this ILogger logger, string folder, string reasons);
}
