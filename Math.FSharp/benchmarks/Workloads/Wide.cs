using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary><c>wide</c>: 784-1024-1024-10, ReLU, Adam at 0.001, mini-batches of 256.</summary>
internal static class Wide
{
    public const int BatchSize = 256;
    public const double Rate = 1e-3;
    private const int Epochs = 2;

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var epochs = CountOption.Create("--epochs", "times through the training data", Epochs);
        var command = new Command("wide", "784-1024-1024-10, ReLU, Adam, batch 256")
        {
            data,
            threads,
            epochs,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(threads),
                parsed.GetValue(epochs)
            )
        );
        return command;
    }

    public static void Run(string directory, int[] threads, int epochs = Epochs)
    {
        var data = Chapter.Load<float>(directory);
        var runs = Measure.WithThreads(
            threads,
            () => EpochRun.Train(data, Architecture, BatchSize, Rate, epochs)
        );
        Report.Best(
            "wide",
            runs,
            runs.MaxBy(run => run.Number("images_per_second"))!,
            new() { ["dtype"] = "float32" }
        );
    }

    private static Architecture Architecture =>
        Architectures.Dense(Activation.Relu, 784, 1024, 1024, Chapter.Classes);

    /// <summary>The network at its start: weights normal, of deviation √(2 / inputs).</summary>
    public static Network<float> Start() =>
        Network.Initialise<float>(Initialiser.HeNormal, EpochRun.RandomSeed, Architecture);
}
