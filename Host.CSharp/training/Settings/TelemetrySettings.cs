using System.ComponentModel;

namespace Pipeline.Training;

[Description("Metrics and traces.")]
[ChangeableOnResume]
public sealed record TelemetrySettings
{
    [Description("destination of metrics and traces; Otlp: an OpenTelemetry collector")]
    [OneOf(typeof(TelemetryExporter))]
    public string Exporter { get; init; } = "None";
}
