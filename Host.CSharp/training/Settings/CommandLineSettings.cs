namespace Pipeline.Training;

/// <summary>The settings on a command line.</summary>
/// <param name="Values">By their full names, <c>Pipeline:Section:Name</c>.</param>
/// <param name="Preset">The preset.</param>
/// <param name="Run">The settings of a run, in the place of a preset's.</param>
/// <param name="IsForTraining">Whether training rows are needed.</param>
/// <param name="Plan">The settings of a sweep's plan, in the place of a run's.</param>
/// <param name="Trial">The values of a sweep's trial, which override all others.</param>
internal sealed record CommandLineSettings(
    IReadOnlyDictionary<string, string?> Values,
    string? Preset = null,
    IReadOnlyDictionary<string, string?>? Run = null,
    bool IsForTraining = true,
    NamedSettings? Plan = null,
    NamedSettings? Trial = null
);

/// <summary>Settings with their origin in words.</summary>
/// <param name="Source">The origin.</param>
/// <param name="Values">By their full names, <c>Pipeline:Section:Name</c>.</param>
internal sealed record NamedSettings(string Source, IReadOnlyDictionary<string, string?> Values);
