using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Every log message; event ids are unique in the program. All are in one class because the generator of
/// their code writes several classes in an order that changes from build to build.</summary>
internal static partial class Log
{
    // Data.

    [LoggerMessage(
        1,
        LogLevel.Information,
        "Loaded {Train} training, {Validation} validation and {Test} test samples of {Features} numbers from {Directory} in {Seconds:F2} s{Description}"
    )]
    public static partial void DataLoaded(
        this ILogger logger,
        int train,
        int validation,
        int test,
        int features,
        string directory,
        double seconds,
        string description
    );

    [LoggerMessage(20, LogLevel.Warning, "{Leakage}")]
    public static partial void DataLeaked(this ILogger logger, string leakage);

    [LoggerMessage(43, LogLevel.Warning, "{Warning}")]
    public static partial void DataDoubtful(this ILogger logger, string warning);

    [LoggerMessage(17, LogLevel.Warning, "The data or settings were refused. {Reason}")]
    public static partial void DataRefused(this ILogger logger, string reason);

    [LoggerMessage(44, LogLevel.Information, "{Note}")]
    public static partial void DataNote(this ILogger logger, string note);

    // Runs.

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

    [LoggerMessage(
        45,
        LogLevel.Information,
        "Calibrated: outputs are divided by a temperature of {Temperature:F3}, which fits the validation samples"
    )]
    public static partial void Calibrated(this ILogger logger, double temperature);

    [LoggerMessage(
        46,
        LogLevel.Information,
        "Class {Class} is answered if its probability is at least {Threshold:F4}: test accuracy {Accuracy:F4}. The accuracies of epochs are those of the most probable class"
    )]
    public static partial void DecisionChosen(
        this ILogger logger,
        string @class,
        double threshold,
        double accuracy
    );

    [LoggerMessage(
        47,
        LogLevel.Warning,
        "Training:Decision: no threshold for class {Class} reaches the precision on the validation samples; the most probable class is answered"
    )]
    public static partial void DecisionUnreached(this ILogger logger, string @class);

    [LoggerMessage(48, LogLevel.Information, "Coverage: {Coverage}")]
    public static partial void CoverageReached(this ILogger logger, string coverage);

    [LoggerMessage(
        49,
        LogLevel.Warning,
        "Training:Coverage: the predictions of the validation samples are not numbers; the model has no sets or intervals"
    )]
    public static partial void CoverageUnreached(this ILogger logger);

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

    // Checkpoints.

    [LoggerMessage(
        8,
        LogLevel.Debug,
        "Checkpoint of iteration {Iteration}: {Bytes} bytes in {Milliseconds:F1} ms"
    )]
    public static partial void CheckpointSaved(
        this ILogger logger,
        long iteration,
        long bytes,
        double milliseconds
    );

    [LoggerMessage(
        9,
        LogLevel.Warning,
        "The checkpoint of iteration {Iteration} could not be written; the run continues. {Newest}: {Reason}"
    )]
    public static partial void CheckpointFailed(
        this ILogger logger,
        long iteration,
        string newest,
        string reason
    );

    [LoggerMessage(10, LogLevel.Warning, "Skipped a damaged checkpoint. {Fault}")]
    public static partial void CheckpointDamaged(this ILogger logger, string fault);

    // A service that watches its data.

    [LoggerMessage(31, LogLevel.Information, "Deleted {Folder} (Run:Kept is {Kept})")]
    public static partial void RunDeleted(this ILogger logger, string folder, int kept);

    [LoggerMessage(32, LogLevel.Warning, "{Folder} could not be deleted: {Reason}")]
    public static partial void RunNotDeleted(this ILogger logger, string folder, string reason);

    [LoggerMessage(
        13,
        LogLevel.Information,
        "Published the model of {Run} as {Model}: {Score}; previous model: {Before}"
    )]
    public static partial void ModelPublished(
        this ILogger logger,
        string run,
        string model,
        string score,
        string before
    );

    [LoggerMessage(
        14,
        LogLevel.Warning,
        "Rejected the model of {Run}: {Score}; model in use: {Used}"
    )]
    public static partial void ModelKept(
        this ILogger logger,
        string run,
        string score,
        string used
    );

    [LoggerMessage(
        15,
        LogLevel.Warning,
        "The model in use cannot be read and is replaced. {Fault}"
    )]
    public static partial void ModelUnreadable(this ILogger logger, string fault);

    [LoggerMessage(16, LogLevel.Information, "Waiting for changes in {Directory}")]
    public static partial void Waiting(this ILogger logger, string directory);

    [LoggerMessage(
        18,
        LogLevel.Information,
        "Starting from the network of {Run} (Watch:WarmStart)"
    )]
    public static partial void WarmStarted(this ILogger logger, string run);

    [LoggerMessage(
        19,
        LogLevel.Warning,
        "The run starts from scratch, as the network of {Run} cannot be used. {Reason}"
    )]
    public static partial void ColdStarted(this ILogger logger, string run, string reason);

    [LoggerMessage(
        41,
        LogLevel.Warning,
        "The model in use, {Model}, cannot be evaluated on these data and is replaced. {Reason}"
    )]
    public static partial void ModelIncomparable(this ILogger logger, string model, string reason);

    [LoggerMessage(
        42,
        LogLevel.Warning,
        "{Folder} diverged with these settings and data; no further run is started with them"
    )]
    public static partial void DivergedBefore(this ILogger logger, string folder);

    // The process, and reports as log messages.

    [LoggerMessage(27, LogLevel.Information, "{Line}")]
    public static partial void Reported(this ILogger logger, string line);

    [LoggerMessage(28, LogLevel.Error, "{Reason}")]
    public static partial void Refused(this ILogger logger, string reason);

    [LoggerMessage(29, LogLevel.Warning, "{Advice}")]
    public static partial void Advised(this ILogger logger, string advice);

    [LoggerMessage(
        30,
        LogLevel.Warning,
        "OpenTelemetry: {Reason} (logged once; metrics or traces may be missing)"
    )]
    public static partial void TelemetryFailed(this ILogger logger, string reason);

    [LoggerMessage(6, LogLevel.Debug, "{Signal} received: stopping after this step")]
    public static partial void SignalReceived(this ILogger logger, string signal);

    [LoggerMessage(
        22,
        LogLevel.Warning,
        "Standard output cannot be written any more; the run continues without it: {Reason}"
    )]
    public static partial void OutputFailed(this ILogger logger, string reason);
}
