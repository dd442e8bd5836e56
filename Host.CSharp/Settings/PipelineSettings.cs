using Microsoft.Extensions.Options;

namespace Pipeline.Training;

/// <summary>All settings: section <c>Pipeline</c> of appsettings.json, environment
/// variables <c>Pipeline__Section__Name</c>, options <c>--Section:Name</c>.</summary>
public sealed class PipelineSettings
{
    [ValidateObjectMembers]
    public DataSettings Data { get; init; } = new();
    public ModelSettings Model { get; init; } = new();
    public TrainingSettings Training { get; init; } = new();
    public AugmentationSettings Augmentation { get; init; } = new();

    [ValidateObjectMembers]
    public RunSettings Run { get; init; } = new();

    [ValidateObjectMembers]
    public WatchSettings Watch { get; init; } = new();

    [ValidateObjectMembers]
    public TelemetrySettings Telemetry { get; init; } = new();

    [ValidateObjectMembers]
    public HealthSettings Health { get; init; } = new();
}
