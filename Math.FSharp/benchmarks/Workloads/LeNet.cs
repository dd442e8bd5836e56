using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary><c>lenet</c>: LeNet-5, ReLU, Adam at 0.0003, mini-batches of 100.</summary>
internal static class LeNet
{
    private const int BatchSize = 100;
    private const double Rate = 3e-4;
    private const int Epochs = 3;

    private static readonly string[] Layers =
    [
        "conv2d 6 5",
        "relu",
        "maxpool2d 2",
        "conv2d 16 5",
        "relu",
        "maxpool2d 2",
        "flatten",
        "dense 120",
        "relu",
        "dense 84",
        "relu",
        "dense 10",
    ];

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var epochs = CountOption.Create("--epochs", "times through the training data", Epochs);
        var command = new Command("lenet", "LeNet-5, ReLU, Adam, batch 100")
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

    private static void Run(string directory, int[] threads, int epochs)
    {
        var data = Chapter.Load<float>(directory);
        var architecture = Chapter.Required(
            Architectures.Create(Head.Softmax, Shape.NewImage(1, 28, 28), Layers)
        );
        var runs = Measure.WithThreads(
            threads,
            () => EpochRun.Train(data, architecture, BatchSize, Rate, epochs)
        );
        Report.Best(
            "lenet",
            runs,
            runs.MaxBy(run => run.Number("images_per_second"))!,
            new() { ["dtype"] = "float32" }
        );
    }
}
