using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The argument that names a model.</summary>
internal static class ModelArgument
{
    public static Argument<string> Create(string name = "model") =>
        new(name)
        {
            Description =
                $"a run folder, or a {FileKinds.Models} file; if a run has no model yet, its newest checkpoint is used",
        };
}

/// <summary>Options for what a model's file does not contain, a PyTorch file for example.</summary>
internal sealed class AssumptionOptions
{
    private readonly Option<string> activation = new("--activation")
    {
        Description = "activation of the hidden layers, if the model's file does not contain it",
        HelpName = "name",
    };

    private readonly Option<string> head = new("--head")
    {
        Description =
            "Softmax, Sigmoid or Identity, if the model's file does not contain it [default: Softmax]",
        HelpName = "name",
    };

    private readonly Option<string> layers = new("--layers")
    {
        Description =
            "names of the layers in order from the input, such as hidden,head, if the names have no numbers",
        HelpName = "names",
    };

    private readonly Option<string> architecture = new("--architecture")
    {
        Description =
            "the layers in order from the input as in Model:Layers, such as \"conv2d 6 5, relu, maxpool2d 2, dense 10\", if the model's file does not contain them",
        HelpName = "layers",
    };

    private readonly Option<string> shape = new("--shape")
    {
        Description =
            "shape of a sample with --architecture: 784, or channels x rows x columns as 1x28x28",
        HelpName = "shape",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(activation);
        command.Options.Add(head);
        command.Options.Add(layers);
        command.Options.Add(architecture);
        command.Options.Add(shape);
    }

    /// <exception cref="RefusedException">A name is unknown.</exception>
    public ModelDefaults Read(ParseResult parsed) =>
        Models.Defaults(
            parsed.GetValue(activation) is { } unit
                ? Parse.Activation(unit).OrThrow(Refused(activation))
                : null,
            parsed.GetValue(head) is { } output ? Parse.Head(output).OrThrow(Refused(head)) : null,
            Names(parsed.GetValue(layers)),
            parsed.GetValue(architecture) is { } list ? LayerKinds.Split(list) : [],
            parsed.GetValue(shape) is { } size ? Parse.Shape(size).OrThrow(Refused(shape)) : null
        );

    private static string[] Names(string? list) =>
        list is null ? []
        : list.Split(',', StringSplitOptions.TrimEntries) is var names && !names.Contains("")
            ? names
        : throw RefusedException.Of("--layers", "names with commas between them", $"'{list}'");

    private static Func<IReadOnlyList<Fault>, Exception> Refused(Option<string> option) =>
        faults => new RefusedException(
            faults.Select(fault => Faults.WithSubject(option.Name, fault).ToString())
        );
}
