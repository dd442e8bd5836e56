using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The model that a command is about.</summary>
internal static class ModelArgument
{
    public static Argument<string> Create(string name = "model") =>
        new(name)
        {
            Description =
                $"a run folder, or a {FileKinds.Models} file; of a run without a model, its newest checkpoint",
        };
}

/// <summary>What to take for true of a model whose file does not say it, PyTorch's say.</summary>
internal sealed class AssumptionOptions
{
    private readonly Option<string> activation = new("--activation")
    {
        Description = "the hidden layers' activation, where the model's file does not say it",
        HelpName = "name",
    };

    private readonly Option<string> head = new("--head")
    {
        Description =
            "Softmax, Sigmoid or Identity, where the model's file does not say it [default: Softmax]",
        HelpName = "name",
    };

    private readonly Option<string> layers = new("--layers")
    {
        Description =
            "the layers' names from the input's side, as hidden,head, where they have no numbers that tell the order",
        HelpName = "names",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(activation);
        command.Options.Add(head);
        command.Options.Add(layers);
    }

    /// <exception cref="RefusedException">A name is unknown.</exception>
    public ModelDefaults Read(ParseResult parsed) =>
        Models.Defaults(
            parsed.GetValue(activation) is { } unit
                ? Parse.Activation(unit).OrThrow(Refused(activation))
                : null,
            parsed.GetValue(head) is { } output ? Parse.Head(output).OrThrow(Refused(head)) : null,
            Names(parsed.GetValue(layers))
        );

    private static string[] Names(string? list) =>
        list is null ? []
        : list.Split(',', StringSplitOptions.TrimEntries) is var names && !names.Contains("")
            ? names
        : throw new RefusedException([
            DataFile.Sentence("--layers", "names with commas between them", $"'{list}'"),
        ]);

    private static Func<IReadOnlyList<Fault>, Exception> Refused(Option<string> option) =>
        faults => new RefusedException(
            faults.Select(fault => Faults.Of(option.Name, fault).ToString())
        );
}
