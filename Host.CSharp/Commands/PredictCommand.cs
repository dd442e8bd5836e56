using System.CommandLine;
using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary><c>predict</c>: the predictions of a model for images or rows.</summary>
internal static class PredictCommand
{
    private const string StandardInput = "-";
    private static readonly string[] Formats = ["text", "csv", "json"];

    /// <summary>The most classes of a model.</summary>
    private const int MostClasses = 65536;

    /// <summary>The settings of the layout of tables.</summary>
    private static readonly string[] Layout =
    [
        "Header",
        "Skip",
        "Separator",
        "Encoding",
        "MissingValues",
        "DecimalSeparator",
        "ThousandsSeparator",
        "MaximumBytes",
    ];

    public static Command Create(SettingOptions settings)
    {
        var model = ModelArgument.Create();
        var files = new Argument<string[]>("files")
        {
            Description =
                $"images ({FileKinds.Images}) or rows ({FileKinds.Tables}, also as {FileKinds.Zipped}); - is standard input",
            Arity = ArgumentArity.OneOrMore,
        };
        var format = ChoiceOption.Create("--format", "what to print", Formats, Formats[0]);
        var from = ChoiceOption.Create(
            "--from",
            "the format of rows on standard input; images are recognised by their bytes",
            [.. TableKind.All.SelectMany(kind => kind.Names)],
            "csv"
        );
        var top = CountOption.Create(
            "--top",
            "number of classes to print for each sample in the format text",
            3,
            most: MostClasses
        );
        var dark = new Option<bool>("--dark-ink")
        {
            Description =
                "PNG images have dark ink on light paper instead of light ink on dark paper",
        };
        var explain = new Option<bool>("--explain")
        {
            Description =
                "for rows of a table: how much each column adds to the answer, compared with a row whose inputs are all 0 (the mean of every column under Data:Scaling Standard)",
        };
        var keep = new Option<string?>("--keep")
        {
            Description =
                "for rows of a table: columns, such as an identifier, that the predictions keep",
            HelpName = "columns",
        };
        var assumption = new AssumptionOptions();
        var command = new Command("predict", "Predict classes and probabilities for images or rows")
        {
            model,
            files,
            format,
            from,
            top,
            dark,
            explain,
            keep,
        };
        assumption.AddTo(command);
        // The parser takes an unknown option for another file.
        files.Validators.Add(result =>
        {
            foreach (
                var token in result.Tokens.Where(token => SettingOptions.IsOption(token.Value))
            )
                result.AddError(settings.Unknown(token.Value, command));
        });
        settings.AddTo(
            command,
            setting => setting.Section is "Data" && Layout.Contains(setting.Property.Name)
        );
        command.SetAction(parsed =>
        {
            var configuration = ServiceRegistration.ConfigurationOf(settings.Read(parsed));
            var data = configuration.Settings.Data;
            var file = ModelFile.Read(parsed.GetValue(model)!);
            var paths = parsed.GetValue(files)!;
            if (paths.Count(path => path == StandardInput) > 1)
                throw RefusedException.Of(StandardInput, "standard input once", "more often");
            if (IsGiven(parsed, from) && !paths.Contains(StandardInput))
            {
                throw RefusedException.Of(
                    from.Name,
                    $"{StandardInput} among the files, as it is the format of rows on standard input",
                    "files alone, whose names say their format"
                );
            }
            if (IsGiven(parsed, top) && parsed.GetValue(format) is not "text" and var written)
                throw RefusedException.Of(
                    top.Name,
                    "the format text, which prints the most probable classes",
                    $"{written}, which has every class"
                );
            DataFile[] samples =
            [
                .. paths.Select(path => Read(path, parsed.GetValue(from)!, data.MaximumBytes)),
            ];
            // Files in different folders can have the same name: the path identifies each of them.
            var shared = samples
                .CountBy(file => file.Name)
                .Where(pair => pair.Value > 1)
                .Select(pair => pair.Key)
                .ToHashSet();
            samples =
            [
                .. samples.Zip(
                    paths,
                    (file, path) => shared.Contains(file.Name) ? file with { Name = path } : file
                ),
            ];
            var (assumed, isDarkInk) = (assumption.Read(parsed), parsed.GetValue(dark));
            if (isDarkInk && !samples.Any(sample => PngReader.IsPng(sample.Content.Span)))
                throw RefusedException.Of(dark.Name, "PNG images, whose ink it is of", "none");
            var isExplained = parsed.GetValue(explain);
            var kept = ModelPredictions.Columns(parsed.GetValue(keep));
            var predictions = MemoryBudget.Guard(
                string.Join(", ", paths),
                () => file.IsDouble ? PredictAs<double>() : PredictAs<float>()
            );
            Print.Notes(predictions.Notes);
            Console.Write(
                parsed.GetValue(format) switch
                {
                    "csv" => predictions.ToCsv(),
                    "json" => predictions.ToJson(),
                    _ => predictions.ToText(parsed.GetValue(top)),
                }
            );

            Predictions PredictAs<T>()
                where T : struct, IBinaryFloatingPointIeee754<T> =>
                ModelPredictions.Of(
                    file.ModelOf<T>(assumed),
                    file.Path,
                    samples,
                    data,
                    configuration.Table.Cells,
                    isDarkInk,
                    isExplained,
                    kept
                );
        });
        return command;
    }

    private static bool IsGiven(ParseResult parsed, Option option) =>
        parsed.GetResult(option) is { Implicit: false };

    private static DataFile Read(string path, string from, long limit)
    {
        if (path != StandardInput)
            return DataFile.Read(path, limit);
        const string Name = "standard input";
        var file = DataFile.Read(StandardStreams.OpenInput(), Name, $".{from}", limit);
        return from is "csv" or "tsv" && JsonRows.IsJson(file.Content.Span)
            ? throw RefusedException.Of(
                Name,
                $"rows as {from.ToUpperInvariant()}, or --from json",
                "rows as JSON"
            )
            : file;
    }
}
