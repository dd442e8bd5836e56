using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Pipeline.Training;

/// <summary><c>--help</c>. For the program: the commands, then the options that are not settings; <c>train
/// --help</c> lists those. For a command: the library's help with lines of readable length. The program has the
/// name of its tool.</summary>
internal sealed class RootHelp(HelpAction inner, SettingOptions settings)
    : SynchronousCommandLineAction
{
    private const int Widest = 100;
    private const string Options = "Options:";
    private const string Commands = "Commands:";

    private const string More =
        "Without a command, the program trains. Its settings are options: train --help lists them.\n";

    /// <summary>Replaces the library's help.</summary>
    public static void AddTo(RootCommand root, SettingOptions settings)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new RootHelp((HelpAction)help.Action!, settings);
    }

    /// <summary>Help is printed whatever else is on the command line.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        inner.MaxWidth = Math.Min(inner.MaxWidth, Widest);
        var isRoot = parseResult.CommandResult.Command is RootCommand;
        if (isRoot)
            settings.Hide();
        var configuration = parseResult.InvocationConfiguration;
        var output = configuration.Output;
        using var text = new StringWriter { NewLine = "\n" };
        configuration.Output = text;
        var code = inner.Invoke(parseResult);
        configuration.Output = output;
        var help = text.ToString()
            .Replace($"  {RootCommand.ExecutableName} ", "  pipeline ", StringComparison.Ordinal);
        if (
            parseResult.CommandResult.Parent is CommandResult
            {
                Command: not RootCommand and var parent
            }
        )
            help = Without(parent.Arguments, help);
        output.Write(isRoot ? Arranged(help) + More : help);
        return code;
    }

    /// <summary>The help of a command within another one, without the arguments of the outer one, which it does not
    /// take.</summary>
    private static string Without(IEnumerable<Argument> outer, string help)
    {
        foreach (var argument in outer)
        {
            var name = $"<{argument.Name}>";
            var lines = help.Replace($" {name} ", " ", StringComparison.Ordinal).Split('\n');
            help = string.Join(
                '\n',
                lines.Where(line => !line.TrimStart().StartsWith(name, StringComparison.Ordinal))
            );
        }
        return help;
    }

    /// <summary>The commands before the options.</summary>
    private static string Arranged(string text)
    {
        var options = text.IndexOf(Options, StringComparison.Ordinal);
        var commands = text.IndexOf(Commands, StringComparison.Ordinal);
        return options < 0 || commands < options
            ? text
            : $"{text[..options]}{text[commands..].TrimEnd()}\n\n{text[options..commands].TrimEnd()}\n\n";
    }
}
