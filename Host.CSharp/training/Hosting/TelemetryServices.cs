using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Pipeline.Training;

/// <summary>The destination of metrics and traces.</summary>
internal enum TelemetryExporter
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>Standard output, for debugging.</summary>
    Console,

    /// <summary>An OpenTelemetry collector, whose address is given by OpenTelemetry's environment variables
    /// (OTEL_EXPORTER_OTLP_ENDPOINT).</summary>
    Otlp,
}

/// <summary>Adds OpenTelemetry with the instruments of the service and of the runtime.</summary>
internal static class TelemetryServices
{
    public static IServiceCollection AddTelemetry(
        this IServiceCollection services,
        TelemetryExporter exporter,
        string meter = TrainingMetrics.Name
    )
    {
        if (exporter == TelemetryExporter.None)
            return services;
        // Its listener must exist before OpenTelemetry starts.
        services.AddHostedService<TelemetryFaults>();
        services
            .AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("pipeline"))
            .WithMetrics(metrics =>
            {
                // The runtime's meter has figures of the garbage collector, threads and memory.
                metrics.AddMeter(meter, "System.Runtime");
                if (exporter == TelemetryExporter.Console)
                    metrics.AddConsoleExporter();
                else
                    metrics.AddOtlpExporter();
            })
            .WithTracing(traces =>
            {
                traces.AddSource(Spans.Name);
                if (exporter == TelemetryExporter.Console)
                    traces.AddConsoleExporter();
                else
                    traces.AddOtlpExporter();
            });
        return services;
    }
}
