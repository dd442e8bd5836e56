using Microsoft.Extensions.Logging;

namespace Pipeline.Serving;

/// <summary>The messages of serving.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Model {Name} is now {Sha256}")]
    public static partial void ModelReplaced(this ILogger logger, string name, string sha256);

    [LoggerMessage(2, LogLevel.Warning, "Model {Name} stays {Sha256}: {Fault}")]
    public static partial void ModelStays(
        this ILogger logger,
        string name,
        string sha256,
        string fault
    );

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "Model {Name}: samples have drifted from training. {Sentence}"
    )]
    public static partial void DriftBegan(this ILogger logger, string name, string sentence);

    [LoggerMessage(
        5,
        LogLevel.Information,
        "Model {Name}: {Samples} samples are as in training again"
    )]
    public static partial void DriftEnded(this ILogger logger, string name, long samples);

    [LoggerMessage(
        6,
        LogLevel.Information,
        "Model {Name}: drift is not watched, as the file has no statistics of training"
    )]
    public static partial void DriftUnwatched(this ILogger logger, string name);

    [LoggerMessage(3, LogLevel.Error, "A request failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception);
}
