using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Log messages of a service that watches its data. Event ids are unique in the program.</summary>
internal static partial class WatchMessages
{
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
}
