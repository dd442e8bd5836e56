using System.ComponentModel;

namespace Pipeline.Training;

[Description(
    "The training. Numbers that do not apply to the chosen optimizer or schedule are refused."
)]
public sealed record TrainingSettings
{
    [ChangeableOnResume]
    [Description("steps of the run")]
    [Accepts("1 or more")]
    [DefaultText("10000, unless Epochs is set")]
    public long? Iterations { get; init; }

    [ChangeableOnResume]
    [Description("passes through the training data, instead of Iterations")]
    [Accepts("1 or more")]
    public int? Epochs { get; init; }

    [Description("samples in a mini-batch")]
    [Accepts("1 or more")]
    public int BatchSize { get; init; } = 100;

    [Description("learning rate; with a schedule, its highest")]
    [Accepts("above 0")]
    public double LearningRate { get; init; } = 0.1;

    [Description("how the learning rate changes")]
    public string Schedule { get; init; } = "Constant";

    [Description(
        "iterations after which the rate is multiplied by ScheduleFactor (Exponential: gradually)"
    )]
    [Accepts("1 or more")]
    public long? ScheduleEvery { get; init; }

    [Description("factor that the rate is multiplied by")]
    [Accepts("above 0")]
    public double? ScheduleFactor { get; init; }

    [Description("final rate, as a share of LearningRate")]
    [Accepts("0 to 1")]
    public double? ScheduleLast { get; init; }

    [Description("share of the run in which the rate rises")]
    [Accepts("above 0, below 1")]
    public double? ScheduleRise { get; init; }

    [Description(
        "epochs without a lower validation loss after which the rate is multiplied by ScheduleFactor"
    )]
    [Accepts("1 or more")]
    public int? SchedulePatience { get; init; }

    [Description("iterations of warm-up, in which the rate rises to that of the schedule")]
    [Accepts("0 or more")]
    public long WarmUp { get; init; }

    [Description(
        "how mini-batches are drawn: Replacement draws each sample independently, Epoch takes every sample once per epoch"
    )]
    [Accepts("Replacement or Epoch")]
    public string Sampling { get; init; } = "Replacement";

    [Description(
        "how the gradient is computed; Numerical: by central differences, thousands of times slower"
    )]
    [Accepts("Backpropagation or Numerical")]
    public string Gradient { get; init; } = "Backpropagation";

    [Description(
        "how the gradient changes the parameters; usual learning rates are 0.001 for Adam and AdamW, 0.0001 for Lion"
    )]
    public string Optimizer { get; init; } = "GradientDescent";

    [Description("share of the velocity that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? Momentum { get; init; }

    [Description("share of the mean square that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? SquaresDecay { get; init; }

    [Description("share of the mean that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? Beta1 { get; init; }

    [Description("share of the mean square (for Lion: of the mean) that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? Beta2 { get; init; }

    [Description("number that is added to square roots, against division by 0")]
    [Accepts("above 0")]
    public double? Epsilon { get; init; }

    [Description(
        "decoupled weight decay: share of the learning rate by which parameters shrink at each step"
    )]
    [Accepts("0 or more")]
    [DefaultText("0; of AdamW 0.01")]
    public double? WeightDecay { get; init; }

    [Description("strength λ of the L1 penalty: λ·sign θ is added to the gradient")]
    [Accepts("0 or more")]
    [DefaultText("0")]
    public double? PenaltyL1 { get; init; }

    [Description("strength λ of the L2 penalty: λθ is added to the gradient")]
    [Accepts("0 or more")]
    [DefaultText("0")]
    public double? PenaltyL2 { get; init; }

    [Description("limit of every element of the gradient")]
    [Accepts("above 0")]
    public double? ClipValue { get; init; }

    [Description("limit of the gradient's norm")]
    [Accepts("above 0")]
    public double? ClipNorm { get; init; }

    [Description("mini-batches whose gradients are averaged for a step")]
    [Accepts("1 or more")]
    [DefaultText("1")]
    public int? Accumulate { get; init; }

    [Description(
        "share of the running mean of the parameters that is kept in each step; the mean is evaluated and saved"
    )]
    [Accepts("0 or more, below 1")]
    [DefaultText("no mean is kept")]
    public double? AverageDecay { get; init; }

    [Description("share of hidden units that are dropped in each step")]
    [Accepts("0 or more, below 1")]
    public double Dropout { get; init; }

    [Description("share of every training target that is spread evenly over all classes")]
    [Accepts("0 or more, below 1")]
    public double LabelSmoothing { get; init; }

    [Description(
        "epochs without a lower validation loss after which the run ends; the best parameters are kept"
    )]
    [Accepts("1 or more")]
    [DefaultText("no early stopping")]
    public int? EarlyStopping { get; init; }

    [Description("precision of the numbers: 32 or 64 bits")]
    [Accepts("Single or Double")]
    public string Precision { get; init; } = "Single";

    [Description("seed of all random numbers")]
    [Accepts("0 or more")]
    public ulong Seed { get; init; } = 1;

    [ChangeableOnResume]
    [Description("largest number of threads; results do not depend on it")]
    [Accepts("1 to 1024")]
    [DefaultText("every processor")]
    public int? Threads { get; init; }
}
