using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Logs the warnings and errors of OpenTelemetry, for example of an endpoint that does not answer,
/// each kind once. Without it OpenTelemetry fails silently.</summary>
internal sealed class TelemetryFaults(ILogger<TelemetryFaults> logger)
    : EventListener,
        IHostedService
{
    private readonly ConcurrentDictionary<string, bool> logged = new();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name.StartsWith("OpenTelemetry-", StringComparison.Ordinal))
            EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        // The other sources warn about instruments and logs that are not used.
        var isOfUse =
            eventData.Level <= EventLevel.Error
            || eventData.EventSource.Name.StartsWith(
                "OpenTelemetry-Exporter",
                StringComparison.Ordinal
            )
            || eventData.EventName == "InvalidConfigurationValue";
        if (!isOfUse)
            return;
        if (!logged.TryAdd($"{eventData.EventSource.Name} {eventData.EventId}", true))
            return;
        logger.TelemetryFailed(
            string.Format(
                CultureInfo.InvariantCulture,
                eventData.Message ?? eventData.EventName ?? eventData.EventSource.Name,
                [.. (eventData.Payload ?? (IEnumerable<object?>)[]).Select(FirstLine)]
            )
        );
    }

    /// <summary>An exception's message without its stack trace.</summary>
    private static string FirstLine(object? value) =>
        $"{value}".Split('\n', StringSplitOptions.TrimEntries)[0];
}
