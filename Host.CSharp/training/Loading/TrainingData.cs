using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The samples of a run.</summary>
/// <param name="Train">Those to learn from.</param>
/// <param name="Validation">Those that early stopping and schedules look at, if any.</param>
/// <param name="Test">Those that only measure the network.</param>
/// <param name="Weighted">Those to learn from with their weights; null if all count the same.</param>
/// <param name="Scaling">How numbers to predict are scaled for training; null if they are not.</param>
/// <param name="IsCalibrated">Whether a temperature is fitted to the validation samples.</param>
internal sealed record TrainingSamples<T>(
    Dataset<T> Train,
    Dataset<T>? Validation,
    Dataset<T> Test,
    Dataset<T>? Weighted = null,
    TargetScaling? Scaling = null,
    bool IsCalibrated = false
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The samples that steps of training draw from.</summary>
    public Dataset<T> Learned => Weighted ?? Train;

    /// <summary>The samples with scaled targets.</summary>
    public TrainingSamples<T> Scaled() =>
        Scaling is null
            ? this
            : new(
                TargetScalings.Apply(Scaling, Train),
                Validation is null ? null : TargetScalings.Apply(Scaling, Validation),
                TargetScalings.Apply(Scaling, Test),
                Weighted is null ? null : TargetScalings.Apply(Scaling, Weighted)
            );

    /// <summary>The network to save, of one that learned from <see cref="Scaled"/>: it predicts in the targets' own
    /// unit, and its probabilities are calibrated.</summary>
    public FinishedNetwork<T> Finish(Network<T> network)
    {
        if (Scaling is not null)
            return new(TargetScalings.Restore(Scaling, network), null);
        if (!IsCalibrated)
            return new(network, null);
        var temperature = Temperatures.Fit(network, Validation!);
        return new(Temperatures.Apply(temperature, network), temperature);
    }
}

/// <summary>The network that a run saves.</summary>
/// <param name="Network">The network.</param>
/// <param name="Temperature">The temperature that it is calibrated with; null without calibration.</param>
internal sealed record FinishedNetwork<T>(Network<T> Network, double? Temperature)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Loaded data, and its samples as the settings split them.</summary>
internal sealed record TrainingData<T>(LoadedData<T> Loaded, TrainingSamples<T> Samples)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The statistics of the inputs, which are counted while the network learns; null for a table's rows without
    /// those of its columns, as in a cross-validation.</summary>
    private readonly Task<IEnumerable<WatchedFeature>?> inputs = Loaded.Preprocessing.IsTable
        ? Task.FromResult<IEnumerable<WatchedFeature>?>(Loaded.Columns)
        : Task.Run<IEnumerable<WatchedFeature>?>(() =>
            Drift.OfSamples(Loaded.Preprocessing, Samples.Train)
        );

    /// <summary>The model of a network, with everything that a prediction needs.</summary>
    /// <param name="network">The network to save.</param>
    /// <param name="configuration">The run's settings.</param>
    /// <param name="iteration">The iteration that the network is of.</param>
    public Model<T> ModelOf(Network<T> network, RunConfiguration configuration, long iteration)
    {
        var model = Models.Create(
            network,
            Loaded.Preprocessing,
            Loaded.Classes,
            Provenance.Of(configuration, iteration),
            DecisionOf(network, configuration.Decision),
            MarginsOf(network, configuration.Settings.Training.Coverage)
        );
        return inputs.GetAwaiter().GetResult() is { } statistics
            ? Model.WithStatistics(statistics, Samples.Validation ?? Samples.Test, model)
            : model;
    }

    /// <summary>The margins that cover a share of new samples; null if none is wanted, or if predictions are not
    /// numbers.</summary>
    private Conformal? MarginsOf(Network<T> network, double? coverage) =>
        coverage is { } share
        && ConformalPredictions
            .Fit(share, network, Samples.Validation!)
            .TryGet(out var margins, out _)
            ? margins
            : null;

    private Decision? DecisionOf(Network<T> network, ClassDecision? wanted)
    {
        if (wanted is null)
            return null;
        var index = Loaded.Classes.ToList().IndexOf(wanted.Class);
        return wanted.Goal is DecisionGoal.Threshold { Item: var threshold }
            ? new(index, threshold)
            : Decisions.Fit(wanted.Goal, index, network, Samples.Validation!);
    }
}
