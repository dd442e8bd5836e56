using System.CommandLine;
using System.Numerics;
using Pipeline.Learning;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary><c>sanity</c>: trains on a few samples only. A network that cannot over-fit them will not learn
/// the whole data set.</summary>
internal static class SanityCommand
{
    /// <summary>The default number of samples.</summary>
    private const int Usual = 20;

    public static Command Create(SettingOptions settings)
    {
        var command = new Command(
            "sanity",
            "Over-fit a few samples, to test whether the settings can learn at all"
        );
        var samples = CountOption.Create("--samples", "samples to learn", Usual);
        var steps = CountOption.Create(
            "--steps",
            "steps at most",
            1000,
            most: CountOption.MostSteps
        );
        command.Options.Add(samples);
        command.Options.Add(steps);
        settings.AddTo(command, setting => setting.Section is "Data" or "Model" or "Training");
        command.SetAction(parsed =>
            Run(settings.Read(parsed), CountOption.Given(parsed, samples), parsed.GetValue(steps))
        );
        return command;
    }

    private static int Run(CommandLineSettings given, int? wanted, int steps)
    {
        var configuration = ServiceRegistration.ConfigurationOf(given);
        var (title, samples, check) = configuration.Precision.IsDouble
            ? Check<double>(configuration, wanted, steps)
            : Check<float>(configuration, wanted, steps);
        var hasClasses = !double.IsNaN(check.Accuracy);
        Print.Line(
            $"{title}: {Counted.Of(samples, "sample")}, {Counted.Of(check.Steps, "step")}: loss {check.FirstLoss:F4} to {check.LastLoss:F4}{(hasClasses ? Invariant($", accuracy {check.Accuracy:F4}") : "")}"
        );
        Print.Line(
            check.Passed
                ? (FormattableString)$"over-fitted: the settings can learn"
                : $"NOT LEARNED: expected {(hasClasses ? "every sample to be classified correctly and " : "")}a loss below a tenth of the first; try another learning rate (find-rate suggests one), initialiser or more --steps"
        );
        return (int)(check.Passed ? Outcome.Completed : Outcome.Failed);
    }

    private static (string Title, int Samples, OverfitResult Check) Check<T>(
        RunConfiguration configuration,
        int? wanted,
        int steps
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var loaded = Print.Loaded<T>(configuration);
        var data = configuration.Split(loaded).Scaled().Learned;
        var architecture = configuration.ArchitectureFor(
            data.Shape,
            data.Classes,
            loaded.Preprocessing
        );
        var samples = CountOption.Within("--samples", wanted, Usual, data.Count);
        return (
            architecture.ToString(),
            samples,
            OverfitCheck.Run(configuration.Hyperparameters, samples, steps, data, architecture)
        );
    }
}
