using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Pipeline.Training;

/// <summary><c>models</c>: the model that watch mode has in use and those before it.</summary>
internal static class ModelsCommand
{
    private static readonly string[] Formats = ["text", "json"];

    public static Command Create(SettingOptions settings)
    {
        var format = ChoiceOption.Create("--format", "what to print", Formats, Formats[0]);
        var rollback = new Option<string?>("--rollback")
        {
            Description =
                "put an earlier model in use again: its number, or without a number the newest",
            HelpName = "number",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(
            "models",
            "List the model that watch mode has in use and the earlier ones, or go back to one"
        )
        {
            format,
            rollback,
        };
        settings.AddTo(
            command,
            setting => setting.Key is "Run:Directory" or "Watch:Model" or "Watch:History"
        );
        command.SetAction(parsed =>
        {
            var configuration = ServiceRegistration.ConfigurationOf(settings.Read(parsed));
            var history = new ModelHistory(
                new DiskFiles(),
                OutputTarget.Of(configuration.PublishedModelPath).Path,
                OutputTarget.Of(configuration.PublicationRecordPath).Path,
                configuration.Settings.Watch.History
            );
            if (parsed.GetResult(rollback) is { Implicit: false })
            {
                var model = Restore(history, Number(parsed.GetValue(rollback)));
                Console.Error.WriteLine(
                    VisibleText.Of($"in use: {history.ModelPath}, {model.Sha256}")
                );
            }
            PublishedModel[] models = [.. history.Models()];
            if (models.Length == 0)
            {
                throw RefusedException.Of(
                    history.ModelPath,
                    "a model that watch mode has published (Watch:Model)",
                    "none"
                );
            }
            Console.Write(
                parsed.GetValue(format) == "json"
                    ? Encoding.UTF8.GetString(JsonText.Of(models))
                    : TableOf(models).ToText()
            );
        });
        return command;
    }

    private static PublishedModel Restore(ModelHistory history, int? number)
    {
        try
        {
            return history.Restore(number);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            throw new UnsavedException($"The model was not restored: {trouble.Message}");
        }
    }

    private static int? Number(string? text) =>
        text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
        : throw RefusedException.Of("--rollback", "the number of a model", $"'{text}'");

    private static ReportTable TableOf(PublishedModel[] models) =>
        new(
            "Models",
            ["model", "run", "iteration", "loss", "accuracy", "SHA-256"],
            [
                .. models.Select(model =>
                    (IReadOnlyList<string>)
                        [
                            model.Number is { } number ? $"{number}" : "in use",
                            Path.GetFileName(model.Record?.Run) ?? "–",
                            $"{model.Record?.Iteration}",
                            ReportTable.Number(model.Record?.Loss ?? double.NaN),
                            ReportTable.Number(model.Record?.Accuracy ?? double.NaN),
                            model.Sha256,
                        ]
                ),
            ]
        );
}
