using System.CommandLine;
using Microsoft.FSharp.Collections;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary><c>wide</c>: 784-1024-1024-10, ReLU, Adam at 0.001, mini-batches of 256.</summary>
internal static class Wide
{
    public const int BatchSize = 256;
    public const float Rate = 1e-3f;
    private const int Epochs = 2;
    private const ulong RandomSeed = 1;

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
        var runs = Measure.WithThreads(threads, () => Train(data, epochs));
        Report.Best(
            "wide",
            runs,
            runs.MaxBy(run => run.Number("images_per_second"))!,
            new() { ["dtype"] = "float32" }
        );
    }

    /// <summary>The network at its start: weights normal, of deviation √(2 / inputs).</summary>
    public static Network<float> Start()
    {
        var network = Network.Initialise<float>(
            1,
            RandomSeed,
            Architectures.Dense(Activation.Relu, 784, 1024, 1024, Chapter.Classes)
        );
        return network.With(
            new Parameters<float>(
                ListModule.OfSeq(
                    network.Parameters.Layers.Select(layer => new Layer<float>(
                        layer.Weights * MathF.Sqrt(2f / layer.Weights.ColumnCount),
                        layer.Biases
                    ))
                )
            )
        );
    }

    private static Figures Train(LoadedData<float> data, int epochs)
    {
        var train = data.Train;
        var network = Start();
        var adam = Optimizer.Adam<float>(0.9, 0.999, 1e-8);
        var state = adam.Start(network.Parameters);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, BatchSize);
        var loss = float.NaN;
        var seconds = new List<double>();
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            seconds.Add(
                Measure.Seconds(() =>
                {
                    var order = Batch.Order(RandomSeed, train.Count, epoch);
                    for (var i = 0; i < perEpoch; i++)
                    {
                        var batch = Dataset.Take(Batch.Slice(order, BatchSize, i), train);
                        (loss, var gradient) = Gradient.Backward(network, batch);
                        (var parameters, state) = adam.Step(
                            Rate,
                            gradient,
                            state,
                            network.Parameters
                        );
                        network = network.With(parameters);
                    }
                })
            );
        }
        return new()
        {
            ["train_seconds"] = seconds.Sum(),
            ["epoch_seconds"] = seconds,
            ["last_loss"] = (double)loss,
            ["images_per_second"] = train.Count * epochs / seconds.Sum(),
            ["images_per_second_best_epoch"] = train.Count / seconds.Min(),
            ["final_test_accuracy"] = Network.Evaluate(network, data.Test).Accuracy,
        };
    }
}
