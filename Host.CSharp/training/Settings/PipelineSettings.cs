using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Pipeline.Training;

/// <summary>All settings: section <c>Pipeline</c> of appsettings.json, environment
/// variables <c>Pipeline__Section__Name</c>, options <c>--Section:Name</c>.</summary>
public sealed record PipelineSettings
{
    /// <summary>The section <c>Data</c>.</summary>
    [ValidateObjectMembers]
    public DataSettings Data { get; init; } = new();

    /// <summary>The section <c>Model</c>.</summary>
    public ModelSettings Model { get; init; } = new();

    /// <summary>The section <c>Training</c>.</summary>
    public TrainingSettings Training { get; init; } = new();

    /// <summary>The section <c>Augmentation</c>.</summary>
    public AugmentationSettings Augmentation { get; init; } = new();

    /// <summary>The section <c>Run</c>.</summary>
    [ValidateObjectMembers]
    public RunSettings Run { get; init; } = new();

    /// <summary>The section <c>Watch</c>.</summary>
    [ValidateObjectMembers]
    public WatchSettings Watch { get; init; } = new();

    /// <summary>The section <c>Sweep</c>.</summary>
    [ValidateObjectMembers]
    public SweepSettings Sweep { get; init; } = new();

    /// <summary>The section <c>Cluster</c>.</summary>
    [ValidateObjectMembers]
    public ClusterSettings Cluster { get; init; } = new();

    /// <summary>The section <c>Telemetry</c>.</summary>
    [ValidateObjectMembers]
    public TelemetrySettings Telemetry { get; init; } = new();

    /// <summary>The section <c>Health</c>.</summary>
    [ValidateObjectMembers]
    public HealthSettings Health { get; init; } = new();

    /// <summary>The section <c>Serve</c>.</summary>
    [ValidateObjectMembers]
    public ServeSettings Serve { get; init; } = new();

    /// <summary>The settings of a preset over the defaults; <c>with</c> changes some of them.</summary>
    /// <param name="preset">The name of a preset, such as <c>small-table</c>, or the path of a .json file with a
    /// section Pipeline.</param>
    /// <exception cref="RefusedException">There is no such preset, or its settings are invalid.</exception>
    public static PipelineSettings OfPreset(string preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        var layers = new ConfigurationManager();
        SettingLayers.AddFile(layers, 0, Presets.Find(preset, "the preset"));
        var read = SettingsReader.ReadChecked(layers);
        return read.Faults.Count == 0
            ? read.Values.Get<PipelineSettings>() ?? new()
            : throw new RefusedException(read.Faults);
    }
}
