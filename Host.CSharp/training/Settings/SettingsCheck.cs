using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Turns settings into a configuration and collects everything that is wrong with them.</summary>
internal sealed class SettingsCheck(PipelineSettings settings)
{
    private readonly List<Fault> faults = [];

    /// <summary>The faults so far; the subject of each is a setting's full name.</summary>
    public IReadOnlyList<Fault> Found =>
        [
            .. faults
                .Select(fault => Faults.WithSubject(SettingCatalog.KeyOf(fault.Subject), fault))
                .Distinct(),
        ];

    /// <summary>The configuration; null where there are faults.</summary>
    /// <param name="isForTraining">Whether training rows are needed; a model is tested with test rows
    /// alone.</param>
    public RunConfiguration? Configuration(bool isForTraining)
    {
        var (activation, head, architecture) = Network();
        var precision = NumberPrecision();
        var threads = Threads();
        var hyperparameters = Training();
        if (settings.Training.LabelSmoothing != 0)
            RequireSoftmax(nameof(settings.Training.LabelSmoothing), head);
        var split = Split();
        var table = Table();
        var targetScaling = TargetScaling(
            head,
            architecture is not null && TargetScalings.Applies(architecture)
        );
        var classWeights = ClassWeights(head);
        var embeddings = EmbeddedColumns();
        Calibration(architecture);
        Coverage();
        var decision = Decision(head);
        var metric = MetricOf(head);
        faults.AddRange(SettingsValidator.FaultsOf(settings));
        if (isForTraining && settings.Data is { Test: not null, Train: null })
            faults.Add(Faults.Create("Data:Test", "a file beside Data:Train", "one without"));
        if (faults.Count > 0)
            return null;
        EnumNames.TryParse<RunMode>(settings.Run.Mode, out var mode);
        EnumNames.TryParse<TelemetryExporter>(settings.Telemetry.Exporter, out var exporter);
        return new(
            settings,
            hyperparameters!,
            activation!,
            head!,
            precision!,
            split!,
            table!,
            targetScaling!,
            classWeights,
            embeddings,
            decision,
            metric,
            threads,
            mode,
            exporter
        );
    }

    /// <summary>Images to check the settings of a network with.</summary>
    private static readonly Shape UsualImages = Shape.NewImage(1, 28, 28);

    /// <summary>The activation, the head and a network of the layers.</summary>
    private (Activation?, Head?, Architecture?) Network()
    {
        var model = settings.Model;
        Parse.Activation(model.Activation).TryGet(faults, out var activation);
        Parse.Head(model.Head).TryGet(faults, out var head);
        Architecture? architecture;
        // The number of inputs follows from the data, unless the layers tell it; 1 serves for the check of the
        // other sizes.
        if (model.Layers is { } layers)
        {
            faults.AddRange(ReplacedByLayers());
            var given = Architectures.Create(
                head ?? Head.Softmax,
                Architectures.TakesImages(layers)
                    ? UsualImages
                    : Shape.NewVector(Architectures.InputsOf(layers) ?? 1),
                layers
            );
            // Whether layers fit images shows once the size of these is known.
            if (Architectures.TakesImages(layers))
                given.TryGet(out architecture, out _);
            else
                given.TryGet(faults, out architecture);
        }
        else
        {
            Architectures
                .Create(
                    head ?? Head.Softmax,
                    1,
                    model.Hidden ?? RunConfiguration.BookHidden,
                    model.Normalised,
                    activation ?? Activation.Identity,
                    settings.Training.Dropout,
                    settings.Data.Classes ?? RunConfiguration.BookClasses
                )
                .TryGet(faults, out architecture);
        }
        return (activation, head, architecture);
    }

    /// <summary>Faults of a calibration that cannot be made.</summary>
    private void Calibration(Architecture? architecture)
    {
        var training = settings.Training;
        if (!training.Calibrated)
            return;
        if (settings.Data.Validation == 0)
        {
            faults.Add(
                Faults.Message(
                    nameof(training.Calibrated),
                    "needs validation samples (Data:Validation)"
                )
            );
        }
        if (architecture is not null && !Temperatures.Applies(architecture))
        {
            faults.Add(
                Faults.Message(
                    nameof(training.Calibrated),
                    "applies to probabilities (Model:Head Softmax or Sigmoid) with a dense layer as the last one"
                )
            );
        }
    }

    /// <summary>Faults of a coverage that cannot be reached.</summary>
    private void Coverage()
    {
        if (settings.Training.Coverage is not { } share)
            return;
        if (!(share > 0 && share < 1))
        {
            faults.Add(
                Faults.Create(
                    nameof(settings.Training.Coverage),
                    "a share above 0 and below 1",
                    ReportTable.Number(share, "R")
                )
            );
        }
        if (settings.Data.Validation == 0)
        {
            faults.Add(
                Faults.Message(
                    nameof(settings.Training.Coverage),
                    "needs validation samples (Data:Validation)"
                )
            );
        }
    }

    /// <summary>How numbers to predict are scaled.</summary>
    private Scaling? TargetScaling(Head? head, bool takesScaling)
    {
        var name = settings.Data.TargetScaling;
        if (name is null)
            return takesScaling ? Scaling.Standard : Scaling.None;
        if (!Parse.Scaling(name).TryGet(out var scaling, out var found))
        {
            faults.AddRange(
                found.Select(fault =>
                    Faults.WithSubject(nameof(settings.Data.TargetScaling), fault)
                )
            );
            return null;
        }
        if (!scaling.IsNone && !takesScaling)
        {
            faults.Add(
                Faults.Message(
                    nameof(settings.Data.TargetScaling),
                    head?.IsIdentity == true
                        ? $"needs a dense layer as the last one (found {name})"
                        : $"applies to numbers to predict, with Model:Head Identity (found {name})"
                )
            );
        }
        return scaling;
    }

    /// <summary>A fault of a setting that applies to one of several classes.</summary>
    private void RequireSoftmax(string name, Head? head)
    {
        if (head?.IsSoftmax == false)
        {
            faults.Add(
                Faults.Message(
                    name,
                    $"applies to one of several classes, with Model:Head Softmax (found {head})"
                )
            );
        }
    }

    /// <summary>The class whose threshold is chosen, and for what; null for the most probable class.</summary>
    private ClassDecision? Decision(Head? head)
    {
        if (settings.Training.Decision is not { } text)
            return null;
        if (!Decisions.Parse(text).TryGet(faults, out var parsed))
            return null;
        var (name, goal) = parsed;
        RequireSoftmax(nameof(settings.Training.Decision), head);
        if (!goal.IsThreshold && settings.Data.Validation == 0)
        {
            faults.Add(
                Faults.Message(
                    nameof(settings.Training.Decision),
                    "needs validation samples (Data:Validation), unless it is a threshold"
                )
            );
        }
        return new(name, goal);
    }

    /// <summary>The figure that models are compared by; null for the loss.</summary>
    private Metric? MetricOf(Head? head)
    {
        if (settings.Training.Metric is not { } name)
            return null;
        if (!Parse.Metric(name).TryGet(faults, out var metric))
            return null;
        if (head is not null && Evaluations.IsOfNumbers(metric) != head.IsIdentity)
        {
            faults.Add(
                Faults.Message(
                    nameof(settings.Training.Metric),
                    head.IsIdentity
                        ? $"{metric} applies to classes, and Model:Head Identity predicts numbers"
                        : $"{metric} applies to numbers to predict, with Model:Head Identity (found {head})"
                )
            );
        }
        EnumNames.TryParse<RunMode>(settings.Run.Mode, out var mode);
        if (settings.Data.Validation == 0 && mode != RunMode.Watch)
        {
            faults.Add(
                Faults.Message(
                    nameof(settings.Training.Metric),
                    "needs validation samples (Data:Validation) or watch mode (Run:Mode)"
                )
            );
        }
        return metric;
    }

    /// <summary>How much samples of each class count; null if all count the same.</summary>
    private ClassWeights? ClassWeights(Head? head)
    {
        if (settings.Data.ClassWeights is not { Length: > 0 } given)
            return null;
        WeightedClasses.Parse(given).TryGet(faults, out var weights);
        RequireSoftmax(nameof(settings.Data.ClassWeights), head);
        return weights;
    }

    /// <summary>The columns of categories that are embedded; null if none is.</summary>
    private EmbeddedColumns? EmbeddedColumns()
    {
        var model = settings.Model;
        if (model.Embeddings is not { Length: > 0 } given)
            return null;
        EmbeddingLayers.Parse(given).TryGet(faults, out var columns);
        if (model.Layers is { } layers && Architectures.InputsOf(layers) is not null)
        {
            faults.Add(
                Faults.Message(
                    nameof(model.Embeddings),
                    "does not apply where Model:Layers has an embedding"
                )
            );
        }
        return columns;
    }

    /// <summary>A fault for each setting that would say again what Model:Layers says.</summary>
    private IEnumerable<Fault> ReplacedByLayers()
    {
        var (model, training) = (settings.Model, settings.Training);
        var unset = new ModelSettings();
        var replaced = new (string Name, bool IsSet, string Value)[]
        {
            (
                nameof(model.Hidden),
                model.Hidden is { } hidden && !hidden.SequenceEqual(RunConfiguration.BookHidden),
                string.Join(',', model.Hidden ?? [])
            ),
            (nameof(model.Activation), model.Activation != unset.Activation, model.Activation),
            (nameof(model.Normalised), model.Normalised, "true"),
            (
                nameof(training.Dropout),
                training.Dropout != 0,
                string.Create(CultureInfo.InvariantCulture, $"{training.Dropout}")
            ),
        };
        return from setting in replaced
            where setting.IsSet
            select Faults.Message(
                setting.Name,
                $"does not apply where Model:Layers lists the layers (found {setting.Value})"
            );
    }

    /// <summary>The precision, in which every number that training computes with is held.</summary>
    private Precision? NumberPrecision()
    {
        var (model, training) = (settings.Model, settings.Training);
        if (!Parse.Precision(training.Precision).TryGet(faults, out var precision))
            return null;
        foreach (
            var (name, number) in new (string, double?)[]
            {
                (nameof(training.LearningRate), training.LearningRate),
                (nameof(model.WeightInitStd), model.WeightInitStd),
                (nameof(training.Epsilon), training.Epsilon),
                (nameof(training.WeightDecay), training.WeightDecay),
                (nameof(training.PenaltyL1), training.PenaltyL1),
                (nameof(training.PenaltyL2), training.PenaltyL2),
                (nameof(training.ClipValue), training.ClipValue),
                (nameof(training.ClipNorm), training.ClipNorm),
            }
        )
        {
            if (number is { } given)
                Runs.CheckPrecision(name, precision, given).TryGet(faults, out _);
        }
        return precision;
    }

    private int Threads()
    {
        if (settings.Training.Threads is not { } wanted)
            return Math.Min(Environment.ProcessorCount, ThreadCount.Maximum);
        ThreadCount.Check(wanted).TryGet(faults, out var threads);
        return threads;
    }

    private Hyperparameters? Training()
    {
        var (model, training) = (settings.Model, settings.Training);
        var hasLength = Runs.Length(training.Iterations, training.Epochs)
            .TryGet(faults, out var length);
        Parse.Sampling(training.Sampling).TryGet(faults, out var sampling);
        Parse.Gradient(training.Gradient).TryGet(faults, out var gradient);
        Parse
            .Initialiser(model.Initialiser, model.WeightInitStd)
            .TryGet(faults, out var initialiser);
        Parse.Optimizer(Optimizer()).TryGet(faults, out var optimizer);
        Parse.Schedule(Schedule()).TryGet(faults, out var schedule);
        // A part that is at fault is replaced by the book's, so that the others are checked.
        var options = Hyperparameters.Default.Options.With(
            length: hasLength ? length : null,
            batchSize: training.BatchSize,
            learningRate: training.LearningRate,
            schedule: schedule,
            warmUp: training.WarmUp,
            initialiser: initialiser,
            sampling: sampling,
            gradient: gradient,
            optimizer: optimizer,
            augmentation: Augmentation(),
            labelSmoothing: training.LabelSmoothing,
            validation: settings.Data.Validation,
            earlyStopping: training.EarlyStopping,
            seed: training.Seed
        );
        Runs.Hyperparameters(options).TryGet(faults, out var hyperparameters);
        return hyperparameters;
    }

    private OptimizerOptions Optimizer()
    {
        var training = settings.Training;
        return new(
            training.Optimizer,
            training.Momentum,
            training.SquaresDecay,
            training.Beta1,
            training.Beta2,
            training.Epsilon,
            training.History,
            training.WeightDecay,
            training.PenaltyL1,
            training.PenaltyL2,
            training.PenaliseBiases,
            training.ClipValue,
            training.ClipNorm,
            training.Accumulate,
            training.AverageDecay
        );
    }

    private ScheduleOptions Schedule()
    {
        var training = settings.Training;
        return new(
            training.Schedule,
            training.ScheduleEvery,
            training.ScheduleFactor,
            training.ScheduleLast,
            training.ScheduleRise,
            training.SchedulePatience
        );
    }

    private Augmentation Augmentation()
    {
        var augmentation = settings.Augmentation;
        return new(
            augmentation.Shift,
            augmentation.Rotation,
            augmentation.Scale,
            augmentation.Elastic,
            augmentation.Smoothness,
            augmentation.Noise,
            augmentation.Mirror
        );
    }

    private DataSplit? Split()
    {
        var data = settings.Data;
        DataSplits
            .Create(data.Samples, data.TestShare, data.Validation, settings.Training.Seed)
            .TryGet(faults, out var split);
        return split;
    }

    private TableOptions? Table()
    {
        var data = settings.Data;
        Parse.Missing(data.Missing).TryGet(faults, out var missing);
        Parse.Scaling(data.Scaling).TryGet(faults, out var scaling);
        Parse
            .CellRules(data.MissingValues, data.DecimalSeparator, data.ThousandsSeparator)
            .TryGet(faults, out var cells);
        return cells is null || missing is null || scaling is null
            ? null
            : Tables.Options(
                data.Label,
                data.Numeric,
                data.Categorical,
                data.Ignored,
                cells,
                missing,
                scaling,
                data.Weight
            );
    }
}
