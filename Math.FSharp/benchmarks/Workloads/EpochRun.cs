using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>A workload of some epochs of Adam in mini-batches, from weights of deviation √(2 / inputs).</summary>
/// <param name="Name">The name of its command.</param>
/// <param name="Description">What it trains.</param>
/// <param name="Architecture">The network.</param>
/// <param name="BatchSize">Samples in a mini-batch.</param>
/// <param name="Rate">The learning rate.</param>
/// <param name="Epochs">Times through the training data, unless an option says otherwise.</param>
internal sealed record EpochRun(
    string Name,
    string Description,
    Architecture Architecture,
    int BatchSize,
    double Rate,
    int Epochs
)
{
    public const ulong RandomSeed = 1;

    public Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var epochs = CountOption.Create("--epochs", "times through the training data", Epochs);
        var command = new Command(Name, Description) { data, threads, epochs };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(threads),
                parsed.GetValue(epochs)
            )
        );
        return command;
    }

    public void Run(string directory, int[] threads) => Run(directory, threads, Epochs);

    private void Run(string directory, int[] threads, int epochs)
    {
        var data = Chapter.Load<float>(directory);
        var runs = Measure.WithThreads(threads, () => Train(data, epochs));
        Report.Best(
            Name,
            runs,
            runs.MaxBy(run => run.Number("images_per_second"))!,
            new() { ["dtype"] = "float32" }
        );
    }

    /// <summary>Adam with a constant rate, each sample once in an epoch.</summary>
    public static Hyperparameters Settings(int epochs, int batchSize, double rate) =>
        Chapter.Required(
            Runs.Hyperparameters(
                new(
                    RunLength.NewEpochs(epochs),
                    batchSize,
                    rate,
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

    private Figures Train(LoadedData<float> data, int epochs)
    {
        var train = data.Train;
        var settings = Settings(epochs, BatchSize, Rate);
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
