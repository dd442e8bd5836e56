using System.Numerics;
using Microsoft.FSharp.Core;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Control = MathNet.Numerics.Control;

namespace Pipeline.Training;

/// <summary>What the service does once a run has ended.</summary>
public enum RunMode
{
    /// <summary>It ends.</summary>
    Once,

    /// <summary>It waits for other data, and trains again.</summary>
    Watch,
}

/// <summary>The settings as the core takes them, every value checked.</summary>
internal sealed record RunConfiguration(
    PipelineSettings Settings,
    Hyperparameters Hyperparameters,
    Activation Activation,
    Head Head,
    Precision Precision,
    TableOptions Table,
    int Threads,
    RunMode Mode,
    TelemetryExporter Exporter
)
{
    /// <summary>How many classes images have, unless settings or labels say otherwise.</summary>
    public const int BookClasses = 10;

    /// <summary>In seconds.</summary>
    private const int Day = 86_400;

    /// <summary>In seconds: no time between two things that a service does is longer.</summary>
    private const int Year = 31_536_000;

    private static readonly int[] BookHidden = [50];

    /// <summary>Where the training samples are from.</summary>
    public string DataSource => Settings.Data.Train ?? Settings.Data.Directory;

    /// <summary>How many classes images are likely to have, before their labels are read.</summary>
    public int Classes => Settings.Data.Classes ?? BookClasses;

    public int[] Hidden => Settings.Model.Hidden ?? BookHidden;

    /// <summary>The settings that decide the run's bits up to where it stands.</summary>
    public IEnumerable<Setting> Deciding =>
        SettingCatalog.All.Where(setting =>
            !setting.ChangeableOnResume || setting.IsLength && Runs.DependsOnLength(Hyperparameters)
        );

    public string DecidingSha256 => SettingsJson.Hash(SettingsJson.Of(this), Deciding);

    /// <summary>Whether the newest unfinished run is resumed, if there is one.</summary>
    public bool IsResumedByItself => Is(RunSettings.Auto);

    /// <summary>The run that the settings name, to be resumed; null where they name none.</summary>
    /// <exception cref="RefusedException">There is no such run, or its settings.json is
    /// damaged.</exception>
    public EarlierRun? NamedRun() =>
        IsResumedByItself || Is(RunSettings.Never)
            ? null
            : EarlierRun.Find(Settings.Run.Resume, Settings.Run.Directory);

    private bool Is(string resume) =>
        Settings.Run.Resume.Equals(resume, StringComparison.OrdinalIgnoreCase);

    /// <summary>Where the model in use is, and what is said of it.</summary>
    public string PublishedModel =>
        Path.GetFullPath(
            Settings.Watch.Model ?? Path.Combine(Settings.Run.Directory, "model.safetensors")
        );

    /// <summary>Asks the core about every setting.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="faults">Every fault in a sentence.</param>
    /// <param name="isForTraining">Whether training rows are needed; a model is tested with test rows
    /// alone.</param>
    /// <returns>The plan, or null where there are faults.</returns>
    public static RunConfiguration? Create(
        PipelineSettings settings,
        out IReadOnlyList<string> faults,
        bool isForTraining = true
    )
    {
        var plan = Create(settings, out IReadOnlyList<Fault> found, isForTraining);
        faults = [.. found.Select(fault => fault.ToString())];
        return plan;
    }

    /// <summary>Asks the core about every setting.</summary>
    /// <returns>The plan, or null and every fault, whose subject is the setting's name.</returns>
    public static RunConfiguration? Create(
        PipelineSettings settings,
        out IReadOnlyList<Fault> faults,
        bool isForTraining = true
    )
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
            foreach (
                var (name, number) in new (string, double?)[]
                {
                    ("Epsilon", training.Epsilon),
                    ("WeightDecay", training.WeightDecay),
                    ("PenaltyL1", training.PenaltyL1),
                    ("PenaltyL2", training.PenaltyL2),
                    ("ClipValue", training.ClipValue),
                    ("ClipNorm", training.ClipNorm),
                }
            )
            {
                if (number is { } given)
                    Ask(Runs.Hold(name, precision, given), out _);
            }
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
                    initialiser ?? book.Initialiser,
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
        Ask(
            CellFormatModule.ParseRules(
                data.MissingValues is { } markers
                    ? FSharpValueOption<Microsoft.FSharp.Collections.FSharpList<string>>.NewValueSome([
                        .. markers,
                    ])
                    : default,
                Optional(data.DecimalSeparator),
                Optional(data.ThousandsSeparator)
            ),
            out var cells
        );
        var (run, watch) = (settings.Run, settings.Watch);

        void Hold<T>(bool holds, string key, string expected, T value)
        {
            if (!holds)
                found.Add(Faults.Create(key, expected, FormattableString.Invariant($"{value}")));
        }

        Hold(data.Samples is not < 1, "Data:Samples", "1 or more", data.Samples);
        Hold(data.Skip >= 0, "Data:Skip", "0 or more", data.Skip);
        Hold(
            data.Separator is null || CsvDialect.Parse(data.Separator) is not null,
            "Data:Separator",
            "comma, semicolon, tab, bar, space, whitespace, or another text without quotes and line ends",
            $"'{data.Separator}'"
        );
        Hold(
            data.Encoding is null || TextFile.IsEncoding(data.Encoding),
            "Data:Encoding",
            "an encoding that .NET knows, utf-8, windows-1252 or utf-16 say",
            $"'{data.Encoding}'"
        );
        Hold(data.MaximumBytes >= 1, "Data:MaximumBytes", "1 or more", data.MaximumBytes);
        Hold(data.TestShare is >= 0 and <= 0.9, "Data:TestShare", "0 to 0.9", data.TestShare);
        Hold(
            !isForTraining || data.Test is null || data.Train is not null,
            "Data:Test",
            "a file beside Data:Train",
            "one without"
        );
        Hold(run.ProgressEvery is not < 1, "Run:ProgressEvery", "1 or more", run.ProgressEvery);
        Hold(run.CheckpointEvery >= 0, "Run:CheckpointEvery", "0 or more", run.CheckpointEvery);
        Hold(
            run.CheckpointSeconds is >= 0 and <= Year,
            "Run:CheckpointSeconds",
            $"0 to {Year} seconds",
            run.CheckpointSeconds
        );
        Hold(run.Kept >= 0, "Run:Kept", "0 or more", run.Kept);
        Hold(run.CheckpointsKept >= 1, "Run:CheckpointsKept", "1 or more", run.CheckpointsKept);
        if (!Names.TryParse<RunMode>(run.Mode, out var mode))
            found.Add(Names.Fault<RunMode>("Run:Mode", run.Mode));
        Hold(
            watch.Every is >= 0.001 and <= Day,
            "Watch:Every",
            $"0.001 to {Day} seconds",
            watch.Every
        );
        Hold(watch.Margin is >= 0 and <= 1, "Watch:Margin", "0 to 1", watch.Margin);
        Hold(
            watch.Model?.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) != false,
            "Watch:Model",
            "a name that ends in .safetensors",
            $"'{watch.Model}'"
        );
        var health = settings.Health;
        Hold(health.Port is not (< 1 or > 65535), "Health:Port", "1 to 65535", health.Port);
        Hold(
            HealthSettings.TryParse(health.Address, out _),
            "Health:Address",
            "localhost or an IP address",
            $"'{health.Address}'"
        );
        Hold(
            health.StalledAfter is > 0 and <= Year,
            "Health:StalledAfter",
            $"more than 0 and up to {Year} seconds",
            health.StalledAfter
        );
        if (!Names.TryParse<TelemetryExporter>(settings.Telemetry.Exporter, out var exporter))
            found.Add(
                Names.Fault<TelemetryExporter>("Telemetry:Exporter", settings.Telemetry.Exporter)
            );
        Hold(
            run.Name is null || RunFolder.CanBeName(run.Name),
            "Run:Name",
            RunFolder.Name,
            $"'{run.Name}'"
        );

        faults = [.. found.Select(fault => Faults.Of(SettingCatalog.KeyOf(fault.Subject), fault))];
        return faults.Count > 0
            ? null
            : new(
                settings,
                hyperparameters,
                activation,
                head!,
                precision,
                new(
                    Optional(data.Label),
                    [.. data.Numeric],
                    [.. data.Categorical],
                    [.. data.Ignored],
                    cells!,
                    missing!,
                    scaling!
                ),
                threads,
                mode,
                exporter
            );
    }

    private static FSharpValueOption<string> Optional(string? text) =>
        text is null ? default : FSharpValueOption<string>.NewValueSome(text);

    private static OptimizerOptions OptimizerOf(TrainingSettings training) =>
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

    /// <summary>The network's layers, for samples of so many numbers and outputs; none wider than
    /// that.</summary>
    public Architecture ArchitectureFor(int inputs, int outputs, int widest = int.MaxValue) =>
        Architectures
            .Create(
                Head,
                inputs,
                Hidden.Select(width => Math.Min(width, widest)),
                Settings.Model.Normalised,
                Activation,
                outputs
            )
            .TryGet(out var architecture, out var faults)
            ? architecture
            : throw Refused(faults);

    /// <summary>The network's layers for training samples.</summary>
    /// <exception cref="RefusedException">The mini-batches are too large for the network, or the samples are
    /// no images, where these are to be varied.</exception>
    public Architecture ArchitectureFor<T>(Dataset<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var architecture = ArchitectureFor(data.Features, data.Classes);
        var augmentation = Hyperparameters.Recipe.Augmentation;
        if (data.ImageSize.IsNone && !AugmentationModule.IsNone(augmentation))
            throw Refused([Faults.Create("Augmentation", "images to vary", "numbers")]);
        return Trainer
            .CheckBatch(Hyperparameters.BatchSize, architecture)
            .TryGet(out _, out var faults)
            ? architecture
            : throw Refused(faults);
    }

    /// <summary>The samples to learn from, and those kept for validation, if any.</summary>
    /// <exception cref="RefusedException">One side would be empty.</exception>
    public (Dataset<T> Train, Dataset<T>? Validation) Split<T>(Dataset<T> all)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (Settings.Data.Samples is int wanted && wanted < all.Count)
        {
            var share = (double)wanted / all.Count;
            all = Dataset.Sample(Hyperparameters.Seed, share, all);
            if (all.Count == 0)
            {
                var enough = "enough for a sample of a class, each of which has the same share";
                throw Refused([Faults.Create("Samples", enough, $"{wanted}")]);
            }
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
                        $"{Hyperparameters.Validation} of {all.Count}: {validation.Count} to validate with{(all.ImageSize.IsNone ? " (equal rows are on the same side)" : "")}"
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
        Faults.Of(SettingCatalog.KeyOf(fault.Subject), fault).ToString();
}
