using System.ComponentModel;
using System.Net;
using System.Net.Sockets;

namespace Pipeline.Training;

/// <summary>Everything a person may set: section <c>Pipeline</c> of appsettings.json, environment
/// variables <c>Pipeline__Section__Name</c>, options <c>--Section:Name</c>.</summary>
public sealed class PipelineSettings
{
    public DataSettings Data { get; init; } = new();
    public ModelSettings Model { get; init; } = new();
    public TrainingSettings Training { get; init; } = new();
    public AugmentationSettings Augmentation { get; init; } = new();
    public RunSettings Run { get; init; } = new();
    public WatchSettings Watch { get; init; } = new();
    public TelemetrySettings Telemetry { get; init; } = new();
    public HealthSettings Health { get; init; } = new();
}

[Description("Where the samples are, and how tables are read.")]
public sealed class DataSettings
{
    [ChangeableOnResume]
    [Description(
        "folder with the four IDX files of MNIST, EMNIST (whose images are turned) or QMNIST, plain or .gz"
    )]
    [DefaultText("data/mnist of the repository")]
    public string Directory { get; init; } = DefaultPaths.PathOf("data/mnist");

    [Description(
        "how many classes the labels of images tell apart; a table's classes are found in its rows"
    )]
    [Accepts("2 to 65536")]
    [DefaultText("10, or as many as one-hot labels have columns")]
    public int? Classes { get; init; }

    [ChangeableOnResume]
    [Description(
        $"file with the training rows, instead of Directory: .npz, {TableFile.Endings}, also as .gz"
    )]
    public string? Train { get; init; }

    [ChangeableOnResume]
    [Description("file with the test rows")]
    [DefaultText("a share of Train's rows")]
    public string? Test { get; init; }

    [Description(
        "share of Train's rows that is kept for the test where there is no Test; rows are chosen by a hash of the row"
    )]
    [Accepts("0 to 0.9")]
    public double TestShare { get; init; } = 0.2;

    [Description("the label's column, by name or by place from 0")]
    [DefaultText("the last column")]
    public string? Label { get; init; }

    [Description(
        "whether the first row of a .csv holds names; a first row that can be either is refused unless this is set"
    )]
    [DefaultText("found out by how the row differs from those below")]
    public bool? Header { get; init; }

    [Description("lines of a .csv before its first row")]
    [Accepts("0 or more")]
    public int Skip { get; init; }

    [Description("what separates the cells of a .csv")]
    [Accepts(
        "comma, semicolon, tab, bar, space, whitespace (runs of spaces and tabs) or any other text"
    )]
    [DefaultText("found out")]
    public string? Separator { get; init; }

    [Description("encoding of .csv and .json files without a byte order mark")]
    [Accepts("a name that .NET knows: utf-8, windows-1252, latin1, utf-16, shift_jis, …")]
    [DefaultText("utf-8")]
    public string? Encoding { get; init; }

    [Description("columns to take for numbers, whatever their cells look like")]
    public string[] Numeric { get; init; } = [];

    [Description("columns to take for categories, whatever their cells look like")]
    public string[] Categorical { get; init; } = [];

    [Description("columns to leave out")]
    public string[] Ignored { get; init; } = [];

    [Description("texts that mean a missing value, besides empty cells, in any case of letters")]
    [Accepts("a list, or none")]
    [DefaultText("NA,N/A,NaN,null,?, or as in training")]
    public string[]? MissingValues { get; init; }

    [Description("what separates the fraction of a number")]
    [Accepts(". or ,")]
    [DefaultText("a point, or a comma where the table has no other reading, or as in training")]
    public string? DecimalSeparator { get; init; }

    [Description("what separates the thousands of a number")]
    [Accepts(", or . or ' or a space")]
    [DefaultText("nothing, or as in training")]
    public string? ThousandsSeparator { get; init; }

    [Description(
        "what takes the place of missing numbers: the mean or median of the training rows (of categories, the most frequent one), or nothing"
    )]
    [Accepts("Refuse, Mean or Median")]
    public string Missing { get; init; } = "Refuse";

    [Description(
        "how numbers of a table are scaled, fitted to the training rows: to mean 0 and deviation 1, or to 0 to 1"
    )]
    [Accepts("None, Standard or MinMax")]
    public string Scaling { get; init; } = "Standard";

    [Description("the most bytes of a file, also once it is unzipped")]
    [Accepts("1 or more")]
    public long MaximumBytes { get; init; } = DataFile.UsualLimit;

    [Description("how many training samples to use, the same share of every class")]
    [Accepts("1 or more")]
    [DefaultText("all")]
    public int? Samples { get; init; }

    [Description(
        "share of the training samples that is kept for validation: rows chosen by a hash, of images the same share of every class"
    )]
    [Accepts("0 to 0.9")]
    public double Validation { get; init; }
}

[Description("The network.")]
public sealed class ModelSettings
{
    [Description("widths of the hidden layers: 100,50, or none")]
    [Accepts("1 to 65536")]
    [DefaultText("50")]
    public int[]? Hidden { get; init; }

    [Description("the activation function of the hidden units")]
    [Accepts("Sigmoid, Tanh, Relu, Identity, LeakyRelu, Elu, Gelu, Silu or Softplus")]
    public string Activation { get; init; } = "Sigmoid";

    [Description(
        "whether hidden layers are normalised over the mini-batch; the saved model is the plain network that does the same"
    )]
    public bool Normalised { get; init; }

    [Description(
        "what the outputs stand for, and so the loss: Softmax for one class of several (cross entropy), Sigmoid for each class by itself (binary cross entropy), Identity for numbers (squared error)"
    )]
    [Accepts("Softmax, Sigmoid or Identity")]
    public string Head { get; init; } = "Softmax";

    [Description(
        "how the initial weights are drawn; Fixed: with the standard deviation WeightInitStd"
    )]
    [Accepts(
        "Fixed, XavierNormal, XavierUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform or Orthogonal"
    )]
    public string Initialiser { get; init; } = "Fixed";

    [Description("standard deviation of the initial weights where they are Fixed")]
    [Accepts("0 or more")]
    public double WeightInitStd { get; init; } = 0.01;
}

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

[Description("How training images are varied, each step anew.")]
public sealed class AugmentationSettings
{
    [Description("greatest shift along rows and columns, in pixels")]
    [Accepts("0 to 1000000")]
    public double Shift { get; init; }

    [Description("greatest turn to either side, in degrees")]
    [Accepts("0 to 180")]
    public double Rotation { get; init; }

    [Description("greatest change of size, as a share of it")]
    [Accepts("0 or more, below 1")]
    public double Scale { get; init; }

    [Description("elastic distortion: how far pixels move, in pixels, before it is smoothed")]
    [Accepts("0 to 1000000")]
    public double Elastic { get; init; }

    [Description("how smooth the elastic distortion is, in pixels")]
    [Accepts("above 0, up to 1000")]
    public double Smoothness { get; init; } = 4;

    [Description("standard deviation of noise added to pixels of 0 to 1")]
    [Accepts("0 to 1000000")]
    public double Noise { get; init; }

    [Description("share of images that are mirrored, left to right")]
    [Accepts("0 to 1")]
    public double Mirror { get; init; }
}

[Description("What a run leaves, and whether it resumes an earlier one.")]
[ChangeableOnResume]
public sealed class RunSettings
{
    internal const string Never = "Never";
    internal const string Auto = "Auto";

    [Description("folder that run folders are made in")]
    [DefaultText("data/runs of the repository")]
    public string Directory { get; init; } = DefaultPaths.PathOf("data/runs");

    [Description("the end of the run folder's name")]
    [Accepts("up to 200 bytes without slashes and control characters")]
    [DefaultText("the network's sizes, such as 784-50-10")]
    public string? Name { get; init; }

    [Description("whether a run leaves an event file for TensorBoard")]
    public bool TensorBoard { get; init; }

    [Description(
        "Once: train, then end; Watch: train, then wait, and train again when the data files change"
    )]
    [Accepts("Once or Watch")]
    public string Mode { get; init; } = "Once";

    [Description(
        "Never: start a new run; Auto: resume the newest unfinished run of Run:Directory with its own settings, or start a new run if all runs have ended; or a run folder: resume that run"
    )]
    [Accepts("Never, Auto or a run folder")]
    public string Resume { get; init; } = Never;

    [Description(
        "iterations from one line of progress.csv and of the event file to the next; a resumed run keeps its own"
    )]
    [Accepts("1 or more")]
    [DefaultText("1 up to iteration 10000, 10 up to 100000, 100 up to a million, and so on")]
    public long? ProgressEvery { get; init; }

    [Description("iterations from one checkpoint to the next; 0: none but at the end and in time")]
    [Accepts("0 or more")]
    public long CheckpointEvery { get; init; } = 1000;

    [Description("seconds after which the next checkpoint is due at the latest; 0: none in time")]
    [Accepts("0 to 31536000")]
    public double CheckpointSeconds { get; init; } = 60;

    [Description(
        "in mode Watch, how many finished run folders are kept, the model in use aside; older ones are deleted; 0: all are kept"
    )]
    [Accepts("0 or more")]
    public int Kept { get; init; } = 20;

    [Description(
        "how many checkpoints are kept; one more where the current epoch began before them"
    )]
    [Accepts("1 or more")]
    public int CheckpointsKept { get; init; } = 3;
}

[Description("What happens to a run where the data are watched (`Run:Mode` is `Watch`).")]
[ChangeableOnResume]
public sealed class WatchSettings
{
    [Description("seconds from one look at the data files to the next")]
    [Accepts("0.001 to 86400")]
    public double Every { get; init; } = 5;

    [Description("whether a run begins with what the one before it has learned")]
    public bool WarmStart { get; init; } = true;

    [Description("file of the model in use, or a link to it")]
    [Accepts("a name that ends in .safetensors")]
    [DefaultText("model.safetensors in Run:Directory")]
    public string? Model { get; init; }

    [Description(
        "how much lower the accuracy of a new model may be than that of the model in use, or how much higher its loss where numbers are predicted, as a share of it"
    )]
    [Accepts("0 to 1")]
    public double Margin { get; init; }
}

[Description("Metrics and traces.")]
[ChangeableOnResume]
public sealed class TelemetrySettings
{
    [Description("where metrics and traces go; Otlp: to an OpenTelemetry collector")]
    [Accepts("None, Console or Otlp")]
    public string Exporter { get; init; } = "None";
}

[Description("Health checks over HTTP.")]
[ChangeableOnResume]
public sealed class HealthSettings
{
    internal const string Localhost = "localhost";

    [Description("port of /health/live and /health/ready")]
    [Accepts("1 to 65535")]
    [DefaultText("no health checks")]
    public int? Port { get; init; }

    [Description("address that the health checks answer on; 0.0.0.0 or :: stands for all of them")]
    [Accepts("localhost or an IP address")]
    public string Address { get; init; } = Localhost;

    /// <summary>Whether an address is one that the health checks can answer on.</summary>
    /// <param name="text">The setting.</param>
    /// <param name="address">The address; null for localhost.</param>
    internal static bool TryParse(string text, out IPAddress? address)
    {
        address = null;
        if (text.Equals(Localhost, StringComparison.OrdinalIgnoreCase))
            return true;
        // "1" and "010.0.0.1" are addresses too, and others than people mean.
        return IPAddress.TryParse(text, out address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || $"{address}" == text);
    }

    [Description(
        "seconds without a step or an evaluation after which the service is not live: more than the slowest takes"
    )]
    [Accepts("above 0, up to 31536000")]
    public double StalledAfter { get; init; } = 300;
}
