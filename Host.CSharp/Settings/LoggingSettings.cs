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

/// <summary>Checks the section <c>Logging</c>, which .NET's own logging reads: a value that it cannot use
/// would end the program at the first message.</summary>
internal static class LoggingSettings
{
    public const string Section = "Logging";

    private const string Levels = "LogLevel";

    private static readonly string[] Formatters =
    [
        ConsoleFormatterNames.Simple,
        ConsoleFormatterNames.Json,
        ConsoleFormatterNames.Systemd,
    ];

    /// <summary>The options of the console and of its formatters, by their names.</summary>
    private static readonly ILookup<string, Type> Options = new[]
    {
        typeof(ConsoleLoggerOptions),
        typeof(SimpleConsoleFormatterOptions),
        typeof(JsonConsoleFormatterOptions),
    }
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        .ToLookup(
            option => option.Name,
            option => option.PropertyType,
            StringComparer.OrdinalIgnoreCase
        );

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
            from entry in layer.Values(Section)
            where entry.Value is not null
            let expected = Expected(entry.Key, entry.Value)
            where expected is not null
            select Faults
                .Create(entry.Key, expected, $"'{entry.Value}' ({layer.Source(entry.Key)})")
                .ToString(),
        ];
        return faults.Length > 0 ? faults : Rehearse(addLogging);
    }

    /// <summary>What would be right in the place of a value; null where that is right.</summary>
    private static string? Expected(string key, string value)
    {
        var (section, name) = Split(key);
        if (name.Equals(Levels, StringComparison.OrdinalIgnoreCase))
            return value.Length == 0 ? null : "a section with a level for each category";
        if (Split(section).Name.Equals(Levels, StringComparison.OrdinalIgnoreCase))
            return OneOf(typeof(LogLevel), value);
        return name switch
        {
            _ when Is(name, nameof(ConsoleLoggerOptions.FormatterName)) => Formatters.Contains(
                value,
                StringComparer.OrdinalIgnoreCase
            )
                ? null
                : $"one of {string.Join(", ", Formatters)}",
            _ when Is(name, nameof(ConsoleFormatterOptions.TimestampFormat)) => IsFormat(value)
                ? null
                : "a format of dates and times, such as 'HH:mm:ss '",
            _ when Is(name, nameof(ConsoleLoggerOptions.MaxQueueLength)) => int.TryParse(
                value,
                CultureInfo.InvariantCulture,
                out var length
            )
            && length > 0
                ? null
                : $"a whole number of 1 to {int.MaxValue}",
            _ => Options[name].FirstOrDefault() is not { } type || Converts(type, value) ? null
            : type.IsEnum ? OneOf(type, value)
            : type == typeof(bool) ? "true or false"
            : $"a value of the type {type.Name}",
        };
    }

    private static bool Is(string name, string option) =>
        name.Equals(option, StringComparison.OrdinalIgnoreCase);

    private static (string Section, string Name) Split(string key)
    {
        var end = key.LastIndexOf(':');
        return (key[..Math.Max(0, end)], key[(end + 1)..]);
    }

    /// <summary>The names of an enumeration, of which numbers are none; null where the value is one.</summary>
    private static string? OneOf(Type type, string value)
    {
        var names = Enum.GetNames(type);
        return names.Contains(value, StringComparer.OrdinalIgnoreCase)
            ? null
            : $"one of {string.Join(", ", names)}";
    }

    private static bool Converts(Type type, string value) =>
        type.IsEnum
            ? OneOf(type, value) is null
            : !TypeDescriptor.GetConverter(type).CanConvertFrom(typeof(string))
                || TypeDescriptor.GetConverter(type).IsValid(value);

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

    /// <summary>Lets logging read all its options, as the first message would.</summary>
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
                        "values that .NET's logging takes",
                        unusable.GetBaseException().Message.TrimEnd('.')
                    )
                    .ToString(),
            ];
        }
    }
}
