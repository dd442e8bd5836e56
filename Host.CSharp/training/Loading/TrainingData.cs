using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The samples of a run.</summary>
/// <param name="Train">Those to learn from.</param>
/// <param name="Validation">Those that early stopping and schedules look at, if any.</param>
/// <param name="Test">Those that only measure the network.</param>
internal sealed record TrainingSamples<T>(Dataset<T> Train, Dataset<T>? Validation, Dataset<T> Test)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Loaded data, and its samples as the settings split them.</summary>
internal sealed record TrainingData<T>(LoadedData<T> Loaded, TrainingSamples<T> Samples)
    where T : struct, IBinaryFloatingPointIeee754<T>;
