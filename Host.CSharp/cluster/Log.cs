using Microsoft.Extensions.Logging;

namespace Pipeline.Cluster;

/// <summary>All log messages of a cluster; the event ids do not change.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Worker} works for {Store} with {Slots}")]
    public static partial void Joined(
        this ILogger logger,
        string worker,
        string store,
        string slots
    );

    [LoggerMessage(
        2,
        LogLevel.Warning,
        "The cluster does not answer ({Reason}); calls are repeated"
    )]
    public static partial void ClusterTroubled(this ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Information, "The cluster answers again")]
    public static partial void ClusterAnswersAgain(this ILogger logger);

    [LoggerMessage(
        4,
        LogLevel.Information,
        "{Sweep}, trial {Trial}, rung {Rung}: attempt {Attempt} from iteration {Iteration}"
    )]
    public static partial void StageTaken(
        this ILogger logger,
        string sweep,
        int trial,
        int rung,
        int attempt,
        long iteration
    );

    [LoggerMessage(
        5,
        LogLevel.Information,
        "{Sweep}, trial {Trial}, rung {Rung}: done in {Seconds:F1} s"
    )]
    public static partial void StageDone(
        this ILogger logger,
        string sweep,
        int trial,
        int rung,
        double seconds
    );

    [LoggerMessage(6, LogLevel.Information, "{Sweep}, trial {Trial}: given back")]
    public static partial void StageReleased(this ILogger logger, string sweep, int trial);

    [LoggerMessage(7, LogLevel.Warning, "{Sweep}, trial {Trial}: another worker has it now")]
    public static partial void StageLost(this ILogger logger, string sweep, int trial);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "{Sweep}: {Reason} Another worker has to train it from the beginning."
    )]
    public static partial void ArchiveRefused(this ILogger logger, string sweep, string reason);

    [LoggerMessage(
        9,
        LogLevel.Warning,
        "{Sweep}, trial {Trial}: what is kept of it is damaged ({Reason}); it is trained from the beginning"
    )]
    public static partial void ArchiveDamaged(
        this ILogger logger,
        string sweep,
        int trial,
        string reason
    );

    [LoggerMessage(10, LogLevel.Error, "{Sentence}")]
    public static partial void WorkerNotes(this ILogger logger, string sentence);
}
