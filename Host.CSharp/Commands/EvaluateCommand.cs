using System.CommandLine;
using System.Numerics;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary><c>evaluate</c>: measures a model on test samples: prints text, and writes JSON, Markdown and an
/// HTML page into its run folder.</summary>
internal static class EvaluateCommand
{
    private static readonly string[] Formats = ["text", "markdown", "json"];

    /// <summary>How often each column of a table is shuffled to measure its importance.</summary>
    private const int UsualRepetitions = 5;

    public static Command Create(SettingOptions settings)
    {
        var usual = EvaluationOptions.Default;
        var model = ModelArgument.Create();
        var format = ChoiceOption.Create("--format", "what to print", Formats, Formats[0]);
        var output = new Option<string>("--output")
        {
            Description =
                $"folder for {string.Join(", ", RunFolder.EvaluationFiles)} [default: the run folder, if the test samples are the run's own]",
            HelpName = "folder",
        };
        var top = CountOption.Create(
            "--top",
            "largest k of the top-k accuracies",
            usual.TopK,
            most: CountOption.MostFigures
        );
        var bins = CountOption.Create(
            "--bins",
            "bins of the reliability diagram",
            usual.Bins,
            most: CountOption.MostFigures
        );
        var mistakes = CountOption.Create(
            "--mistakes",
            "mistakes to show",
            usual.Mistakes,
            most: CountOption.MostFigures
        );
        var importance = CountOption.Create(
            "--importance",
            "times that each column of a table is shuffled to measure its importance; 0 leaves it out",
            UsualRepetitions,
            fewest: 0,
            most: CountOption.MostFigures
        );
        var assumption = new AssumptionOptions();
        var command = new Command("evaluate", "Evaluate a model on test samples")
        {
            model,
            format,
            output,
            top,
            bins,
            mistakes,
            importance,
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
                new(
                    parsed.GetValue(top),
                    parsed.GetValue(bins),
                    parsed.GetValue(mistakes),
                    usual.Decision,
                    usual.Conformal
                ),
                parsed.GetValue(importance),
                parsed.GetValue(format)!,
                parsed.GetValue(output)
            )
        );
        return command;
    }

    private static int Run(
        CommandLineSettings given,
        string path,
        ModelDefaults assumed,
        EvaluationOptions options,
        int repetitions,
        string format,
        string? output
    )
    {
        if (output is "")
            throw RefusedException.Of("--output", "a folder", "nothing");
        var file = ModelFile.Read(path);
        var run = Directory.Exists(path) ? StoredRun.Read(path) : null;
        if (run is not null)
            given = given with { Run = run.Values().ToDictionary() };
        var configuration = ServiceRegistration.ConfigurationOf(
            given with
            {
                IsForTraining = false,
            }
        );
        var report = file.IsDouble
            ? Report<double>(configuration, file, run, assumed, options, repetitions)
            : Report<float>(configuration, file, run, assumed, options, repetitions);
        if (run is not null && output is null)
        {
            if (WhyNoReport(run, report) is { } reason)
                Console.Error.WriteLine(
                    $"No report is written to the run folder, as {reason}; --output FOLDER writes one."
                );
            else
                output = run.Path;
        }
        var json = EvaluationJson.Write(report);
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
            Console.Error.WriteLine(VisibleText.Of($"report: {page}"));
        }
        return (int)Outcome.Completed;
    }

    /// <summary>The reason why a report is not written into the run's folder: it is not of the run's own
    /// data.</summary>
    private static string? WhyNoReport(StoredRun run, EvaluationReport report) =>
        report.OtherData is not null ? "the test samples are not the run's own"
        : !File.Exists(Path.Combine(run.Path, RunFolder.SummaryFile)) ? "the run has not ended"
        : null;

    public static EvaluationReport Report<T>(
        RunConfiguration configuration,
        ModelFile file,
        StoredRun? run,
        ModelDefaults assumed,
        EvaluationOptions options,
        int repetitions = UsualRepetitions
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var model = file.ModelOf<T>(assumed);
        var network = model.Network;
        var settings = configuration.Settings.Data;
        // The preprocessing is the model's own, so training rows are needed for the check for leakage only.
        var isTestAlone = settings.Test is not null && !File.Exists(settings.Train);
        if (run is not null && !isTestAlone && settings.Train is { } train && !File.Exists(train))
        {
            throw RefusedException.Of(
                "Data:Train",
                $"{train}, the data of the run in {run.Path} (--Data:Train gives their present path)",
                "no such file"
            );
        }
        if (model.Preprocessing.IsTable && settings.Train is null && settings.Test is null)
        {
            throw RefusedException.Of(
                "Data:Test",
                $"a table to evaluate {file.Path} on, a model of rows of a table",
                "none"
            );
        }
        var data = ModelSamples.Of(
            file.Path,
            model,
            isTestAlone ? DataFiles.ParseTest(configuration) : DataFiles.Parse(configuration)
        );
        Print.Notes(data.Notes);
        var evaluation = Evaluations.Create(options, model, data.Test);
        var loss = evaluation switch
        {
            Evaluation.Classification { Item: var classes } => classes.Loss,
            Evaluation.Regression { Item: var numbers } => numbers.Loss,
            _ => double.NaN,
        };
        if (double.IsNaN(loss))
            throw new RefusedException([Predictions.NotANumber(file.Path, "the test samples")]);
        var source = settings.Test ?? settings.Train ?? settings.Directory;
        return new(
            network.Architecture.ToString(),
            file.Path,
            source,
            model.Classes.IsEmpty ? data.Classes : [.. model.Classes],
            evaluation,
            isTestAlone ? null : data.Leakage,
            [.. Pictures(evaluation, data.Test)],
            FirstLayer.Of(model, data.Preprocessing)
        )
        {
            Decision = model.Decision.OrNull(),
            Head = network.Architecture.Head,
            Importance =
                repetitions > 0 && model.Preprocessing is Preprocessing.Table table
                    ? Evaluations.Importance(
                        configuration.Hyperparameters.Seed,
                        repetitions,
                        table.Item,
                        network,
                        data.Test
                    )
                    : [],
            Explanations =
                repetitions > 0 && model.Preprocessing is Preprocessing.Table explained
                    ? ColumnExplanations.Of(model, explained.Item, evaluation, data.Test)
                    : ColumnExplanations.None,
            Images = ImageExplanation.Of(model, evaluation, data.Test),
            OtherData = run is null
                ? OtherRows(file, configuration, settings)
                : OtherData(run, configuration, data.Hashes, isTestAlone),
        };
    }

    /// <summary>A sentence if the test rows are a share of a table that the model's run may have divided
    /// otherwise.</summary>
    private static string? OtherRows(
        ModelFile file,
        RunConfiguration configuration,
        DataSettings settings
    ) =>
        settings.Train is { } train
        && settings.Test is null
        && file.Seed is { } seed
        && FormattableString.Invariant($"{configuration.Hyperparameters.Seed}") is var now
        && seed != now
            ? $"The test rows are those that Training:Seed {now} takes from {train}, and the model was trained with the seed {seed}: rows that it learned from are among them if it is of this table. Training:Seed {seed}, or the run's folder, gives the run's own."
            : null;

    /// <summary>A sentence if the test samples differ from those of the run: because of other files, or of a
    /// setting that selects samples.</summary>
    private static string? OtherData(
        StoredRun run,
        RunConfiguration configuration,
        IReadOnlyDictionary<string, string> hashes,
        bool isTestAlone
    )
    {
        var isSame = isTestAlone
            ? run.DataSha256.Count == 2 && run.DataSha256.Values.Last() == hashes.Values.Single()
            : DataHashes.AreSame(run.DataSha256, hashes);
        var now = SettingsJson.Of(configuration);
        string[] differences =
        [
            .. isSame
                ? []
                : (string[])
                    [
                        $"the files have other contents ({string.Join(", ", hashes.Keys)}; the run's were {string.Join(", ", run.DataSha256.Keys)})",
                    ],
            .. from setting in configuration.AffectingResult
            where setting.Section == "Data" || setting.Key == "Training:Seed"
            let before = SettingsJson.Text(SettingsJson.Value(run.Settings, setting))
            let after = SettingsJson.Text(SettingsJson.Value(now, setting))
            where before != after
            select $"{setting.Key} is {after} and was {before}",
        ];
        return differences.Length == 0
            ? null
            : $"The test samples are not those of the run in {run.Path}: {string.Join("; ", differences)}. Samples that the run learned from may be among them.";
    }

    /// <summary>The pictures of the mistakes, if samples are images.</summary>
    private static IEnumerable<ByteImage> Pictures<T>(Evaluation evaluation, Dataset<T> test)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (
            evaluation is not Evaluation.Classification { Item: var figures }
            || test.ImageSize.IsNone
        )
            yield break;
        foreach (var mistake in figures.Mistakes)
            yield return ByteImage.Of(test, mistake.Sample);
    }
}
