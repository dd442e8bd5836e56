using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A setting: its section, its property and its default.</summary>
internal sealed record Setting(string Section, PropertyInfo Property, object? Default)
{
    public string Key { get; } = $"{Section}:{Property.Name}";

    /// <summary>Whether a resumed run may have another value of it.</summary>
    public bool ChangeableOnResume { get; } =
        Property.IsDefined(typeof(ChangeableOnResumeAttribute))
        || Property.DeclaringType!.IsDefined(typeof(ChangeableOnResumeAttribute));

    /// <summary>Whether it is the length of a run.</summary>
    public bool IsLength => Key is "Training:Iterations" or "Training:Epochs";

    /// <summary>Whether it is a path.</summary>
    public bool IsPath =>
        Key
            is "Data:Directory"
                or "Data:Train"
                or "Data:Test"
                or "Run:Directory"
                or "Watch:Model"
                or "Serve:TokenFile"
                or "Cluster:Certificate";

    /// <summary>Whether it belongs to a machine, rather than to what a run learns: where the data are, and what the machine
    /// can hold.</summary>
    public bool IsOfMachine =>
        Key
            is "Data:Directory"
                or "Data:Train"
                or "Data:Test"
                or "Data:MaximumBytes"
                or "Training:Threads";

    public bool IsList => Property.PropertyType.IsArray;

    public string Description
    {
        get
        {
            var text = Property.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "";
            return Owners.Count == 0 ? text : $"of {Listing.Of(NamesOf(Owners), "and")}: {text}";
        }
    }

    /// <summary>The values that it accepts, in words. Ranges are written as "1 or more", "0 to 0.9", "above
    /// 0", "up to 1000" or "below 1", two of which may be combined with a comma.</summary>
    public string Accepts =>
        Property.GetCustomAttribute<AcceptsAttribute>()?.Values
        ?? Property.GetCustomAttribute<SettingRuleAttribute>()?.Accepts
        ?? (
            ChoicesOf(Key) is { } choices ? Listing.Of(choices.Select(choice => choice.Name), "or")
            : IsPath ? "a path"
            : IsList ? "a list"
            : ValueType == typeof(bool) ? "true or false"
            : "a text"
        );

    /// <summary>The default in words, or an empty text without a default.</summary>
    public string DefaultText =>
        Property.GetCustomAttribute<DefaultTextAttribute>()?.Text
        ?? (Owners.Count == 0 ? TextOf(Default) : DefaultsOf(Owners));

    /// <summary>The optimizers and schedules that this number applies to; empty for a setting that applies to
    /// all.</summary>
    private List<(string Name, double Default)> Owners =>
        Section != nameof(PipelineSettings.Training)
            ? []
            :
            [
                .. from choice in Choices.Optimizers.Concat(Choices.Schedules)
                from number in choice.Numbers
                where number.Name == Property.Name
                select (choice.Name, number.Default),
            ];

    private static IReadOnlyList<ChoiceDefinition>? ChoicesOf(string key) =>
        key switch
        {
            "Model:Activation" => Choices.Activations,
            "Training:Optimizer" => Choices.Optimizers,
            "Training:Schedule" => Choices.Schedules,
            _ => null,
        };

    private static IEnumerable<string> NamesOf(IEnumerable<(string Name, double Default)> owners) =>
        owners.Select(owner => owner.Name);

    /// <summary>The most frequent default, then the others with their owners: 0.999; of Lion
    /// 0.99.</summary>
    private static string DefaultsOf(List<(string Name, double Default)> owners) =>
        string.Join(
            "; ",
            owners
                .GroupBy(owner => owner.Default)
                .OrderByDescending(same => same.Count())
                .Select(
                    (same, i) =>
                        i == 0
                            ? NumberText(same.Key)
                            : $"of {Listing.Of(NamesOf(same), "and")} {NumberText(same.Key)}"
                )
        );

    private static string NumberText(double number) =>
        number.ToString(
            number is 0 or >= 1e-4 ? "0.####" : "0.####e-0",
            CultureInfo.InvariantCulture
        );

    private static string TextOf(object? value) =>
        value switch
        {
            Array list => string.Join(',', list.Cast<object>().Select(TextOf)),
            bool truth => truth ? "true" : "false",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };

    /// <summary>The type of the setting, or of one of its values.</summary>
    private Type ValueType =>
        IsList
            ? Property.PropertyType.GetElementType()!
            : Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;

    /// <summary>Whether it may be left unset, which is null in a file.</summary>
    public bool MayBeOpen => Default is null;

    /// <summary>The form of its values, in words.</summary>
    public string Kind =>
        ValueType switch
        {
            var type when type == typeof(string) => "a text that is not empty and has no NUL",
            var type when type == typeof(double) => "a number such as 0.05",
            var type when type == typeof(bool) => "true or false",
            var type when type == typeof(ulong) => $"a whole number of 0 to {ulong.MaxValue}",
            var type when type == typeof(long) => $"a whole number of up to {long.MaxValue}",
            _ => $"a whole number of up to {int.MaxValue}",
        };

    /// <summary>Reads a text as a value of the setting's type, as the binder reads it: a number has a decimal
    /// point and no thousands separators, and is finite.</summary>
    /// <returns>The value in the invariant culture; null if the text is not a value.</returns>
    public string? Read(string text)
    {
        var culture = CultureInfo.InvariantCulture;
        return ValueType switch
        {
            var type when type == typeof(string) => IsText(text) ? text : null,
            var type when type == typeof(double) => double.TryParse(
                text,
                NumberStyles.Float,
                culture,
                out var number
            ) && double.IsFinite(number)
                ? number.ToString("R", culture)
                : null,
            var type when type == typeof(bool) => bool.TryParse(text, out var truth)
                ? truth.ToString(culture)
                : null,
            var type when type == typeof(ulong) => ulong.TryParse(text, culture, out var whole)
                ? whole.ToString(culture)
                : null,
            var type when type == typeof(long) => long.TryParse(text, culture, out var whole)
                ? whole.ToString(culture)
                : null,
            _ => int.TryParse(text, culture, out var whole) ? whole.ToString(culture) : null,
        };
    }

    /// <summary>Whether a text can be a name or a path and can be written to a file: half of a surrogate pair
    /// cannot.</summary>
    private static bool IsText(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty; )
        {
            if (
                System.Text.Rune.DecodeFromUtf16(rest, out var rune, out var length)
                    != System.Buffers.OperationStatus.Done
                || rune.Value == 0
            )
                return false;
            rest = rest[length..];
        }
        return text.Length > 0;
    }
}
