using System.ComponentModel;

namespace Pipeline.Training;

[Description("Metrics and traces.")]
[ChangeableOnResume]
public sealed class TelemetrySettings
{
    [Description("where metrics and traces go; Otlp: to an OpenTelemetry collector")]
    [OneOf(typeof(TelemetryExporter))]
    public string Exporter { get; init; } = "None";
}
