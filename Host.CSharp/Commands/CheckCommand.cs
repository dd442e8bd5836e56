using System.CommandLine;
using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary><c>check</c>: compares the gradient of backpropagation with central differences, in double
/// precision, and prints the result.</summary>
internal static class CheckCommand
{
    /// <summary>The default number of samples.</summary>
    private const int Usual = 5;

    public static Command Create(SettingOptions settings)
    {
        var command = new Command(
            "check",
            "Compare the gradient of backpropagation with central differences"
        );
        var samples = CountOption.Create("--samples", "training samples in the loss", Usual);
        command.Options.Add(samples);
        settings.AddTo(
            command,
            setting =>
                setting.Section is "Data" or "Model" || setting.Property.Name is "Seed" or "Threads"
        );
        command.SetAction(parsed => Run(settings.Read(parsed), CountOption.Given(parsed, samples)));
        return command;
    }

    private static int Run(CommandLineSettings given, int? wanted)
    {
        var configuration = ServiceRegistration.ConfigurationOf(given);
        var settings = configuration.Settings;
        var loaded = Print.Loaded<double>(configuration);
        var data = configuration.Split(loaded).Scaled().Train;
        var samples = CountOption.Within("--samples", wanted, Usual, data.Count);
        var architecture = configuration.ArchitectureFor(
            data.Shape,
            data.Classes,
            loaded.Preprocessing
        );
        if (architecture.HasRunningStatistics && samples == 1)
        {
            throw RefusedException.Of(
                "--samples",
                $"a whole number of 2 to {data.Count}, as a layer that is normalised over one sample has no gradient",
                "1"
            );
        }
        var network = Trainer.Start<double>(configuration.Hyperparameters, architecture).Network;
        var places = Batch.Draw(configuration.Hyperparameters.Seed, data.Count, samples, 0);
        var check = Gradients.Check(network, Dataset.Take(places, data));
        Show(network, samples, check);
        return (int)(check.Passed ? Outcome.Completed : Outcome.Failed);
    }

    private static void Show(Network<double> network, int samples, GradientCheck check)
    {
        Print.Line(
            $"{network.Architecture}: backpropagation and central differences, {Counted.Of(samples, "sample")}, double precision"
        );
        var table = new ReportTable(
            "Largest difference in each tensor",
            ["place", "of numbers", "at kinks", "backward", "numerical", "difference", "allowed"],
            [
                .. check.Tensors.Select(tensor =>
                    (IReadOnlyList<string>)
                        [
                            tensor.Place,
                            ReportTable.Count(tensor.Count),
                            ReportTable.Count(tensor.Kinks),
                            Number(tensor.Backward),
                            Number(tensor.Numerical),
                            Number(tensor.Difference),
                            Number(tensor.Allowed),
                        ]
                ),
            ]
        );
        Console.WriteLine($"\n{table.ToText()}");
        Print.Line($"{(check.Passed ? "agrees" : "DIFFERS")}: the worst is {check.Worst}");
        foreach (
            var tensor in check.Tensors.Where(tensor => !tensor.Passed && tensor != check.Worst)
        )
            Print.Line($"{tensor}");
    }

    private static string Number(double value) =>
        value.ToString("0.000e+00", CultureInfo.InvariantCulture);
}
