using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Pipeline.Training;

/// <summary>Where metrics and traces go.</summary>
public enum TelemetryExporter
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>To standard output, for a look at them.</summary>
    Console,

    /// <summary>To an OpenTelemetry collector; where that is, OpenTelemetry's own environment variables
    /// say (OTEL_EXPORTER_OTLP_ENDPOINT).</summary>
    Otlp,
}

/// <summary>OpenTelemetry around the service's own instruments and the runtime's.</summary>
internal static class TelemetryServices
{
    public static IServiceCollection AddTelemetry(
        this IServiceCollection services,
        TelemetryExporter exporter
    )
    {
        services.AddMetrics().AddSingleton<TrainingMetrics>();
        if (exporter == TelemetryExporter.None)
            return services;
        // Its listener is there before OpenTelemetry starts.
        services.AddHostedService<TelemetryFaults>();
        services
            .AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("pipeline"))
            .WithMetrics(metrics =>
            {
                // The runtime's meter tells of the collector, threads and memory.
                metrics.AddMeter(TrainingMetrics.Name, "System.Runtime");
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
