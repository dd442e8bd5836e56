using System.CommandLine;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary><c>cross-validate</c>: trains and tests a network on each fold of a table's rows.</summary>
internal static class CrossValidateCommand
{
    private const int UsualFolds = 5;
    private const int MostFolds = 1000;

    private static readonly string[] Formats = ["text", "markdown", "json"];

    public static Command Create(SettingOptions settings)
    {
        var folds = CountOption.Create(
            "--folds",
            "parts into which rows are divided; each is tested once",
            UsualFolds,
            fewest: 2,
            most: MostFolds
        );
        var seeds = CountOption.Create(
            "--seeds",
            "seeds, from Training:Seed on, with which all folds are divided and trained again",
            1,
            most: MostFolds
        );
        var group = new Option<string>("--group")
        {
            Description =
                "column by whose values rows are grouped: all rows of a group are in one fold; the column is no input",
            HelpName = "column",
        };
        var time = new Option<string>("--time")
        {
            Description =
                "column of dates or numbers by which rows are ordered: each fold is tested by a network that learned from earlier rows; the column is no input",
            HelpName = "column",
        };
        var format = ChoiceOption.Create("--format", "what to print", Formats, Formats[0]);
        var command = new Command(
            "cross-validate",
            "Train and test a network on each fold of a table's rows"
        )
        {
            folds,
            seeds,
            group,
            time,
            format,
        };
        settings.AddTo(
            command,
            setting =>
                setting.Section is "Data" or "Model" or "Training"
                && setting.Key is not ("Data:Directory" or "Data:Test" or "Data:TestShare")
        );
        command.SetAction(parsed =>
            RunAsync(
                settings.Read(parsed),
                parsed.GetValue(folds),
                parsed.GetValue(seeds),
                RuleOf(parsed.GetValue(group), parsed.GetValue(time)),
                parsed.GetValue(format)!
            )
        );
        return command;
    }

    private static FoldRule RuleOf(string? group, string? time) =>
        (group, time) switch
        {
            (null, null) => FoldRule.Stratified,
            ({ } column, null) => FoldRule.NewGrouped(column),
            (null, { } column) => FoldRule.NewForward(column),
            _ => throw RefusedException.Of("--time", "nothing beside --group", $"'{time}'"),
        };

    private static async Task<int> RunAsync(
        CommandLineSettings given,
        int folds,
        int seeds,
        FoldRule rule,
        string format
    )
    {
        var configuration = ServiceRegistration.ConfigurationOf(given);
        List<FoldResult> results = [];
        HashSet<string> said = [];
        await foreach (var result in CrossValidation.RunAsync(configuration, folds, seeds, rule))
        {
            results.Add(result);
            Print.Notes(result.Notes.Where(said.Add));
        }
        var report = new CrossValidationReport(
            configuration.DataSource,
            Describe(configuration, folds, seeds, rule),
            results
        );
        Console.Write(
            format switch
            {
                "json" => report.ToJson(),
                "markdown" => report.ToMarkdown(),
                _ => report.ToText(),
            }
        );
        return (int)Outcome.Completed;
    }

    private static string Describe(
        RunConfiguration configuration,
        int folds,
        int seeds,
        FoldRule rule
    )
    {
        var how = rule switch
        {
            FoldRule.Grouped grouped => $"grouped by {grouped.column}",
            FoldRule.Forward forward => $"forward in time by {forward.column}",
            _ => configuration.Head.IsIdentity
                ? "rows at random"
                : "with about the same number of rows of every class",
        };
        return $"{folds} folds, {how}; {Counted.Of(seeds, "seed")} from {configuration.Hyperparameters.Seed} on";
    }
}
