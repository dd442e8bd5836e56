using Microsoft.Extensions.Options;

namespace Pipeline.Training;

/// <summary>Says everything that is wrong with the settings, at start and at once.</summary>
internal sealed class SettingsValidator(SiftedConfiguration sifted)
    : IValidateOptions<PipelineSettings>
{
    public ValidateOptionsResult Validate(string? name, PipelineSettings options)
    {
        RunPlan.Create(options, out var faults);
        string[] all = [.. sifted.Faults, .. faults];
        return all.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(all);
    }
}
