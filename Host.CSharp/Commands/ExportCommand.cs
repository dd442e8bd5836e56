using System.CommandLine;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary><c>export</c>: a model in another format.</summary>
internal static class ExportCommand
{
    /// <summary>The endings of the files that are written, with the name that each format has in help.</summary>
    private static readonly string[] Endings =
    [
        FileKinds.Onnx,
        FileKinds.Safetensors,
        FileKinds.Arrays,
    ];

    private static readonly string[] Formats = [.. Endings.Select(ending => ending[1..])];

    public static Command Create()
    {
        var model = ModelArgument.Create();
        var format = ChoiceOption.Create(
            "--to",
            "the format, by default that of the output's ending",
            Formats,
            unlessSet: null
        );
        var output = new Option<string>("--output")
        {
            Description = "the file to write",
            HelpName = "file",
            Required = true,
        };
        var assumption = new AssumptionOptions();
        var command = new Command("export", "Export a model as ONNX, safetensors or NPZ")
        {
            model,
            format,
            output,
        };
        assumption.AddTo(command);
        command.SetAction(parsed =>
            Run(
                parsed.GetValue(model)!,
                parsed.GetValue(format),
                parsed.GetValue(output)!,
                assumption.Read(parsed)
            )
        );
        return command;
    }

    private static int Run(string path, string? format, string output, ModelDefaults assumed)
    {
        format ??=
            ChoiceOption.Find(Formats, Path.GetExtension(output).TrimStart('.'))
            ?? throw RefusedException.Of(
                "--output",
                $"a file that ends in {Listing.Of(Endings, "or")}, or its format (--to)",
                output.Length == 0 ? "nothing"
                    : Directory.Exists(output) ? $"a folder, {output}"
                    : $"'{output}'"
            );
        var file = ModelFile.Read(path);
        var (title, bytes) = file.IsDouble
            ? Write<double>(file, assumed, format)
            : Write<float>(file, assumed, format);
        output = OutputFile.Write(output, bytes, file.Path);
        Print.Line($"{title} as {format}, {bytes.Length:N0} bytes: {output}");
        return (int)Outcome.Completed;
    }

    public static (string Title, byte[] Bytes) Write<T>(
        ModelFile file,
        ModelDefaults assumed,
        string format
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var model = file.ModelOf<T>(assumed);
        var bytes = $".{format}" switch
        {
            FileKinds.Onnx => OnnxFile.Write(model),
            FileKinds.Arrays => NpzFile.Write(Npz.ToArrays(Model.ToTensors(model))),
            _ => Safetensors.Write(model),
        };
        return (model.Network.Architecture.ToString(), bytes);
    }
}
