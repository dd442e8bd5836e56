using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Log messages about checkpoints. Event ids are unique in the program.</summary>
internal static partial class CheckpointMessages
{
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
}
