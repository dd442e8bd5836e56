using System.ComponentModel;

namespace Pipeline.Training;

[Description(
    "How the network learns. Numbers of an optimizer or a schedule that the chosen one does not have are refused."
)]
public sealed class TrainingSettings
{
    [ChangeableOnResume]
    [Description("steps of the run")]
    [Accepts("1 or more")]
    [DefaultText("10000, unless Epochs is set")]
    public long? Iterations { get; init; }

    [ChangeableOnResume]
    [Description("times through the training data, instead of Iterations")]
    [Accepts("1 or more")]
    public int? Epochs { get; init; }

    [Description("samples in a mini-batch")]
    [Accepts("1 or more")]
    public int BatchSize { get; init; } = 100;

    [Description("learning rate: the optimizer's step size, or a schedule's highest")]
    [Accepts("above 0")]
    public double LearningRate { get; init; } = 0.1;

    [Description("how the learning rate changes")]
    public string Schedule { get; init; } = "Constant";

    [Description("iterations in which the rate is multiplied by ScheduleFactor, at once or evenly")]
    [Accepts("1 or more")]
    public long? ScheduleEvery { get; init; }

    [Description("what the rate is multiplied by")]
    [Accepts("above 0")]
    public double? ScheduleFactor { get; init; }

    [Description("share of the rate that it ends at")]
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

    [Description("iterations in which the rate rises to the schedule's")]
    [Accepts("0 or more")]
    public long WarmUp { get; init; }

    [Description(
        "how mini-batches are drawn: each draw independent, or every sample once an epoch"
    )]
    [Accepts("Replacement or Epoch")]
    public string Sampling { get; init; } = "Replacement";

    [Description(
        "how the gradient is computed; Numerical: by its definition, thousands of times slower"
    )]
    [Accepts("Backpropagation or Numerical")]
    public string Gradient { get; init; } = "Backpropagation";

    [Description(
        "how the gradient changes the parameters; usual learning rates are 0.001 for Adam and AdamW, 0.0001 for Lion"
    )]
    public string Optimizer { get; init; } = "GradientDescent";

    [Description("how much of the velocity stays at each step")]
    [Accepts("0 or more, below 1")]
    public double? Momentum { get; init; }

    [Description("how much of the mean square stays at each step")]
    [Accepts("0 or more, below 1")]
    public double? SquaresDecay { get; init; }

    [Description("how much of the mean stays at each step")]
    [Accepts("0 or more, below 1")]
    public double? Beta1 { get; init; }

    [Description("how much of the mean square (of Lion: of the mean) stays at each step")]
    [Accepts("0 or more, below 1")]
    public double? Beta2 { get; init; }

    [Description("what is added to roots")]
    [Accepts("above 0")]
    public double? Epsilon { get; init; }

    [Description(
        "decoupled weight decay: share of the learning rate by which parameters shrink at each step"
    )]
    [Accepts("0 or more")]
    [DefaultText("0; of AdamW 0.01")]
    public double? WeightDecay { get; init; }

    [Description(
        "strength λ of the penalty on the sizes of parameters: λ·sign θ is added to the gradient"
    )]
    [Accepts("0 or more")]
    [DefaultText("0")]
    public double? PenaltyL1 { get; init; }

    [Description("strength λ of the penalty on half their squares: λθ is added to the gradient")]
    [Accepts("0 or more")]
    [DefaultText("0")]
    public double? PenaltyL2 { get; init; }

    [Description("limit of every element of the gradient")]
    [Accepts("above 0")]
    public double? ClipValue { get; init; }

    [Description("limit of the whole gradient's length")]
    [Accepts("above 0")]
    public double? ClipNorm { get; init; }

    [Description("mini-batches whose mean gradient makes a step")]
    [Accepts("1 or more")]
    [DefaultText("1")]
    public int? Accumulate { get; init; }

    [Description(
        "how much of a running mean of the parameters stays at each step; the mean is evaluated and saved"
    )]
    [Accepts("0 or more, below 1")]
    [DefaultText("no mean is kept")]
    public double? AverageDecay { get; init; }

    [Description("share of hidden units that each step of training leaves out")]
    [Accepts("0 or more, below 1")]
    public double Dropout { get; init; }

    [Description("share of every training target that goes to all classes alike")]
    [Accepts("0 or more, below 1")]
    public double LabelSmoothing { get; init; }

    [Description(
        "epochs without a lower validation loss after which the run ends; the best parameters are kept"
    )]
    [Accepts("1 or more")]
    [DefaultText("the run is not ended early")]
    public int? EarlyStopping { get; init; }

    [Description("precision of the numbers: 32 or 64 bits")]
    [Accepts("Single or Double")]
    public string Precision { get; init; } = "Single";

    [Description("what every random number follows from")]
    [Accepts("0 or more")]
    public ulong Seed { get; init; } = 1;

    [ChangeableOnResume]
    [Description(
        "most threads of a large product, an evaluation or a numerical gradient; it never changes a bit"
    )]
    [Accepts("1 to 1024")]
    [DefaultText("every processor")]
    public int? Threads { get; init; }
}
