using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Checks the section <c>Logging</c>, which is read by .NET's logging: an invalid value would end
/// the program at the first message.</summary>
internal static class LoggingSettings
{
    public const string Section = "Logging";

    private const string Levels = "LogLevel";
    private const string ConsoleSection = "Console";
    private const string Formatter = "FormatterOptions";
    private const string Truth = "true or false";

    private static readonly string[] Formatters =
    [
        ConsoleFormatterNames.Simple,
        ConsoleFormatterNames.Json,
        ConsoleFormatterNames.Systemd,
    ];

    private static readonly Type[] ConsoleOptions = [typeof(ConsoleLoggerOptions)];

    private static readonly Type[] FormatterOptions =
    [
        typeof(SimpleConsoleFormatterOptions),
        typeof(JsonConsoleFormatterOptions),
    ];

    /// <summary>A sentence for each value that logging cannot use.</summary>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="addLogging">Adds the program's logging to services.</param>
    public static IReadOnlyList<string> FaultsOf(
        IConfigurationRoot configuration,
        Action<ILoggingBuilder> addLogging
    )
    {
        string[] faults =
        [
            .. from layer in configuration.Providers
            from entry in layer.Values(Section).Append((Key: Section, Value: Text(layer, Section)))
            where entry.Value is not null
            let expected = Expected(entry.Key, entry.Value)
            where expected is not null
            select SettingsReader.SentenceOf(
                entry.Key,
                entry.Key,
                expected,
                $"'{entry.Value}'",
                layer
            ),
        ];
        return faults.Length > 0 ? faults : Rehearse(addLogging);
    }

    private static string? Text(IConfigurationProvider layer, string key) =>
        layer.TryGet(key, out var text) ? text : null;

    /// <summary>The values that are accepted in the place of a value; null if it is valid.</summary>
    private static string? Expected(string key, string value)
    {
        var names = key.Split(':')[1..];
        var levels = Array.FindIndex(names, name => Is(name, Levels));
        if (levels is 0 or 1)
        {
            return names.Length > levels + 1 ? OneOf(typeof(LogLevel), value)
                : value.Length == 0 ? null
                : "a section with a level for each category";
        }
        return names switch
        {
            [var name] when Is(name, nameof(LoggerFilterOptions.CaptureScopes)) => bool.TryParse(
                value,
                out _
            )
                ? null
                : Truth,
            [] or [_] => ExpectedSection(value),
            [var provider, .. var options] when Is(provider, ConsoleSection) => ExpectedOption(
                options,
                value
            ),
            // Other providers are not used, so their settings are not checked.
            _ => null,
        };
    }

    /// <summary>An empty section of a file is an empty text.</summary>
    private static string? ExpectedSection(string value) =>
        value.Length == 0 ? null : SettingsReader.Section;

    /// <summary>The values that an option of the console accepts; null if the value is valid.</summary>
    /// <param name="names">The option's name, preceded by the names of its sections.</param>
    /// <param name="value">The value.</param>
    private static string? ExpectedOption(ReadOnlySpan<string> names, string value)
    {
        var types = ConsoleOptions;
        string[] sections = [Formatter, Levels];
        while (true)
        {
            var name = names[0];
            names = names[1..];
            var options = types
                .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
                .Where(option => option.CanWrite)
                // A text cannot be turned into an object such as an encoder.
                .Where(option => IsValue(option) || TypeOf(option).IsValueType)
                .ToArray();
            var isFormatter = types == ConsoleOptions && Is(name, Formatter);
            var option = Array.Find(options, option => Is(option.Name, name));
            if (!isFormatter && option is null)
            {
                var known = options.Select(option => option.Name).Concat(sections).Distinct();
                return NearestName.Of(name, known) is { } nearest
                    ? $"a known option of logging ({nearest} is the nearest)"
                    : $"one of {string.Join(", ", known)}";
            }
            if (isFormatter || !IsValue(option!))
            {
                if (names.Length == 0)
                    return ExpectedSection(value);
                types = isFormatter ? FormatterOptions : [TypeOf(option!)];
                sections = [];
            }
            else
            {
                return names.Length == 0
                    ? ExpectedValue(option!, value)
                    : $"nothing below {option!.Name}, as {option.Name} is a value";
            }
        }
    }

    private static Type TypeOf(PropertyInfo option) =>
        Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;

    /// <summary>Whether an option is a single value, not a section.</summary>
    private static bool IsValue(PropertyInfo option) =>
        TypeDescriptor.GetConverter(TypeOf(option)).CanConvertFrom(typeof(string));

    private static string? ExpectedValue(PropertyInfo option, string value) =>
        option.Name switch
        {
            nameof(ConsoleLoggerOptions.FormatterName) => Formatters.Contains(
                value,
                StringComparer.OrdinalIgnoreCase
            )
                ? null
                : $"one of {string.Join(", ", Formatters)}",
            nameof(ConsoleFormatterOptions.TimestampFormat) => IsFormat(value)
                ? null
                : "a format of dates and times, such as 'HH:mm:ss '",
            nameof(ConsoleLoggerOptions.MaxQueueLength) => int.TryParse(
                value,
                CultureInfo.InvariantCulture,
                out var length
            )
            && length > 0
                ? null
                : $"a whole number of 1 to {int.MaxValue}",
            _ when TypeOf(option).IsEnum => OneOf(TypeOf(option), value),
            _ when TypeOf(option) == typeof(bool) => bool.TryParse(value, out _) ? null : Truth,
            _ => IsTaken(option, value)
                ? null
                : $"a value that {option.DeclaringType!.Name}.{option.Name} takes",
        };

    private static bool Is(string name, string option) =>
        name.Equals(option, StringComparison.OrdinalIgnoreCase);

    /// <summary>The names of an enumeration; null if the value is one of them. Numbers are not
    /// accepted.</summary>
    private static string? OneOf(Type type, string value)
    {
        var names = Enum.GetNames(type);
        return names.Contains(value, StringComparer.OrdinalIgnoreCase)
            ? null
            : $"one of {string.Join(", ", names)}";
    }

    /// <summary>Whether an option can be set to a value: some setters check it.</summary>
    private static bool IsTaken(PropertyInfo option, string value)
    {
        var converter = TypeDescriptor.GetConverter(TypeOf(option));
        if (!converter.IsValid(value))
            return false;
        try
        {
            option.SetValue(
                Activator.CreateInstance(option.DeclaringType!),
                converter.ConvertFromInvariantString(value)
            );
            return true;
        }
        catch (TargetInvocationException)
        {
            return false;
        }
    }

    private static bool IsFormat(string format)
    {
        try
        {
            _ = DateTimeOffset.UnixEpoch.ToString(format, CultureInfo.InvariantCulture);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Makes logging read all its options, as the first message would.</summary>
    private static IReadOnlyList<string> Rehearse(Action<ILoggingBuilder> addLogging)
    {
        using var services = new ServiceCollection().AddLogging(addLogging).BuildServiceProvider();
        try
        {
            _ = services.GetRequiredService<IOptions<LoggerFilterOptions>>().Value;
            _ = services.GetRequiredService<ILoggerFactory>();
            return [];
        }
        catch (Exception unusable)
            when (unusable is InvalidOperationException or ArgumentException or FormatException
                || unusable is TargetInvocationException
            )
        {
            return
            [
                Faults
                    .Create(
                        Section,
                        "values that .NET's logging accepts",
                        unusable.GetBaseException().Message.TrimEnd('.')
                    )
                    .ToString(),
            ];
        }
    }
}
