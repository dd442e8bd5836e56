namespace Pipeline.Training;

/// <summary>The settings on a command line.</summary>
/// <param name="Values">By their full names, <c>Pipeline:Section:Name</c>.</param>
/// <param name="Preset">The preset.</param>
/// <param name="Run">The settings of a run, in the place of a preset's.</param>
/// <param name="IsForTraining">Whether training rows are needed.</param>
internal sealed record CommandLineSettings(
    IReadOnlyDictionary<string, string?> Values,
    string? Preset = null,
    IReadOnlyDictionary<string, string?>? Run = null,
    bool IsForTraining = true
);
