using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary><c>regularisers</c>: a wide network that over-fits a few samples, trained without regularisation
/// and with each kind of it.</summary>
internal static class RegularisersCommand
{
    private const string Preset = "over-fitting";

    private static readonly string[] Columns =
    [
        "regulariser",
        "train loss",
        "test loss",
        "train acc",
        "test acc",
        "loss gap",
        "acc gap",
    ];

    private static readonly (string Name, (string Key, string Value)[] Settings)[] Runs =
    [
        ("none", []),
        ("L2 penalty 0.01", [("Training:PenaltyL2", "0.01")]),
        ("L1 penalty 0.0005", [("Training:PenaltyL1", "0.0005")]),
        ("weight decay 1", [("Training:WeightDecay", "1")]),
        ("dropout 0.7", [("Training:Dropout", "0.7")]),
        ("label smoothing 0.1", [("Training:LabelSmoothing", "0.1")]),
        ("early stopping", [("Data:Validation", "0.2"), ("Training:EarlyStopping", "3")]),
        (
            "augmentation",
            [
                ("Augmentation:Shift", "2"),
                ("Augmentation:Rotation", "10"),
                ("Augmentation:Scale", "0.1"),
            ]
        ),
        ("elastic distortion", [("Augmentation:Elastic", "34")]),
        ("noise 0.6", [("Augmentation:Noise", "0.6")]),
        ("ten times the samples", [("Data:Samples", "3000")]),
    ];

    public static Command Create(SettingOptions settings)
    {
        var command = new Command(
            "regularisers",
            "Over-fit a few samples, and show how each regulariser narrows the gap"
        );
        settings.AddTo(
            command,
            setting =>
                setting.Section is "Data" or "Model" or "Training" or "Augmentation"
                && setting.Property.Name is not "Precision",
            hasPreset: false
        );
        command.SetAction(
            (parsed, stop) => RunAsync(settings.Read(parsed) with { Preset = Preset }, stop)
        );
        return command;
    }

    private static async Task<int> RunAsync(CommandLineSettings given, CancellationToken stop)
    {
        // All faults are reported before the first run.
        var plans = Runs.Select(run => ConfigurationOf(given, run.Settings)).ToArray();
        var data = Print.Loaded<float>(plans[0]);
        foreach (var configuration in plans)
            configuration.ArchitectureFor(new TrainingData<float>(data, configuration.Split(data)));
        List<string[]> rows = [];
        foreach (var (i, configuration) in plans.Index())
        {
            var name = Runs[i].Name;
            var figures = await ShowAsync(
                $"{i + 1} of {Runs.Length}: {name}",
                () => TrainAsync(configuration, data, stop)
            );
            var (train, test) = (figures.Train, figures.Test);
            rows.Add([
                name,
                Number(train.Loss),
                Number(test.Loss),
                Number(train.Accuracy),
                Number(test.Accuracy),
                Number(test.Loss - train.Loss),
                Number(train.Accuracy - test.Accuracy),
            ]);
        }
        var table = new ReportTable("Each regulariser by itself", Columns, rows);
        Console.WriteLine($"\n{table.ToText()}");
        return (int)Outcome.Completed;
    }

    /// <summary>Reports the current run: in a terminal while it is trained, elsewhere in a line.</summary>
    private static async Task<EpochFigures> ShowAsync(string what, Func<Task<EpochFigures>> run)
    {
        if (AnsiConsole.Profile.Capabilities.Interactive)
            return await AnsiConsole.Status().StartAsync(what, _ => run());
        Console.WriteLine(what);
        return await run();
    }

    private static RunConfiguration ConfigurationOf(
        CommandLineSettings given,
        (string Key, string Value)[] settings
    )
    {
        // Settings on the command line override these.
        var values = settings.ToDictionary(
            setting => $"{SettingsReader.Root}:{setting.Key}",
            setting => (string?)setting.Value
        );
        foreach (var (key, value) in given.Values)
            values[key] = value;
        return ServiceRegistration.ConfigurationOf(given with { Values = values });
    }

    /// <summary>The figures of the network that a run keeps.</summary>
    private static async Task<EpochFigures> TrainAsync(
        RunConfiguration configuration,
        LoadedData<float> data,
        CancellationToken stop
    )
    {
        var loop = new TrainingLoop<float>(
            configuration,
            configuration.ArchitectureFor(data),
            configuration.Split(data).Scaled(),
            [],
            TimeProvider.System
        );
        var result = await loop.RunAsync(stop);
        return result.Kept ?? throw new OperationCanceledException(stop);
    }

    private static string Number(double value) => ReportTable.Number(value, "F3");
}
