using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>Everything a person may set: section <c>Pipeline</c> of appsettings.json, environment
/// variables <c>Pipeline__Section__Name</c>, options <c>--Section:Name</c>.</summary>
public sealed class PipelineSettings
{
    public DataSettings Data { get; init; } = new();
    public ModelSettings Model { get; init; } = new();
    public TrainingSettings Training { get; init; } = new();
    public RunSettings Run { get; init; } = new();
}

/// <summary>Where the samples are.</summary>
public sealed class DataSettings
{
    /// <summary>Unless set, <c>data/mnist</c> of the repository.</summary>
    [Description("folder with the four IDX files, plain or .gz")]
    public string Directory { get; init; } = Repository.PathOf("data/mnist");

    [Description("how many classes the labels tell apart, 2 or more")]
    public int Classes { get; init; } = 10;
}

/// <summary>The network.</summary>
public sealed class ModelSettings
{
    /// <summary>Unless set, the book's one hidden layer of 50.</summary>
    [Description("widths of the hidden layers, 1 to 65536 each: 100,50, or none; 50 unless set")]
    public int[]? Hidden { get; init; }

    [Description("what hidden units do: Sigmoid, Tanh, Relu or Identity")]
    public string Activation { get; init; } = "Sigmoid";

    [Description("standard deviation of the initial weights, 0 or greater")]
    public double WeightInitStd { get; init; } = 0.01;
}

/// <summary>How it learns.</summary>
public sealed class TrainingSettings
{
    /// <summary>Unless this or Epochs is set, the book's 10,000.</summary>
    [Description("steps, 1 or more; 10000 unless Epochs is set")]
    public long? Iterations { get; init; }

    [Description("times through the training data, 1 or more, instead of Iterations")]
    public int? Epochs { get; init; }

    [Description("samples in a mini-batch, 1 or more")]
    public int BatchSize { get; init; } = 100;

    [Description("learning rate: the optimizer's step size, greater than 0")]
    public double LearningRate { get; init; } = 0.1;

    [Description("Replacement (each draw independent) or Epoch (every sample once an epoch)")]
    public string Sampling { get; init; } = "Replacement";

    [Description("Backpropagation, or Numerical (by definition: thousands of times slower)")]
    public string Gradient { get; init; } = "Backpropagation";

    [Description(
        "GradientDescent, or Adam (with its paper's constants; 0.001 is a usual rate for it)"
    )]
    public string Optimizer { get; init; } = "GradientDescent";

    [Description("Single (32 bits) or Double (64 bits)")]
    public string Precision { get; init; } = "Single";

    [Description("what every random number follows from, 0 or greater")]
    public ulong Seed { get; init; } = 1;

    /// <summary>Unless set, one for small shapes and every processor for large ones.</summary>
    [Description(
        "most threads of a computation, 1 to 1024; every processor unless set; changes no bit"
    )]
    public int? Threads { get; init; }
}

/// <summary>What a run leaves.</summary>
public sealed class RunSettings
{
    /// <summary>Unless set, <c>data/runs</c> of the repository.</summary>
    [Description("folder that run folders are made in")]
    public string Directory { get; init; } = Repository.PathOf("data/runs");

    /// <summary>Unless set, the network's sizes, 784-50-10 say.</summary>
    [Description("the end of the run folder's name; unless set, the network's sizes")]
    public string? Name { get; init; }
}
