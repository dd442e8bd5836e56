using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary><c>inspect</c>: the layers of a model and its origin, or the columns of a table.</summary>
internal static class InspectCommand
{
    public static Command Create(SettingOptions settings)
    {
        var model = ModelArgument.Create();
        model.Description += $"; or a table ({FileKinds.Tables}, also as {FileKinds.Zipped})";
        var assumption = new AssumptionOptions();
        var command = new Command(
            "inspect",
            "Describe a model (its layers, preprocessing and origin) or a table (its columns)"
        )
        {
            model,
        };
        assumption.AddTo(command);
        settings.AddTo(
            command,
            setting =>
                setting.Key is "Model:Head"
                || setting.Section is "Data"
                    && setting.Property.Name
                        is not ("Directory" or "Train" or "Test" or "TestShare")
        );
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(model)!;
            if (TableInspection.IsTable(path))
            {
                Console.Write(TableInspection.Describe(settings.Read(parsed), path));
                return;
            }
            var file = ModelFile.Read(path);
            var assumed = assumption.Read(parsed);
            var tables = file.IsDouble
                ? Tables(file.Path, file.ModelOf<double>(assumed))
                : Tables(file.Path, file.ModelOf<float>(assumed));
            // A run that was killed or is in progress has none.
            if (File.Exists(Path.Combine(path, RunFolder.SummaryFile)))
                tables.Add(RunTable(RunRecord.Read(path)));
            Console.Write(string.Join('\n', tables.Select(table => table.ToText())));
        });
        return command;
    }

    public static List<ReportTable> Tables<T>(string path, Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var network = model.Network;
        var architecture = network.Architecture;
        var preprocessing = model.Preprocessing switch
        {
            Preprocessing.Pixels pixels => $"{pixels.size}, each divided by 255",
            Preprocessing.Table table =>
                $"{Counted.Of(table.Item.Numbers.Length, "column")} of numbers, {table.Item.Categories.Length} of categories",
            _ => "none: numbers are used unchanged",
        };
        return
        [
            new(
                $"Model {architecture}",
                ["", ""],
                [
                    ["file", path],
                    ["precision", typeof(T) == typeof(double) ? "Double" : "Single"],
                    ["parameters", Count(architecture.ParameterCount)],
                    ["inputs", preprocessing],
                    [
                        "outputs",
                        model.Classes.IsEmpty
                            ? $"{architecture.Outputs}"
                            : string.Join(", ", model.Classes),
                    ],
                    .. model.Decision.IsValueSome
                        ?
                        [
                            (IReadOnlyList<string>)
                                [
                                    "decision",
                                    $"{Model.ClassName(model, model.Decision.Value.Class)} if its probability is at least {ReportTable.Number(model.Decision.Value.Threshold)}",
                                ],
                        ]
                        : Array.Empty<IReadOnlyList<string>>(),
                    .. model.Conformal.IsValueSome
                        ? [(IReadOnlyList<string>)["coverage", CoverageText.Of(model)]]
                        : Array.Empty<IReadOnlyList<string>>(),
                    .. model.Notes.Select(note => (IReadOnlyList<string>)[note.Item1, note.Item2]),
                ]
            ),
            new(
                "Layers",
                [
                    "layer",
                    "inputs",
                    "outputs",
                    "activation",
                    "parameters",
                    "‖W‖",
                    "mean |w|",
                    "greatest |w|",
                    "‖b‖",
                ],
                [
                    .. Networks
                        .MatrixLayers(network)
                        .SelectMany((layer, place) => LayerRows(layer, place + 1)),
                ]
            ),
        ];
    }

    /// <summary>A row for each matrix of a layer: an embedding has one for each column.</summary>
    private static IEnumerable<IReadOnlyList<string>> LayerRows<T>(MatrixLayer<T> layer, int number)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var matrices = layer.Parameters.Matrices;
        foreach (var (i, (_, weights)) in matrices.Index())
        {
            var sizes = weights
                .Enumerate()
                .Select(w => Math.Abs(double.CreateTruncating(w)))
                .ToArray();
            var isOnly = matrices.Length == 1;
            yield return
            [
                isOnly ? $"{number}" : $"{number}.{i + 1}",
                Count(weights.ColumnCount),
                Count(weights.RowCount),
                string.Join(", ", layer.Following),
                Count(isOnly ? layer.ParameterCount : sizes.Length),
                Number(Norm(sizes)),
                Number(sizes.Average()),
                Number(sizes.Max()),
                Number(
                    Norm(
                        layer
                            .Parameters.Vectors.SelectMany(vector => vector.Item2.Enumerate())
                            .Select(double.CreateTruncating)
                    )
                ),
            ];
        }
    }

    /// <summary>The results of the model's run.</summary>
    private static ReportTable RunTable(RunRecord run) =>
        new(
            "Run",
            ["", ""],
            [
                .. from entry in run.Summary
                where entry.Value is System.Text.Json.Nodes.JsonValue
                select (IReadOnlyList<string>)[entry.Key, run.Figure(entry.Key)],
            ]
        );

    private static double Norm(IEnumerable<double> numbers) =>
        Math.Sqrt(numbers.Sum(number => number * number));

    private static string Number(double number) =>
        number.ToString("G4", CultureInfo.InvariantCulture);

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
