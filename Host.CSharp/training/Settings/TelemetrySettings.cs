using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>Metrics and traces.</summary>
[Description("Metrics and traces.")]
[ChangeableOnResume]
public sealed record TelemetrySettings
{
    /// <summary>Destination of metrics and traces; Otlp: an OpenTelemetry collector. Accepts: None, Console or
    /// Otlp. Default: None.</summary>
    [Description("destination of metrics and traces; Otlp: an OpenTelemetry collector")]
    [OneOf(typeof(TelemetryExporter))]
    public string Exporter { get; init; } = "None";
}
