using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Control = MathNet.Numerics.Control;

namespace Pipeline.Training;

/// <summary>What the service does after a run.</summary>
internal enum RunMode
{
    /// <summary>It ends.</summary>
    Once,

    /// <summary>It waits until the data files change, and trains again.</summary>
    Watch,
}

/// <summary>The class whose threshold is chosen.</summary>
/// <param name="Class">Its name.</param>
/// <param name="Goal">What the threshold is chosen for.</param>
internal sealed record ClassDecision(string Class, DecisionGoal Goal);

/// <summary>The settings, checked and in the types of the core.</summary>
internal sealed record RunConfiguration(
    PipelineSettings Settings,
    Hyperparameters Hyperparameters,
    Activation Activation,
    Head Head,
    Precision Precision,
    DataSplit DataSplit,
    TableOptions Table,
    Scaling TargetScaling,
    ClassWeights? ClassWeights,
    EmbeddedColumns? Embeddings,
    ClassDecision? Decision,
    Metric? Metric,
    int Threads,
    RunMode Mode,
    TelemetryExporter Exporter
)
{
    /// <summary>The number of classes of images, unless settings or labels say otherwise.</summary>
    public const int BookClasses = 10;

    /// <summary>The widths of the hidden layers, unless settings say otherwise.</summary>
    public static readonly int[] BookHidden = [50];

    /// <summary>The file or folder of the training samples.</summary>
    public string DataSource => Settings.Data.Train ?? Settings.Data.Directory;

    /// <summary>The expected number of classes of images, before their labels are read.</summary>
    public int Classes => Settings.Data.Classes ?? BookClasses;

    public int[] Hidden => Settings.Model.Hidden ?? BookHidden;

    /// <summary>The settings that affect what the run has learned so far.</summary>
    public IEnumerable<Setting> AffectingResult =>
        SettingCatalog.All.Where(setting =>
            (
                !setting.ChangeableOnResume
                || setting.IsLength && Runs.DependsOnLength(Hyperparameters)
            ) && (setting.Key != TargetScalingKey || Head.IsIdentity)
        );

    /// <summary>The setting that affects nothing where classes are predicted.</summary>
    private const string TargetScalingKey = "Data:TargetScaling";

    public string AffectingResultSha256 =>
        SettingsJson.Hash(SettingsJson.Of(this), AffectingResult);

    /// <summary>Whether the newest unfinished run is resumed, if there is one.</summary>
    public bool IsResumedAutomatically => Is(RunSettings.Auto);

    /// <summary>The same with one more column left out.</summary>
    public RunConfiguration Ignoring(string column)
    {
        var data = Settings.Data with { Ignored = [.. Settings.Data.Ignored, column] };
        return this with
        {
            Settings = Settings with { Data = data },
            Table = Tables.Options(
                data.Label,
                data.Numeric,
                data.Categorical,
                data.Ignored,
                Table.Cells,
                Table.Missing,
                Table.Scaling,
                data.Weight
            ),
        };
    }

    /// <summary>The run to resume that the settings name; null if they name none.</summary>
    /// <exception cref="RefusedException">There is no such run, or its settings.json is damaged.</exception>
    public StoredRun? NamedRun() =>
        IsResumedAutomatically || Is(RunSettings.Never)
            ? null
            : StoredRun.Find(Settings.Run.Resume, Settings.Run.Directory);

    private bool Is(string resume) =>
        Settings.Run.Resume.Equals(resume, StringComparison.OrdinalIgnoreCase);

    /// <summary>The path of the model in use.</summary>
    public string PublishedModelPath =>
        Path.GetFullPath(
            Settings.Watch.Model ?? Path.Combine(Settings.Run.Directory, "model.safetensors")
        );

    /// <summary>The path of its record.</summary>
    public string PublicationRecordPath => Path.ChangeExtension(PublishedModelPath, ".json");

    /// <summary>The configuration of settings, or everything that is wrong with them.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="faults">Every fault in a sentence.</param>
    /// <param name="isForTraining">Whether training rows are needed; a model is tested with test rows
    /// alone.</param>
    /// <returns>The configuration, or null where there are faults.</returns>
    public static RunConfiguration? Create(
        PipelineSettings settings,
        out IReadOnlyList<string> faults,
        bool isForTraining = true
    )
    {
        var configuration = Create(settings, out IReadOnlyList<Fault> found, isForTraining);
        faults = [.. found.Select(fault => fault.ToString())];
        return configuration;
    }

    /// <summary>The same, with faults instead of sentences; the subject of each is a setting's full
    /// name.</summary>
    public static RunConfiguration? Create(
        PipelineSettings settings,
        out IReadOnlyList<Fault> faults,
        bool isForTraining = true
    )
    {
        var check = new SettingsCheck(settings);
        var configuration = check.Configuration(isForTraining);
        faults = check.Found;
        return configuration;
    }

    /// <summary>The network's architecture for samples.</summary>
    /// <param name="shape">The shape of a sample.</param>
    /// <param name="outputs">The number of classes, or of numbers to predict.</param>
    /// <param name="preprocessing">How samples became inputs.</param>
    /// <exception cref="RefusedException">The layers do not fit the samples or give another number of outputs, or
    /// columns to embed are not there.</exception>
    public Architecture ArchitectureFor(Shape shape, int outputs, Preprocessing preprocessing)
    {
        Architecture Above(int numbers) => Layers(Shape.NewVector(numbers), outputs, int.MaxValue);
        var embedding = Embeddings is null
            ? null
            : EmbeddingLayers.Of(Embeddings, preprocessing).OrThrow(Refused);
        var architecture = embedding is null
            ? Layers(shape, outputs, int.MaxValue)
            : Architectures.Above(embedding, shape.Size, Above).OrThrow(Refused);
        return architecture.Outputs == outputs
            ? architecture
            : throw Refused([
                Faults.Create(
                    nameof(Settings.Model.Layers),
                    $"layers that give {Counted.Of(outputs, "output")}, as the data need",
                    $"{architecture.Outputs}"
                ),
            ]);
    }

    /// <summary>Whether the layers take samples of some shapes only.</summary>
    public bool IsOfFixedInputs =>
        Settings.Model.Layers is { } layers
        && (Architectures.InputsOf(layers) is not null || Architectures.TakesImages(layers));

    /// <summary>A network like the run's, to compile its code before the data are there. Hidden layers are at most
    /// as wide as <paramref name="widest"/>.</summary>
    public Architecture WarmUpArchitecture(int inputs, int widest) =>
        Layers(Shape.NewVector(inputs), Classes, widest);

    private Architecture Layers(Shape shape, int outputs, int widest) =>
        (
            Settings.Model.Layers is { } layers
                ? Architectures.Create(
                    Head,
                    Architectures.TakesImages(layers) ? shape : Shape.NewVector(shape.Size),
                    layers
                )
                : Architectures.Create(
                    Head,
                    shape.Size,
                    Hidden.Select(width => Math.Min(width, widest)),
                    Settings.Model.Normalised,
                    Activation,
                    Settings.Training.Dropout,
                    outputs
                )
        ).OrThrow(Refused);

    /// <summary>The network's layers for the data of a run.</summary>
    /// <exception cref="RefusedException">The mini-batches do not fit the network, the samples or the
    /// optimizer, or images are to be augmented and the samples are not images.</exception>
    public Architecture ArchitectureFor<T>(LoadedData<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var architecture = ArchitectureFor(
            data.Train.Shape,
            data.Train.Classes,
            data.Preprocessing
        );
        if (data.Train.ImageSize.IsNone && !Hyperparameters.Options.Augmentation.IsNone)
            throw Refused([Faults.Create("Augmentation", "images to vary", "numbers")]);
        return Trainer
            .CheckBatch(Hyperparameters.BatchSize, architecture)
            .TryGet(out _, out var faults)
            ? architecture
            : throw Refused(faults);
    }

    /// <summary>The same for data that are split.</summary>
    public Architecture ArchitectureFor<T>(TrainingData<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var architecture = ArchitectureFor(data.Loaded);
        return Trainer
            .CheckFullBatch(Hyperparameters, data.Samples.Train.Count)
            .TryGet(out _, out var faults)
            ? architecture
            : throw Refused(faults);
    }

    /// <summary>The samples of loaded data, split as the settings say.</summary>
    /// <exception cref="RefusedException">Training or validation samples would be missing.</exception>
    public TrainingSamples<T> Split<T>(LoadedData<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var (train, validation) = DataSplit.Training(data.Train, Refused);
        RequireDecision(data.Classes, validation);
        RequireTwoClasses(validation);
        RequireCoverage(data, validation);
        return new(
            Dataset.WithoutWeights(train),
            validation,
            data.Test,
            Weighted(train, data.Classes),
            TargetScalings.Fit(TargetScaling, train),
            Settings.Training.Calibrated
        );
    }

    /// <summary>Checks that <c>Training:Coverage</c> applies to what is predicted, and that there are validation samples
    /// enough.</summary>
    private void RequireCoverage<T>(LoadedData<T> data, Dataset<T>? validation)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (Settings.Training.Coverage is not { } share || validation is null)
            return;
        var faults = new List<Fault>();
        if (validation.Targets.IsLabels == Head.IsIdentity)
        {
            faults.Add(
                Faults.Message(
                    nameof(Settings.Training.Coverage),
                    "applies to classes (Model:Head Softmax or Sigmoid) and to numbers to predict (Identity)"
                )
            );
        }
        ConformalPredictions.CheckSamples(share, validation.Count).TryGet(faults, out _);
        if (faults.Count > 0)
            throw Refused(faults);
    }

    /// <summary>The samples to learn from with their weights; null if all count the same.</summary>
    private Dataset<T>? Weighted<T>(Dataset<T> train, IReadOnlyList<string> classes)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (train.HasWeights && Dataset.Weights(train).All(weight => weight == 0))
        {
            throw Refused([
                Faults.Create(
                    nameof(Settings.Data.Weight),
                    "a weight greater than 0 among the rows to learn from",
                    "zeros only"
                ),
            ]);
        }
        return ClassWeights is not null
                ? WeightedClasses.Apply(ClassWeights, classes, train).OrThrow(Refused)
            : train.HasWeights ? Dataset.WithWeights(Dataset.Weights(train), train)
            : null;
    }

    /// <summary>Checks that an area under ROC curves exists.</summary>
    private void RequireTwoClasses<T>(Dataset<T>? validation)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (
            Metric?.IsAreaUnderRoc == true
            && validation?.Targets is Targets<T>.Labels { Item: var labels }
            && labels.Distinct().Count() < 2
        )
        {
            throw Refused([
                Faults.Create(
                    nameof(Settings.Training.Metric),
                    "validation samples of two classes or more for AreaUnderRoc",
                    "one class"
                ),
            ]);
        }
    }

    /// <summary>Checks that the class of <c>Training:Decision</c> exists, and is among the validation
    /// samples.</summary>
    private void RequireDecision<T>(IReadOnlyList<string> classes, Dataset<T>? validation)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (Decision is null)
            return;
        var index = Decisions.ClassOf(classes, Decision.Class).OrThrow(Refused);
        if (
            !Decision.Goal.IsThreshold
            && validation?.Targets is Targets<T>.Labels { Item: var labels }
            && !labels.Contains(index)
        )
        {
            throw Refused([
                Faults.Create(
                    nameof(Settings.Training.Decision),
                    $"validation samples of class {Decision.Class}",
                    $"none among {labels.Length}"
                ),
            ]);
        }
    }

    /// <summary>Sets the number of threads that computations use.</summary>
    public void ApplyThreads() => Control.MaxDegreeOfParallelism = Threads;

    private static RefusedException Refused(IReadOnlyList<Fault> faults) =>
        new(faults.Select(Sentence));

    /// <summary>A fault of the core as a sentence with the setting's full name.</summary>
    private static string Sentence(Fault fault) =>
        Faults.WithSubject(SettingCatalog.KeyOf(fault.Subject), fault).ToString();
}
