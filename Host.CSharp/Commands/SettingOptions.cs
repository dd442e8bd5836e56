using System.CommandLine;
using System.Globalization;

namespace Pipeline.Training;

/// <summary>What a command line says of settings.</summary>
/// <param name="Values">By their full names, <c>Pipeline:Section:Name</c>.</param>
/// <param name="Preset">A file of settings to lay over the defaults.</param>
/// <param name="Run">The settings of a run, which stand where a preset's would.</param>
/// <param name="IsForTraining">Whether training rows are needed.</param>
internal sealed record GivenSettings(
    IReadOnlyDictionary<string, string?> Values,
    string? Preset = null,
    IReadOnlyDictionary<string, string?>? Run = null,
    bool IsForTraining = true
);

/// <summary>Settings as options <c>--Section:Name</c>. Values are taken as they stand: the settings' own
/// check judges them, whatever layer they come from.</summary>
internal sealed class SettingOptions
{
    private readonly (Setting Setting, Option Option)[] options =
    [
        .. SettingCatalog.All.Select(setting => (setting, Create(setting))),
    ];

    private readonly Option<string> preset = new("--preset")
    {
        Description =
            $"settings to start from: {string.Join(", ", Presets.Names)}, or a .json file of your own",
        HelpName = "name",
    };

    /// <summary>Adds the options of those settings that mean something to the command.</summary>
    public void AddTo(Command command, Func<Setting, bool> matters, bool hasPreset = true)
    {
        if (hasPreset)
            command.Options.Add(preset);
        foreach (var (setting, option) in options)
        {
            if (matters(setting))
                command.Options.Add(option);
        }
    }

    /// <summary>What the command line sets.</summary>
    public GivenSettings Read(ParseResult parsed)
    {
        var values = new Dictionary<string, string?>();
        foreach (var (setting, option) in options)
        {
            if (parsed.GetResult(option) is { Implicit: false } result)
            {
                values[$"{SettingsReader.Root}:{setting.Key}"] = string.Join(
                    ',',
                    result.Tokens.Select(token => token.Value)
                );
            }
        }
        return new(values, parsed.GetValue(preset));
    }

    /// <summary>Everything that is wrong with a command line that could not be parsed, and with the
    /// settings it gives.</summary>
    public IEnumerable<string> Faults(ParseResult parsed)
    {
        var strays = parsed.UnmatchedTokens;
        foreach (var stray in strays.Where((_, i) => i == 0 || !IsOption(strays[i - 1])))
        {
            yield return IsOption(stray)
                ? Unknown(stray.TrimStart('-'), parsed)
                : Learning
                    .Interop.Faults.Create(
                        stray,
                        $"a command ({string.Join(", ", parsed.RootCommandResult.Command.Subcommands.Select(command => command.Name))}) or an option (--help lists them)",
                        "neither"
                    )
                    .ToString();
        }
        foreach (var error in parsed.Errors)
        {
            if (
                !strays.Any(stray => error.Message.Contains($"'{stray}'", StringComparison.Ordinal))
            )
                yield return error.Message;
        }
    }

    private string Unknown(string key, ParseResult parsed) =>
        SettingCatalog.Find(key) is null && $"--{key}" != preset.Name
            ? SettingsReader.Unknown(key)
            : Learning
                .Interop.Faults.Create(
                    key,
                    $"a setting that {parsed.CommandResult.Command.Name} uses (--help lists them)",
                    "one that it does not"
                )
                .ToString();

    /// <summary>The parser ends an option's name at a colon or an equals sign, whichever comes first;
    /// names here have colons, so an equals sign is cut beforehand.</summary>
    public static string[] SplitEquals(string[] arguments) =>
        [
            .. arguments.SelectMany(argument =>
                IsOption(argument) && argument.IndexOf('=') is > 0 and var equals
                    ? new[] { argument[..equals], argument[(equals + 1)..] }
                    : [argument]
            ),
        ];

    private static bool IsOption(string token) => token.StartsWith("--", StringComparison.Ordinal);

    private static Option Create(Setting setting)
    {
        // What a person types often has a short name.
        string[] names = setting.Key == "Run:Resume" ? ["--resume"] : [];
        return setting.IsList
            ? new Option<string[]>($"--{setting.Key}", names)
            {
                Description = Describe(setting),
                HelpName = "values",
            }
            : new Option<string>($"--{setting.Key}", names)
            {
                Description = Describe(setting),
                HelpName = "value",
            };
    }

    private static string Describe(Setting setting) =>
        Said(setting.Default) is { Length: > 0 } said
            ? $"{setting.Description} [default: {said}]"
            : setting.Description;

    private static string? Said(object? value) =>
        value is Array list
            ? string.Join(',', list.Cast<object>().Select(Said))
            : Convert.ToString(value, CultureInfo.InvariantCulture);
}
