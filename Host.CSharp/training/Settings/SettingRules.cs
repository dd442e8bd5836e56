using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Options;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Lengths of time in seconds, as limits of settings.</summary>
internal static class Seconds
{
    public const string Name = "seconds";
    public const double Day = 86_400;
    public const double Year = 31_536_000;
}

/// <summary>A rule for the values of a setting that only the host uses.</summary>
internal abstract class SettingRuleAttribute : ValidationAttribute
{
    /// <summary>The values that the setting accepts, as <c>--help</c> and the settings page list
    /// them.</summary>
    public abstract string Accepts { get; }

    /// <summary>The same in a refusal.</summary>
    protected virtual string Expected => Accepts;

    protected abstract bool Holds(object value);

    /// <summary>The refused value in a refusal.</summary>
    protected virtual string Found(object value) =>
        value is string ? $"'{value}'" : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    protected sealed override ValidationResult? IsValid(object? value, ValidationContext context) =>
        value is null || Holds(value)
            ? ValidationResult.Success
            : new(SettingsValidator.Text(KeyOf(context), Expected, Found(value)));

    private static string KeyOf(ValidationContext context) =>
        SettingCatalog
            .All.First(setting =>
                setting.Property.DeclaringType == context.ObjectType
                && setting.Property.Name == context.MemberName
            )
            .Key;
}

/// <summary>A number that is not below a limit.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AtLeastAttribute(long least) : SettingRuleAttribute
{
    public override string Accepts => $"{least} or more";

    protected override bool Holds(object value) =>
        Convert.ToInt64(value, CultureInfo.InvariantCulture) >= least;
}

/// <summary>A number between two limits.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class BetweenAttribute(double least, double most) : SettingRuleAttribute
{
    /// <summary>Whether the lower limit itself is refused.</summary>
    public bool IsLeastExcluded { get; init; }

    public string Unit { get; init; } = "";

    public override string Accepts =>
        FormattableString.Invariant(
            IsLeastExcluded
                ? $"above {least}, up to {most}"
                : (FormattableString)$"{least} to {most}"
        );

    protected override string Expected =>
        (
            IsLeastExcluded
                ? FormattableString.Invariant($"more than {least} and up to {most}")
                : Accepts
        ) + (Unit.Length == 0 ? "" : $" {Unit}");

    protected override bool Holds(object value)
    {
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        return number >= least && number <= most && !(IsLeastExcluded && number == least);
    }
}

/// <summary>A name of an enumeration, in any case of letters.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OneOfAttribute(Type names) : SettingRuleAttribute
{
    public override string Accepts => Listing.Of(Enum.GetNames(names), "or");

    protected override string Expected => $"one of {string.Join(", ", Enum.GetNames(names))}";

    protected override bool Holds(object value) => EnumNames.IsName(names, (string)value);
}

/// <summary>The end of a run folder's name.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FolderNameAttribute : SettingRuleAttribute
{
    public override string Accepts => RunFolder.Name;

    protected override bool Holds(object value) => RunFolder.CanBeName((string)value);
}

/// <summary>A file name with an ending.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EndingAttribute(string ending) : SettingRuleAttribute
{
    public override string Accepts => $"a name that ends in {ending}";

    protected override bool Holds(object value) =>
        ((string)value).EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What separates the cells of a .csv.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SeparatorAttribute : SettingRuleAttribute
{
    public override string Accepts =>
        "comma, semicolon, tab, bar, space, whitespace (runs of spaces and tabs), or another text without quotes and line ends";

    protected override bool Holds(object value) => CsvDialect.Parse((string)value) is not null;
}

/// <summary>The encoding of a text file.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EncodingNameAttribute : SettingRuleAttribute
{
    public override string Accepts =>
        "an encoding that .NET knows: utf-8, windows-1252, latin1, utf-16, shift_jis, …";

    protected override bool Holds(object value) => TextFile.IsEncoding((string)value);
}

/// <summary>An address of this machine.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AddressAttribute : SettingRuleAttribute
{
    public override string Accepts => "localhost or an IP address";

    protected override bool Holds(object value) => HealthSettings.TryParse((string)value, out _);
}

/// <summary>Checks the rules of all settings; the compiler generates the checks.</summary>
[OptionsValidator]
internal sealed partial class SettingsValidator : IValidateOptions<PipelineSettings>
{
    /// <summary>The faults of settings that break a rule.</summary>
    public static IEnumerable<Fault> FaultsOf(PipelineSettings settings) =>
        from failure in new SettingsValidator().Validate(null, settings).Failures ?? []
        let parts = failure.Split('\n', 3)
        select Faults.Create(parts[0], parts[1], parts[2]);

    /// <summary>A fault as the text that a validator can return.</summary>
    public static string Text(string key, string expected, string found) =>
        string.Join('\n', key, expected, found);
}
