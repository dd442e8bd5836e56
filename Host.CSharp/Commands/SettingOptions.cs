using System.CommandLine;
using System.Globalization;

namespace Pipeline.Training;

/// <summary>Every setting as an option <c>--Section:Name</c>. Values are taken as they stand: the
/// settings' own check judges them, whatever layer they come from.</summary>
internal static class SettingOptions
{
    /// <summary>Adds the options to a command; what it returns reads them.</summary>
    public static Func<ParseResult, Dictionary<string, string?>> AddTo(Command command)
    {
        (string Key, Option Option)[] options =
        [
            .. SettingCatalog.All.Select(setting => (setting.Key, Create(setting))),
        ];
        foreach (var (_, option) in options)
            command.Options.Add(option);
        command.TreatUnmatchedTokensAsErrors = false;
        return parsed =>
        {
            var given = Strays(parsed.UnmatchedTokens);
            foreach (var (key, option) in options)
            {
                if (parsed.GetResult(option) is { Implicit: false } result)
                {
                    given[$"{SettingsReader.Root}:{key}"] = string.Join(
                        ',',
                        result.Tokens.Select(token => token.Value)
                    );
                }
            }
            return given;
        };
    }

    /// <summary>The parser ends an option's name at a colon or an equals sign, whichever comes first;
    /// names here have colons, so an equals sign is cut beforehand.</summary>
    public static string[] SplitEquals(string[] arguments) =>
        [
            .. arguments.SelectMany(argument =>
                argument.StartsWith("--", StringComparison.Ordinal)
                && argument.IndexOf('=') is > 0 and var equals
                    ? new[] { argument[..equals], argument[(equals + 1)..] }
                    : [argument]
            ),
        ];

    /// <summary>What is no option becomes a setting that nobody knows, to be refused with all other
    /// faults.</summary>
    private static Dictionary<string, string?> Strays(IReadOnlyList<string> tokens)
    {
        var strays = new Dictionary<string, string?>();
        for (var i = 0; i < tokens.Count; i++)
        {
            var isOption = tokens[i].StartsWith("--", StringComparison.Ordinal);
            strays[$"{SettingsReader.Root}:{tokens[i].TrimStart('-')}"] = "";
            if (isOption && i + 1 < tokens.Count && !tokens[i + 1].StartsWith('-'))
                i++;
        }
        return strays;
    }

    private static Option Create(Setting setting)
    {
        var name = $"--{setting.Key}";
        return setting.IsList
            ? new Option<string[]>(name)
            {
                Description = Describe(setting),
                HelpName = "values",
                AllowMultipleArgumentsPerToken = true,
            }
            : new Option<string>(name) { Description = Describe(setting), HelpName = "value" };
    }

    private static string Describe(Setting setting) =>
        setting.Default is null
            ? setting.Description
            : $"{setting.Description} [default: {Convert.ToString(setting.Default, CultureInfo.InvariantCulture)}]";
}
