using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>The training. Numbers that do not apply to the chosen optimizer or schedule are
/// refused.</summary>
[Description(
    "The training. Numbers that do not apply to the chosen optimizer or schedule are refused."
)]
public sealed record TrainingSettings
{
    /// <summary>Steps of the run. Accepts: 1 or more. Default: 10000, unless Epochs is set.</summary>
    [ChangeableOnResume]
    [Description("steps of the run")]
    [Accepts("1 or more")]
    [DefaultText("10000, unless Epochs is set")]
    public long? Iterations { get; init; }

    /// <summary>Passes through the training data, instead of Iterations. Accepts: 1 or more.</summary>
    [ChangeableOnResume]
    [Description("passes through the training data, instead of Iterations")]
    [Accepts("1 or more")]
    public int? Epochs { get; init; }

    /// <summary>Samples in a mini-batch. Accepts: 1 or more. Default: 100.</summary>
    [Description("samples in a mini-batch")]
    [Accepts("1 or more")]
    public int BatchSize { get; init; } = 100;

    /// <summary>Learning rate; with a schedule, its highest. Accepts: above 0. Default: 0.1.</summary>
    [Description("learning rate; with a schedule, its highest")]
    [Accepts("above 0")]
    public double LearningRate { get; init; } = 0.1;

    /// <summary>How the learning rate changes. Accepts: Constant, Step, Exponential, Cosine, OneCycle or Plateau.
    /// Default: Constant.</summary>
    [Description("how the learning rate changes")]
    public string Schedule { get; init; } = "Constant";

    /// <summary>Of Step and Exponential: iterations after which the rate is multiplied by ScheduleFactor
    /// (Exponential: gradually). Accepts: 1 or more. Default: 1000.</summary>
    [Description(
        "iterations after which the rate is multiplied by ScheduleFactor (Exponential: gradually)"
    )]
    [Accepts("1 or more")]
    public long? ScheduleEvery { get; init; }

    /// <summary>Of Step, Exponential and Plateau: factor that the rate is multiplied by. Accepts: above 0.
    /// Default: 0.1.</summary>
    [Description("factor that the rate is multiplied by")]
    [Accepts("above 0")]
    public double? ScheduleFactor { get; init; }

    /// <summary>Of Cosine: final rate, as a share of LearningRate. Accepts: 0 to 1. Default: 0.</summary>
    [Description("final rate, as a share of LearningRate")]
    [Accepts("0 to 1")]
    public double? ScheduleLast { get; init; }

    /// <summary>Of OneCycle: share of the run in which the rate rises. Accepts: above 0, below 1. Default:
    /// 0.3.</summary>
    [Description("share of the run in which the rate rises")]
    [Accepts("above 0, below 1")]
    public double? ScheduleRise { get; init; }

    /// <summary>Of Plateau: epochs without a lower validation loss after which the rate is multiplied by
    /// ScheduleFactor. Accepts: 1 or more. Default: 10.</summary>
    [Description(
        "epochs without a lower validation loss after which the rate is multiplied by ScheduleFactor"
    )]
    [Accepts("1 or more")]
    public int? SchedulePatience { get; init; }

    /// <summary>Iterations of warm-up, in which the rate rises to that of the schedule. Accepts: 0 or more.
    /// Default: 0.</summary>
    [Description("iterations of warm-up, in which the rate rises to that of the schedule")]
    [Accepts("0 or more")]
    public long WarmUp { get; init; }

    /// <summary>How mini-batches are drawn: Replacement draws each sample independently, Epoch takes every sample
    /// once per epoch. Accepts: Replacement or Epoch. Default: Replacement.</summary>
    [Description(
        "how mini-batches are drawn: Replacement draws each sample independently, Epoch takes every sample once per epoch"
    )]
    [Accepts("Replacement or Epoch")]
    public string Sampling { get; init; } = "Replacement";

    /// <summary>How the gradient is computed; Numerical: by central differences, thousands of times slower.
    /// Accepts: Backpropagation or Numerical. Default: Backpropagation.</summary>
    [Description(
        "how the gradient is computed; Numerical: by central differences, thousands of times slower"
    )]
    [Accepts("Backpropagation or Numerical")]
    public string Gradient { get; init; } = "Backpropagation";

    /// <summary>How the gradient changes the parameters; usual learning rates are 0.001 for Adam and AdamW,
    /// 0.0001 for Lion, 1 for Lbfgs. Accepts: GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW,
    /// Lion or Lbfgs. Default: GradientDescent.</summary>
    [Description(
        "how the gradient changes the parameters; usual learning rates are 0.001 for Adam and AdamW, 0.0001 for Lion, 1 for Lbfgs"
    )]
    public string Optimizer { get; init; } = "GradientDescent";

    /// <summary>Of Momentum and Nesterov: share of the velocity that is kept in each step. Accepts: 0 or more,
    /// below 1. Default: 0.9.</summary>
    [Description("share of the velocity that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? Momentum { get; init; }

    /// <summary>Of RmsProp: share of the mean square that is kept in each step. Accepts: 0 or more, below 1.
    /// Default: 0.99.</summary>
    [Description("share of the mean square that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? SquaresDecay { get; init; }

    /// <summary>Of Adam, AdamW and Lion: share of the mean that is kept in each step. Accepts: 0 or more, below
    /// 1. Default: 0.9.</summary>
    [Description("share of the mean that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? Beta1 { get; init; }

    /// <summary>Of Adam, AdamW and Lion: share of the mean square (for Lion: of the mean) that is kept in each
    /// step. Accepts: 0 or more, below 1. Default: 0.999; of Lion 0.99.</summary>
    [Description("share of the mean square (for Lion: of the mean) that is kept in each step")]
    [Accepts("0 or more, below 1")]
    public double? Beta2 { get; init; }

    /// <summary>Of AdaGrad, RmsProp, Adam and AdamW: number that is added to square roots, against division by 0.
    /// Accepts: above 0. Default: 1e-8; of AdaGrad 1e-10.</summary>
    [Description("number that is added to square roots, against division by 0")]
    [Accepts("above 0")]
    public double? Epsilon { get; init; }

    /// <summary>Of Lbfgs: moves and changes of the gradient that the approximation of the second derivatives is made
    /// of. Accepts: 1 to 100. Default: 10.</summary>
    [Description(
        "moves and changes of the gradient that the approximation of the second derivatives is made of"
    )]
    [Accepts("1 to 100")]
    public int? History { get; init; }

    /// <summary>Decoupled weight decay: share of the learning rate by which parameters shrink at each step.
    /// Accepts: 0 or more. Default: 0; of AdamW 0.01.</summary>
    [Description(
        "decoupled weight decay: share of the learning rate by which parameters shrink at each step"
    )]
    [Accepts("0 or more")]
    [DefaultText("0; of AdamW 0.01")]
    public double? WeightDecay { get; init; }

    /// <summary>Strength λ of the L1 penalty: λ·sign θ is added to the gradient. Accepts: 0 or more. Default:
    /// 0.</summary>
    [Description("strength λ of the L1 penalty: λ·sign θ is added to the gradient")]
    [Accepts("0 or more")]
    [DefaultText("0")]
    public double? PenaltyL1 { get; init; }

    /// <summary>Strength λ of the L2 penalty: λθ is added to the gradient. Accepts: 0 or more. Default:
    /// 0.</summary>
    [Description("strength λ of the L2 penalty: λθ is added to the gradient")]
    [Accepts("0 or more")]
    [DefaultText("0")]
    public double? PenaltyL2 { get; init; }

    /// <summary>Whether WeightDecay, PenaltyL1 and PenaltyL2 apply to biases, and to γ and β of normalisation, as they
    /// do to weights. Accepts: true or false. Default: true.</summary>
    [Description(
        "whether WeightDecay, PenaltyL1 and PenaltyL2 apply to biases, and to γ and β of normalisation, as they do to weights"
    )]
    [Accepts("true or false")]
    [DefaultText("true")]
    public bool? PenaliseBiases { get; init; }

    /// <summary>Limit of every element of the gradient. Accepts: above 0.</summary>
    [Description("limit of every element of the gradient")]
    [Accepts("above 0")]
    public double? ClipValue { get; init; }

    /// <summary>Limit of the gradient's norm. Accepts: above 0.</summary>
    [Description("limit of the gradient's norm")]
    [Accepts("above 0")]
    public double? ClipNorm { get; init; }

    /// <summary>Mini-batches whose gradients are averaged for a step. Accepts: 1 or more. Default: 1.</summary>
    [Description("mini-batches whose gradients are averaged for a step")]
    [Accepts("1 or more")]
    [DefaultText("1")]
    public int? Accumulate { get; init; }

    /// <summary>Share of the running means of the parameters, and of the statistics of batch normalisation, that is kept
    /// in each step; the means are evaluated and saved. Accepts: 0 or more, below 1. Default: no mean is kept.</summary>
    [Description(
        "share of the running means of the parameters, and of the statistics of batch normalisation, that is kept in each step; the means are evaluated and saved"
    )]
    [Accepts("0 or more, below 1")]
    [DefaultText("no mean is kept")]
    public double? AverageDecay { get; init; }

    /// <summary>Share of hidden units that are dropped in each step. Accepts: 0 or more, below 1. Default:
    /// 0.</summary>
    [Description("share of hidden units that are dropped in each step")]
    [Accepts("0 or more, below 1")]
    public double Dropout { get; init; }

    /// <summary>Share of every training target that is spread evenly over all classes. Accepts: 0 or more, below
    /// 1. Default: 0.</summary>
    [Description("share of every training target that is spread evenly over all classes")]
    [Accepts("0 or more, below 1")]
    public double LabelSmoothing { get; init; }

    /// <summary>Epochs without a lower validation loss after which the run ends; the best parameters are kept.
    /// Accepts: 1 or more. Default: no early stopping.</summary>
    [Description(
        "epochs without a lower validation loss after which the run ends; the best parameters are kept"
    )]
    [Accepts("1 or more")]
    [DefaultText("no early stopping")]
    public int? EarlyStopping { get; init; }

    /// <summary>Figure of the validation samples by which early stopping and the schedule Plateau go, and of the models
    /// that watch mode compares. Accepts: Accuracy, BalancedAccuracy, MacroF1, AreaUnderRoc, LogLoss,
    /// RootMeanSquaredError, MeanAbsoluteError or RSquared. Default: the loss; in watch mode the accuracy, or the loss
    /// for numbers to predict.</summary>
    [Description(
        "figure of the validation samples by which early stopping and the schedule Plateau go, and of the models that watch mode compares"
    )]
    [Accepts(
        "Accuracy, BalancedAccuracy, MacroF1, AreaUnderRoc, LogLoss, RootMeanSquaredError, MeanAbsoluteError or RSquared"
    )]
    [DefaultText("the loss; in watch mode the accuracy, or the loss for numbers to predict")]
    public string? Metric { get; init; }

    /// <summary>Divide the outputs of the trained network by a temperature that fits the validation samples, so that
    /// its probabilities are as high as its share of correct answers. Accepts: true or false. Default: false.</summary>
    [Description(
        "divide the outputs of the trained network by a temperature that fits the validation samples, so that its probabilities are as high as its share of correct answers"
    )]
    public bool Calibrated { get; init; }

    /// <summary>Share of new samples that a prediction is to cover: with every class comes the set of classes that the
    /// sample may be of, with every number an interval, so wide that they contain the truth for this share of the
    /// validation samples. Accepts: above 0, below 1. Default: none, without sets and intervals.</summary>
    [Description(
        "share of new samples that a prediction is to cover: with every class comes the set of classes that the sample may be of, with every number an interval, so wide that they contain the truth for this share of the validation samples"
    )]
    [Accepts("above 0, below 1")]
    [DefaultText("none, without sets and intervals")]
    public double? Coverage { get; init; }

    /// <summary>Threshold above which a class is answered, chosen on the validation samples: the highest that reaches a
    /// recall, the lowest that reaches a precision, the one with the least cost if missing a sample of the class costs
    /// that many times a false alarm, or the threshold itself. Accepts: CLASS:recall=0.9, CLASS:precision=0.8, CLASS:cost=5 or
    /// CLASS:threshold=0.3. Default: the most probable class is answered.</summary>
    [Description(
        "threshold above which a class is answered, chosen on the validation samples: the highest that reaches a recall, the lowest that reaches a precision, the one with the least cost if missing a sample of the class costs that many times a false alarm, or the threshold itself"
    )]
    [Accepts("CLASS:recall=0.9, CLASS:precision=0.8, CLASS:cost=5 or CLASS:threshold=0.3")]
    [DefaultText("the most probable class is answered")]
    public string? Decision { get; init; }

    /// <summary>Precision of the numbers: 32 or 64 bits. Accepts: Single or Double. Default: Single.</summary>
    [Description("precision of the numbers: 32 or 64 bits")]
    [Accepts("Single or Double")]
    public string Precision { get; init; } = "Single";

    /// <summary>Seed of all random numbers. Accepts: 0 or more. Default: 1.</summary>
    [Description("seed of all random numbers")]
    [Accepts("0 or more")]
    public ulong Seed { get; init; } = 1;

    /// <summary>Largest number of threads; results do not depend on it. Accepts: 1 to 1024. Default: every
    /// processor.</summary>
    [ChangeableOnResume]
    [Description("largest number of threads; results do not depend on it")]
    [Accepts("1 to 1024")]
    [DefaultText("every processor")]
    public int? Threads { get; init; }
}
