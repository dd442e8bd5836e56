using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>Some epochs of Adam in mini-batches, from weights of deviation √(2 / inputs).</summary>
internal static class EpochRun
{
    public const ulong RandomSeed = 1;

    private static Hyperparameters Settings(int batchSize, double rate, int epochs) =>
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

    public static Figures Train(
        LoadedData<float> data,
        Architecture architecture,
        int batchSize,
        double rate,
        int epochs
    )
    {
        var train = data.Train;
        var settings = Settings(batchSize, rate, epochs);
        var perEpoch = Batch.IterationsPerEpoch(train.Count, batchSize);
        var state = Trainer.Start<float>(settings, architecture);
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
