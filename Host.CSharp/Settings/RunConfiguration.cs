using System.Numerics;
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
    DataSplit DataSplit,
    TableOptions Table,
    int Threads,
    RunMode Mode,
    TelemetryExporter Exporter
)
{
    /// <summary>How many classes images have, unless settings or labels say otherwise.</summary>
    public const int BookClasses = 10;

    /// <summary>The widths of the hidden layers, unless settings say otherwise.</summary>
    public static readonly int[] BookHidden = [50];

    /// <summary>Where the training samples are from.</summary>
    public string DataSource => Settings.Data.Train ?? Settings.Data.Directory;

    /// <summary>How many classes images are likely to have, before their labels are read.</summary>
    public int Classes => Settings.Data.Classes ?? BookClasses;

    public int[] Hidden => Settings.Model.Hidden ?? BookHidden;

    /// <summary>The settings that decide the run's bits up to where it stands.</summary>
    public IEnumerable<Setting> AffectingResult =>
        SettingCatalog.All.Where(setting =>
            !setting.ChangeableOnResume || setting.IsLength && Runs.DependsOnLength(Hyperparameters)
        );

    public string AffectingResultSha256 =>
        SettingsJson.Hash(SettingsJson.Of(this), AffectingResult);

    /// <summary>Whether the newest unfinished run is resumed, if there is one.</summary>
    public bool IsResumedAutomatically => Is(RunSettings.Auto);

    /// <summary>The run that the settings name, to be resumed; null where they name none.</summary>
    /// <exception cref="RefusedException">There is no such run, or its settings.json is
    /// damaged.</exception>
    public StoredRun? NamedRun() =>
        IsResumedAutomatically || Is(RunSettings.Never)
            ? null
            : StoredRun.Find(Settings.Run.Resume, Settings.Run.Directory);

    private bool Is(string resume) =>
        Settings.Run.Resume.Equals(resume, StringComparison.OrdinalIgnoreCase);

    /// <summary>Where the model in use is, and what is said of it.</summary>
    public string PublishedModelPath =>
        Path.GetFullPath(
            Settings.Watch.Model ?? Path.Combine(Settings.Run.Directory, "model.safetensors")
        );

    /// <summary>Asks the core about every setting.</summary>
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

    /// <summary>Asks the core about every setting.</summary>
    /// <returns>The configuration, or null and every fault, whose subject is the setting's name.</returns>
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
        if (data.ImageSize.IsNone && Runs.IsAugmented(Hyperparameters))
            throw Refused([Faults.Create("Augmentation", "images to vary", "numbers")]);
        return Trainer
            .CheckBatch(Hyperparameters.BatchSize, architecture)
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
        return new(train, validation, data.Test);
    }

    /// <summary>Lets computations use as many threads as the settings say.</summary>
    public void ApplyThreads() => Control.MaxDegreeOfParallelism = Threads;

    private static RefusedException Refused(IReadOnlyList<Fault> faults) =>
        new(faults.Select(Sentence));

    /// <summary>A fault of the core, with the setting's own name.</summary>
    private static string Sentence(Fault fault) =>
        Faults.Of(SettingCatalog.KeyOf(fault.Subject), fault).ToString();
}
