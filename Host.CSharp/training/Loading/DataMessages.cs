using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Log messages about data. Event ids are unique in the program.</summary>
internal static partial class DataMessages
{
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
}
