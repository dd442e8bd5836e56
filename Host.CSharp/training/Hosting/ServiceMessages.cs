using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Log messages of the process, and reports as log messages. Event ids are unique in the program.</summary>
internal static partial class ServiceMessages
{
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
