using System.CommandLine;
using System.CommandLine.Parsing;

namespace Pipeline.Training;

/// <summary>Settings as options <c>--Section:Name</c>. Values are taken unchecked: they are checked together
/// with those of other layers.</summary>
internal sealed class SettingOptions
{
    private readonly (Setting Setting, Option Option)[] options =
    [
        .. SettingCatalog.All.Select(setting => (setting, Create(setting))),
    ];

    private readonly Option<string> preset = new("--preset")
    {
        Description =
            $"preset of settings: {string.Join(", ", Presets.Names)}, or the path of a .json file",
        HelpName = "name",
    };

    /// <summary>Adds options for the settings that the command uses.</summary>
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

    /// <summary>Hides them in the help.</summary>
    public void Hide()
    {
        foreach (var (_, option) in options)
            option.Hidden = true;
    }

    /// <summary>The settings that the command line gives. Invalid options are left out.</summary>
    public CommandLineSettings Read(ParseResult parsed)
    {
        var values = new Dictionary<string, string?>();
        foreach (var (setting, option) in options)
        {
            if (Values(parsed, option) is { Length: > 0 } said)
                values[$"{SettingsReader.Root}:{setting.Key}"] = string.Join(',', said);
        }
        return new(values, Values(parsed, preset).FirstOrDefault());
    }

    /// <summary>The values of an option on the command line, empty if there are more than it
    /// accepts.</summary>
    private static string[] Values(ParseResult parsed, Option option) =>
        parsed.GetResult(option) is { Implicit: false } result
        && result.Tokens.Count <= option.Arity.MaximumNumberOfValues
            ? [.. result.Tokens.Select(token => token.Value)]
            : [];

    /// <summary>All errors of a command line that could not be parsed.</summary>
    public IEnumerable<string> Faults(ParseResult parsed)
    {
        var strays = parsed.UnmatchedTokens;
        foreach (var stray in strays.Where((_, i) => i == 0 || !IsOption(strays[i - 1])))
            yield return IsOption(stray)
                ? Unknown(stray, parsed.CommandResult.Command)
                : Stray(stray, parsed);
        var command = parsed.CommandResult.Command;
        foreach (var argument in command.Arguments)
        {
            if (IsMissing(parsed.GetResult(argument)?.Tokens, argument.Arity))
                yield return Sentence(argument.Name, argument.Description!, "nothing");
        }
        foreach (var option in command.Options)
        {
            if (option.Required && parsed.GetResult(option) is null or { Implicit: true })
                yield return Sentence(option.Name, option.Description!, "nothing");
        }
        foreach (var error in parsed.Errors)
        {
            if (
                !IsOfMissing(error)
                && !strays.Any(stray =>
                    error.Message.Contains($"'{stray}'", StringComparison.Ordinal)
                )
            )
                yield return Said(error);
        }
    }

    private static bool IsMissing(IReadOnlyList<Token>? tokens, ArgumentArity arity) =>
        (tokens?.Count ?? 0) < arity.MinimumNumberOfValues;

    /// <summary>Whether an error of the parser says that an argument or a required option is
    /// missing.</summary>
    private static bool IsOfMissing(ParseError error) =>
        error.SymbolResult switch
        {
            CommandResult or OptionResult { Implicit: true } => true,
            ArgumentResult { Argument: var argument, Tokens: var tokens } => IsMissing(
                tokens,
                argument.Arity
            ),
            _ => false,
        };

    /// <summary>An error of the parser, in the form of a fault.</summary>
    private static string Said(ParseError error)
    {
        if (error.SymbolResult is not OptionResult { Option: var option, Tokens: var tokens })
            return error.Message;
        if (tokens.Count > option.Arity.MaximumNumberOfValues)
        {
            var values = string.Join(", ", tokens.Select(token => $"'{token.Value}'"));
            return Sentence(option.Name, "one value", $"{tokens.Count} ({values})");
        }
        return tokens.Count < option.Arity.MinimumNumberOfValues
            ? Sentence(option.Name, "a value", "none")
            : error.Message;
    }

    private static string Stray(string stray, ParseResult parsed)
    {
        var root = parsed.RootCommandResult.Command;
        var command = parsed.CommandResult.Command;
        string[] commands = [.. root.Subcommands.Select(each => each.Name)];
        var expected =
            command != root ? $"an option of {command.Name} (--help lists them)"
            : NearestName.Of(stray, commands) is { } nearest
                ? $"a command ({nearest} is the nearest) or an option (--help lists them)"
            : $"a command ({string.Join(", ", commands)}) or an option (--help lists them)";
        return Sentence(
            stray.Length == 0 ? "''" : stray,
            expected,
            command == root ? "neither" : "another argument"
        );
    }

    /// <summary>Whether an argument looks like an option.</summary>
    public static bool IsOption(string token) => token.StartsWith("--", StringComparison.Ordinal);

    /// <summary>A sentence for an option unknown to the command.</summary>
    public string Unknown(string said, Command command)
    {
        var key = said.TrimStart('-');
        string[] names = [.. command.Options.Select(option => option.Name)];
        var source = $"(option {said})";
        if (ChoiceOption.Find(names, said) is { } meant)
        {
            return Sentence(
                key,
                $"{meant}, as option names are case-sensitive",
                $"another name {source}"
            );
        }
        var others = names.Select(name => name.TrimStart('-'));
        return SettingCatalog.Find(key) is null && $"--{key}" != preset.Name
            ? Sentence(key, SettingsReader.Known(key, others), $"an unknown one {source}")
            : Sentence(
                key,
                $"a setting that {command.Name} uses (--help lists them)",
                $"another setting {source}"
            );
    }

    private static string Sentence(string subject, string expected, string found) =>
        Learning.Interop.Faults.Create(subject, expected, found).ToString();

    /// <summary>The parser ends an option's name at a colon or an equals sign, whichever comes first; as
    /// names of settings contain colons, an equals sign is split off first.</summary>
    public static string[] SplitEquals(string[] arguments)
    {
        // Arguments after two dashes are not options.
        var end = Array.IndexOf(arguments, "--");
        return
        [
            .. arguments.SelectMany(
                (argument, place) =>
                    IsOption(argument)
                    && (end < 0 || place < end)
                    && argument.IndexOf('=') is > 0 and var equals
                        ? new[] { argument[..equals], argument[(equals + 1)..] }
                        : [argument]
            ),
        ];
    }

    private static Option Create(Setting setting)
    {
        // Frequent options have short names.
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

    private static string Describe(Setting setting)
    {
        var text = $"{setting.Description} ({setting.Accepts})";
        return setting.DefaultText.Length > 0 ? $"{text} [default: {setting.DefaultText}]" : text;
    }
}
