using System.CommandLine;
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

    private static Architecture Architecture =>
        Architectures.Dense(Activation.Relu, 784, 1024, 1024, Chapter.Classes);

    private static Hyperparameters Settings(int epochs) =>
        Chapter.Required(
            Runs.Hyperparameters(
                new(
                    RunLength.NewEpochs(epochs),
                    BatchSize,
                    Rate,
                    ScheduleKind.Constant,
                    0,
                    Initialiser.HeNormal,
                    Sampling.Epoch,
                    GradientMethod.Backpropagation,
                    Chapter.Required(Parse.Optimizer("Adam")),
                    Hyperparameters.Default.Options.Augmentation,
                    Hyperparameters.Default.Options.LabelSmoothing,
                    Hyperparameters.Default.Options.Validation,
                    Hyperparameters.Default.Options.EarlyStopping,
                    RandomSeed
                )
            )
        );

    /// <summary>The network at its start: weights normal, of deviation √(2 / inputs).</summary>
    public static Network<float> Start() =>
        Network.Initialise<float>(Initialiser.HeNormal, RandomSeed, Architecture);

    private static Figures Train(LoadedData<float> data, int epochs)
    {
        var train = data.Train;
        var settings = Settings(epochs);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, BatchSize);
        var state = Trainer.Start<float>(settings, Architecture);
        var seconds = new List<double>();
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            seconds.Add(
                Measure.Seconds(() =>
                    state = Runs.Advance(settings, train, perEpoch, (_, _) => true, state)
                )
            );
        }
        return new()
        {
            ["train_seconds"] = seconds.Sum(),
            ["epoch_seconds"] = seconds,
            ["last_loss"] = state.Loss,
            ["images_per_second"] = train.Count * epochs / seconds.Sum(),
            ["images_per_second_best_epoch"] = train.Count / seconds.Min(),
            ["final_test_accuracy"] = Network.Evaluate(state.Network, data.Test).Accuracy,
        };
    }
}
