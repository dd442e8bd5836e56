using System.Numerics;
using Microsoft.FSharp.Core;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Control = MathNet.Numerics.Control;

namespace Pipeline.Training;

/// <summary>The settings as the core takes them, every value checked.</summary>
internal sealed record RunPlan(
    PipelineSettings Settings,
    Hyperparameters Hyperparameters,
    Activation Activation,
    Head Head,
    Precision Precision,
    TableChoice Table,
    int Threads
)
{
    private const int BookClasses = 10;
    private static readonly int[] BookHidden = [50];

    /// <summary>How many classes images have.</summary>
    public int Classes => Settings.Data.Classes ?? BookClasses;

    public int[] Hidden => Settings.Model.Hidden ?? BookHidden;

    /// <summary>Asks the core about every setting.</summary>
    /// <returns>The plan, or null and every fault in a sentence.</returns>
    public static RunPlan? Create(PipelineSettings settings, out IReadOnlyList<string> faults)
    {
        var found = new List<Fault>();
        var (model, training) = (settings.Model, settings.Training);

        bool Ask<T>(
            Microsoft.FSharp.Core.FSharpResult<
                T,
                Microsoft.FSharp.Collections.FSharpList<Fault>
            > answer,
            out T value
        )
        {
            var fine = answer.TryGet(out value, out var faults);
            found.AddRange(faults);
            return fine;
        }

        Ask(Parse.Activation(model.Activation), out var activation);
        Ask(Parse.Head(model.Head), out var head);
        if (Ask(Parse.Precision(training.Precision), out var precision))
        {
            Ask(Runs.Hold("LearningRate", precision, training.LearningRate), out _);
            Ask(Runs.Hold("WeightInitStd", precision, model.WeightInitStd), out _);
        }
        var threads = Math.Min(Environment.ProcessorCount, 1024);
        if (training.Threads is int wanted)
            Ask(Kernels.CheckThreads(wanted), out threads);
        // The data decide how many inputs there are; any number does for the other sizes' check.
        Ask(
            Architectures.Create(
                head ?? Head.Softmax,
                1,
                model.Hidden ?? BookHidden,
                model.Normalised,
                activation,
                settings.Data.Classes ?? BookClasses
            ),
            out _
        );
        var parsed =
            Ask(Runs.Length(training.Iterations, training.Epochs), out var length)
            & Ask(Parse.Sampling(training.Sampling), out var sampling)
            & Ask(Parse.Gradient(training.Gradient), out var gradient)
            & Ask(Parse.Initialiser(model.Initialiser, model.WeightInitStd), out var initialiser)
            & Ask(Parse.Optimizer(OptimizerOf(training)), out var optimizer)
            & Ask(
                Parse.Schedule(
                    new(
                        training.Schedule,
                        training.ScheduleEvery,
                        training.ScheduleFactor,
                        training.ScheduleLast,
                        training.ScheduleRise,
                        training.SchedulePatience
                    )
                ),
                out var schedule
            );
        var book = Runs.Book.Recipe;
        Ask(
            Runs.Hyperparameters(
                new(
                    parsed ? length : RunLength.NewEpochs(1),
                    training.BatchSize,
                    training.LearningRate,
                    schedule ?? book.Schedule,
                    training.WarmUp,
                    initialiser ?? Initialiser.NewFixed(model.WeightInitStd),
                    sampling ?? book.Sampling,
                    gradient ?? book.Gradient,
                    optimizer ?? book.Optimizer,
                    new(
                        settings.Augmentation.Shift,
                        settings.Augmentation.Rotation,
                        settings.Augmentation.Scale,
                        settings.Augmentation.Elastic,
                        settings.Augmentation.Smoothness,
                        settings.Augmentation.Noise,
                        settings.Augmentation.Mirror
                    ),
                    training.Dropout,
                    training.LabelSmoothing,
                    settings.Data.Validation,
                    training.EarlyStopping is int patience
                        ? FSharpValueOption<int>.NewValueSome(patience)
                        : FSharpValueOption<int>.ValueNone,
                    training.Seed
                )
            ),
            out var hyperparameters
        );

        var data = settings.Data;
        Ask(TableRules.ParseMissing(data.Missing), out var missing);
        Ask(TableRules.ParseScaling(data.Scaling), out var scaling);
        if (data.Samples is < 1)
            found.Add(Faults.Create("Samples", "1 or more", $"{data.Samples}"));
        if (data.Skip < 0)
            found.Add(Faults.Create("Skip", "0 or more", $"{data.Skip}"));
        if (data.MaximumBytes < 1)
            found.Add(Faults.Create("MaximumBytes", "1 or more", $"{data.MaximumBytes}"));
        if (data.TestShare is not (>= 0 and <= 0.9))
            found.Add(Faults.Create("TestShare", "0 to 0.9", $"{data.TestShare}"));
        if (data.Test is not null && data.Train is null)
            found.Add(Faults.Create("Test", "a file beside Data:Train", "one without"));
        if (settings.Run.Name is { } name && name.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0)
            found.Add(Faults.Create("Name", "a name that a folder can have", $"'{name}'"));
        foreach (
            var (key, path) in new[]
            {
                ("Data:Directory", data.Directory),
                ("Data:Train", data.Train ?? ""),
                ("Data:Test", data.Test ?? ""),
                ("Run:Directory", settings.Run.Directory),
            }
        )
        {
            if (path.Contains('\0', StringComparison.Ordinal))
                found.Add(Faults.Create(key, "a path", "a text with a zero byte"));
        }

        faults = [.. found.Select(Sentence)];
        return faults.Count > 0
            ? null
            : new(
                settings,
                hyperparameters,
                activation,
                head!,
                precision,
                new(
                    data.Label is { } label
                        ? FSharpValueOption<string>.NewValueSome(label)
                        : FSharpValueOption<string>.ValueNone,
                    [.. data.Numeric],
                    [.. data.Categorical],
                    [.. data.Ignored],
                    missing!,
                    scaling!
                ),
                threads
            );
    }

    private static OptimizerChoice OptimizerOf(TrainingSettings training) =>
        new(
            training.Optimizer,
            training.Momentum,
            training.SquaresDecay,
            training.Beta1,
            training.Beta2,
            training.Epsilon,
            training.WeightDecay,
            training.PenaltyL1,
            training.PenaltyL2,
            training.ClipValue,
            training.ClipNorm,
            training.Accumulate,
            training.AverageDecay
        );

    /// <summary>The network's layers, for samples of so many numbers and outputs.</summary>
    public Architecture ArchitectureFor(int inputs, int outputs) =>
        Architectures
            .Create(Head, inputs, Hidden, Settings.Model.Normalised, Activation, outputs)
            .TryGet(out var architecture, out var faults)
            ? architecture
            : throw Refused(faults);

    /// <exception cref="RefusedException">The mini-batches are too large for the network.</exception>
    public void CheckBatch(Architecture architecture)
    {
        if (
            !Trainer
                .CheckBatch(Hyperparameters.BatchSize, architecture)
                .TryGet(out _, out var faults)
        )
            throw Refused(faults);
    }

    /// <summary>The samples to learn from, and those kept for validation, if any.</summary>
    /// <exception cref="RefusedException">One side would be empty.</exception>
    public (Dataset<T> Train, Dataset<T>? Validation) Split<T>(Dataset<T> all)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (Settings.Data.Samples is int wanted && wanted < all.Count)
        {
            var share = (double)wanted / all.Count;
            (_, all) = Dataset.Split(Hyperparameters.Seed, share, all);
        }
        if (Hyperparameters.Validation == 0)
            return (all, null);
        var (train, validation) = Dataset.Split(
            Hyperparameters.Seed,
            Hyperparameters.Validation,
            all
        );
        return train.Count > 0 && validation.Count > 0
            ? (train, validation)
            : throw new RefusedException([
                Faults
                    .Create(
                        "Data:Validation",
                        "a share that leaves samples on both sides",
                        $"{Hyperparameters.Validation} of {all.Count}"
                    )
                    .ToString(),
            ]);
    }

    /// <summary>Lets computations use as many threads as the settings say.</summary>
    public void ApplyThreads() => Control.MaxDegreeOfParallelism = Threads;

    private static RefusedException Refused(IEnumerable<Fault> faults) =>
        new(faults.Select(Sentence));

    /// <summary>A fault of the core, with the setting's own name.</summary>
    private static string Sentence(Fault fault) =>
        Faults.Create(SettingCatalog.KeyOf(fault.Subject), fault.Expected, fault.Found).ToString();
}
