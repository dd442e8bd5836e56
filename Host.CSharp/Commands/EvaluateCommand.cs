using System.CommandLine;
using System.Numerics;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary><c>evaluate</c>: how well a model does on test samples: as text, and as JSON, Markdown and a
/// page in its run folder.</summary>
internal static class EvaluateCommand
{
    private static readonly string[] Formats = ["text", "markdown", "json"];

    public static Command Create(SettingOptions settings)
    {
        var usual = EvaluationModule.Usual;
        var model = ModelArgument.Create();
        var format = ChoiceOption.Create("--format", "what to print", Formats, Formats[0]);
        var output = new Option<string>("--output")
        {
            Description =
                $"folder for {string.Join(", ", RunFolder.EvaluationFiles)}; unless set, the run folder, or none",
            HelpName = "folder",
        };
        var top = CountOption.Create("--top", "the greatest k of the top-k accuracies", usual.TopK);
        var bins = CountOption.Create("--bins", "bins of the reliability diagram", usual.Bins);
        var mistakes = CountOption.Create("--mistakes", "mistakes to show", usual.Mistakes);
        var assumption = new AssumptionOptions();
        var command = new Command("evaluate", "Evaluate a model on test samples")
        {
            model,
            format,
            output,
            top,
            bins,
            mistakes,
        };
        assumption.AddTo(command);
        settings.AddTo(
            command,
            setting => setting.Section is "Data" || setting.Property.Name is "Seed" or "Threads"
        );
        command.SetAction(parsed =>
            Run(
                settings.Read(parsed),
                parsed.GetValue(model)!,
                assumption.Read(parsed),
                new(parsed.GetValue(top), parsed.GetValue(bins), parsed.GetValue(mistakes)),
                parsed.GetValue(format)!,
                parsed.GetValue(output)
            )
        );
        return command;
    }

    private static int Run(
        GivenSettings given,
        string path,
        ModelAssumption assumed,
        EvaluationChoice choice,
        string format,
        string? output
    )
    {
        if (output is "")
            throw new RefusedException([DataFile.Sentence("--output", "a folder", "nothing")]);
        var file = ModelFile.Read(path);
        if (Directory.Exists(path))
        {
            var settings = EarlierRun.Read(path).Values();
            given = given with
            {
                Run = settings.ToDictionary(pair => pair.Key, pair => pair.Value),
            };
            output ??= path;
        }
        var plan = TrainingServices.PlanOf(given);
        var report = file.IsDouble
            ? Report<double>(plan, file, assumed, choice)
            : Report<float>(plan, file, assumed, choice);
        var json = report.ToJson();
        Console.Write(
            format switch
            {
                "json" => Encoding.UTF8.GetString(json),
                "markdown" => report.ToMarkdown(),
                _ => report.ToText(),
            }
        );
        if (output is not null)
        {
            byte[][] contents =
            [
                json,
                Encoding.UTF8.GetBytes(report.ToMarkdown()),
                EvaluationHtml.Write(report),
            ];
            foreach (var (name, bytes) in RunFolder.EvaluationFiles.Zip(contents))
                OutputFile.Write(Path.Combine(output, name), bytes);
            var page = Path.GetFullPath(Path.Combine(output, RunFolder.EvaluationFiles[^1]));
            Console.Error.WriteLine($"report: {page}");
        }
        return (int)Outcome.Completed;
    }

    private static EvaluationReport Report<T>(
        RunPlan plan,
        ModelFile file,
        ModelAssumption assumed,
        EvaluationChoice choice
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var model = file.ModelOf<T>(assumed);
        var network = model.Network;
        var known = new KnownData(model.Preprocessing, [.. model.Classes]);
        // The label is a number to predict where the model gives numbers and names no classes.
        var data = DataFiles.Load<T>(plan with { Head = network.Architecture.Head }, known);
        var (inputs, outputs) = (network.Architecture.Inputs, network.Architecture.Outputs);
        if (data.Test.Features != inputs || data.Test.Classes != outputs)
        {
            throw new RefusedException([
                DataFile.Sentence(
                    file.Path,
                    $"{data.Test.Features} inputs and {data.Test.Classes} outputs, as the test samples have",
                    $"{inputs} and {outputs}"
                ),
            ]);
        }
        if (outputs == 1 && data.Test.Targets.IsLabels)
        {
            throw new RefusedException([
                DataFile.Sentence(
                    file.Path,
                    "a model of two classes or more, or of numbers",
                    "one class"
                ),
            ]);
        }
        var evaluation = EvaluationModule.Create(choice, network, data.Test);
        var loss = evaluation switch
        {
            Evaluation.Classes { Item: var classes } => classes.Loss,
            Evaluation.Numbers { Item: var numbers } => numbers.Loss,
            _ => double.NaN,
        };
        if (double.IsNaN(loss))
            throw new RefusedException([Predictions.NotANumber(file.Path, "the test samples")]);
        var source = plan.Settings.Data.Train is null
            ? plan.Settings.Data.Directory
            : plan.Settings.Data.Test ?? plan.Settings.Data.Train;
        return new(
            network.Architecture.ToString(),
            file.Path,
            source,
            model.Classes.IsEmpty ? data.Classes : [.. model.Classes],
            evaluation,
            data.Leakage,
            [.. Pictures(evaluation, data.Test)],
            FirstLayerOf(model, data.Preprocessing)
        );
    }

    /// <summary>The mistakes as pictures, where samples are images.</summary>
    private static IEnumerable<GreyImage> Pictures<T>(Evaluation evaluation, Dataset<T> test)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (evaluation is not Evaluation.Classes { Item: var figures } || test.ImageSize.IsNone)
            yield break;
        var (rows, columns) = test.ImageSize.Value;
        foreach (var mistake in figures.Mistakes)
        {
            var inputs = Dataset.Take([mistake.Sample], test).Inputs;
            yield return new(
                rows,
                columns,
                [
                    .. inputs
                        .ToColumnMajorArray()
                        .Select(x =>
                            byte.CreateSaturating(T.Round(x * T.CreateTruncating(byte.MaxValue)))
                        ),
                ]
            );
        }
    }

    private static FirstLayer FirstLayerOf<T>(Model<T> model, Preprocessing preprocessing)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var weights = model.Network.Parameters.Layers.Head.Weights;
        return new(
            preprocessing is Preprocessing.Table table ? [.. table.Item.Inputs] : [],
            preprocessing is Preprocessing.Pixels pixels ? (pixels.rows, pixels.columns) : null,
            [
                .. Enumerable
                    .Range(0, weights.RowCount)
                    .Select(unit => weights.Row(unit).Select(double.CreateTruncating).ToArray()),
            ]
        );
    }
}
