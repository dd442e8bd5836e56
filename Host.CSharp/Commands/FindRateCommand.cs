using System.CommandLine;
using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary><c>find-rate</c>: sweeps the learning rate over one short run, draws the loss over it and
/// suggests a rate.</summary>
internal static class FindRateCommand
{
    private const double Lowest = 1e-6;
    private const double Highest = 100;

    public static Command Create(SettingOptions settings)
    {
        var command = new Command(
            "find-rate",
            "Sweep the learning rate over one short run and suggest one"
        );
        var steps = CountOption.Create(
            "--steps",
            "steps of the sweep",
            300,
            fewest: 2,
            CountOption.MostSteps
        );
        var output = new Option<string>("--output")
        {
            Description = "the picture's file [default: rates.svg in Run:Directory]",
            HelpName = "file",
        };
        command.Options.Add(steps);
        command.Options.Add(output);
        settings.AddTo(
            command,
            setting =>
                setting.Key == "Run:Directory"
                || setting.Section is "Data" or "Model" or "Training" or "Augmentation"
                    && setting.Property.Name != "LearningRate"
        );
        command.SetAction(parsed =>
            Run(settings.Read(parsed), parsed.GetValue(steps), parsed.GetValue(output))
        );
        return command;
    }

    private static int Run(CommandLineSettings given, int steps, string? output)
    {
        var configuration = ServiceRegistration.ConfigurationOf(given);
        var (title, sweep) = configuration.Precision.IsDouble
            ? Sweep<double>(configuration, steps)
            : Sweep<float>(configuration, steps);
        var path = OutputFile.Write(
            output ?? Path.Combine(configuration.Settings.Run.Directory, "rates.svg"),
            RatesPicture.ToSvg(title, configuration.Head, sweep),
            [.. DataFiles.Paths(configuration.Settings.Data)]
        );
        var end = sweep.Steps.IsEmpty ? Lowest : sweep.Steps.Last().Rate;
        Print.Line(
            $"{title}: {Counted.Of(sweep.Steps.Length, "step")}, learning rate {Lowest:G3} to {end:G3}"
        );
        Print.Line(
            sweep.Suggested.IsValueSome
                ? (FormattableString)
                    $"suggested: --Training:LearningRate {sweep.Suggested.Value:G2}, where the loss falls fastest"
                : $"no rate is suggested, as the loss does not fall at any"
        );
        Print.Line($"picture: {path}");
        return (int)(sweep.Suggested.IsValueSome ? Outcome.Completed : Outcome.Failed);
    }

    private static (string Title, RateSweep Sweep) Sweep<T>(
        RunConfiguration configuration,
        int steps
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var loaded = Print.Loaded<T>(configuration);
        var data = new TrainingData<T>(loaded, configuration.Split(loaded));
        var train = data.Samples.Scaled().Learned;
        var architecture = configuration.ArchitectureFor(data);
        var sweep = LearningRateFinder.Sweep(
            configuration.Hyperparameters,
            Lowest,
            Highest,
            steps,
            train,
            architecture
        );
        return (architecture.ToString(), sweep);
    }
}
