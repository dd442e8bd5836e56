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

/// <summary>Where the samples are.</summary>
public sealed class DataSettings
{
    /// <summary>Unless set, <c>data/mnist</c> of the repository.</summary>
    [MayChange]
    [Description("folder with the four IDX files, plain or .gz")]
    public string Directory { get; init; } = Repository.PathOf("data/mnist");

    /// <summary>Unless set, the book's 10; a table's are found in its rows.</summary>
    [Description("how many classes the labels of images tell apart, 2 or more; 10 unless set")]
    public int? Classes { get; init; }

    [MayChange]
    [Description(
        $"file with the training rows, instead of Directory: .npz, {TableFile.Endings}, also as .gz"
    )]
    public string? Train { get; init; }

    [MayChange]
    [Description("file with the test rows; a share of Train's unless set")]
    public string? Test { get; init; }

    [Description(
        "share of Train's rows, chosen by a hash of the row, that is kept for the test where there is no Test, 0 to 0.9"
    )]
    public double TestShare { get; init; } = 0.2;

    [Description("the label's column, by name or by place from 0; the last one unless set")]
    public string? Label { get; init; }

    [Description(
        "whether the first row of a .csv holds names: true or false; unless set, it is told by how the row differs from those below, and refused where it can be either"
    )]
    public bool? Header { get; init; }

    [Description("lines of a .csv before its first row, 0 or more")]
    public int Skip { get; init; }

    [Description(
        "what separates the cells of a .csv: comma, semicolon, tab, bar, space, whitespace (runs of spaces and tabs), or any other text; unless set, it is found out"
    )]
    public string? Separator { get; init; }

    [Description(
        "encoding of .csv and .json files without a byte order mark, by a name of .NET's: utf-8, windows-1252, latin1, utf-16, shift_jis, …; utf-8 unless set"
    )]
    public string? Encoding { get; init; }

    [Description("columns to take for numbers, whatever their cells look like")]
    public string[] Numeric { get; init; } = [];

    [Description("columns to take for categories, whatever their cells look like")]
    public string[] Categorical { get; init; } = [];

    [Description("columns to leave out")]
    public string[] Ignored { get; init; } = [];

    /// <summary>Unless set, those of <see cref="Learning.CellFormatModule.Usual"/>, or a model's own.</summary>
    [Description(
        "texts that mean a missing value, besides empty cells, in any case of letters: a list, or none; NA,N/A,NaN,null,? unless set, or as in training"
    )]
    public string[]? MissingValues { get; init; }

    [Description(
        "what separates the fraction of a number: . or , ; unless set, a point, or a comma where the table has no other reading, or as in training"
    )]
    public string? DecimalSeparator { get; init; }

    [Description(
        "what separates the thousands of a number: , or . or ' or a space; nothing unless set, or as in training"
    )]
    public string? ThousandsSeparator { get; init; }

    [Description(
        "what becomes of missing cells: Refuse, Mean or Median (of the training rows; of categories the most frequent)"
    )]
    public string Missing { get; init; } = "Refuse";

    [Description(
        "how numbers of a table are scaled, fitted to the training rows: None, Standard or MinMax"
    )]
    public string Scaling { get; init; } = "Standard";

    [Description("the most bytes of a file, also once it is unzipped")]
    public long MaximumBytes { get; init; } = DataFile.UsualLimit;

    [Description(
        "how many training samples to use, the same share of every class, 1 or more; all unless set"
    )]
    public int? Samples { get; init; }

    [Description(
        "share of the training samples that is kept for validation, chosen by a hash of the row, of images the same share of every class, 0 to 0.9"
    )]
    public double Validation { get; init; }
}

/// <summary>The network.</summary>
public sealed class ModelSettings
{
    /// <summary>Unless set, the book's one hidden layer of 50.</summary>
    [Description("widths of the hidden layers, 1 to 65536 each: 100,50, or none; 50 unless set")]
    public int[]? Hidden { get; init; }

    [Description(
        "what hidden units do: Sigmoid, Tanh, Relu, LeakyRelu, Elu, Gelu, Silu, Softplus or Identity"
    )]
    public string Activation { get; init; } = "Sigmoid";

    [Description("whether hidden layers are normalised over the mini-batch: true or false")]
    public bool Normalised { get; init; }

    [Description(
        "what the outputs stand for, and so the loss: Softmax (cross entropy), Sigmoid (binary cross entropy) or Identity (squared error)"
    )]
    public string Head { get; init; } = "Softmax";

    [Description(
        "how weights begin: Fixed (with WeightInitStd), XavierNormal, XavierUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform or Orthogonal"
    )]
    public string Initialiser { get; init; } = "Fixed";

    [Description("standard deviation of the initial weights where they are Fixed, 0 or greater")]
    public double WeightInitStd { get; init; } = 0.01;
}

/// <summary>How it learns.</summary>
public sealed class TrainingSettings
{
    /// <summary>Unless this or Epochs is set, the book's 10,000.</summary>
    [MayChange]
    [Description("steps, 1 or more; 10000 unless Epochs is set")]
    public long? Iterations { get; init; }

    [MayChange]
    [Description("times through the training data, 1 or more, instead of Iterations")]
    public int? Epochs { get; init; }

    [Description("samples in a mini-batch, 1 or more")]
    public int BatchSize { get; init; } = 100;

    [Description("learning rate: the optimizer's step size, or a schedule's highest; above 0")]
    public double LearningRate { get; init; } = 0.1;

    [Description("how the rate changes: Constant, Step, Exponential, Cosine, OneCycle or Plateau")]
    public string Schedule { get; init; } = "Constant";

    [Description("iterations after which Step and Exponential have multiplied the rate; 1000")]
    public long? ScheduleEvery { get; init; }

    [Description("what Step, Exponential and Plateau multiply it by, greater than 0; 0.1")]
    public double? ScheduleFactor { get; init; }

    [Description("share of the rate that Cosine ends at, 0 to 1; 0")]
    public double? ScheduleLast { get; init; }

    [Description("share of the run in which OneCycle rises, between 0 and 1; 0.3")]
    public double? ScheduleRise { get; init; }

    [Description("epochs without a lower validation loss after which Plateau lowers the rate; 10")]
    public int? SchedulePatience { get; init; }

    [Description("iterations in which the rate rises to the schedule's, 0 or more")]
    public long WarmUp { get; init; }

    [Description("Replacement (each draw independent) or Epoch (every sample once an epoch)")]
    public string Sampling { get; init; } = "Replacement";

    [Description("Backpropagation, or Numerical (by definition: thousands of times slower)")]
    public string Gradient { get; init; } = "Backpropagation";

    [Description(
        "GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW (0.001 is a usual rate for these two) or Lion"
    )]
    public string Optimizer { get; init; } = "GradientDescent";

    [Description("of Momentum and Nesterov: how much of the velocity stays, 0 up to 1; 0.9")]
    public double? Momentum { get; init; }

    [Description("of RmsProp: how much of the mean square stays, 0 up to 1; 0.99")]
    public double? SquaresDecay { get; init; }

    [Description("of Adam, AdamW and Lion: how much of the mean stays, 0 up to 1; 0.9")]
    public double? Beta1 { get; init; }

    [Description("of Adam and AdamW, the mean square's, 0.999; of Lion, the mean's, 0.99")]
    public double? Beta2 { get; init; }

    [Description("added to roots: 1e-10 of AdaGrad, 1e-8 of RmsProp, Adam and AdamW; above 0")]
    public double? Epsilon { get; init; }

    [Description("decoupled weight decay, 0 or greater; 0.01 of AdamW, else 0")]
    public double? WeightDecay { get; init; }

    [Description("strength of the penalty on the sizes of parameters, 0 or greater; 0")]
    public double? PenaltyL1 { get; init; }

    [Description("strength of the penalty on half their squares, 0 or greater; 0")]
    public double? PenaltyL2 { get; init; }

    [Description("limit of every element of the gradient, above 0; none unless set")]
    public double? ClipValue { get; init; }

    [Description("limit of the whole gradient's length, above 0; none unless set")]
    public double? ClipNorm { get; init; }

    [Description("mini-batches whose mean gradient makes a step, 1 or more; 1")]
    public int? Accumulate { get; init; }

    [Description(
        "keeps a running mean of the parameters, which is evaluated and saved: how much of it stays at each step, 0 up to 1; none unless set"
    )]
    public double? AverageDecay { get; init; }

    [Description("share of hidden units that each step of training leaves out, 0 up to 1")]
    public double Dropout { get; init; }

    [Description("share of every training target that goes to all classes alike, 0 up to 1")]
    public double LabelSmoothing { get; init; }

    [Description(
        "epochs without a lower validation loss after which the run ends; the best parameters are kept"
    )]
    public int? EarlyStopping { get; init; }

    [Description("Single (32 bits) or Double (64 bits)")]
    public string Precision { get; init; } = "Single";

    [Description("what every random number follows from, 0 or greater")]
    public ulong Seed { get; init; } = 1;

    [MayChange]
    [Description(
        "most threads of a computation, 1 to 1024; every processor unless set; changes no bit"
    )]
    public int? Threads { get; init; }
}

/// <summary>How training images are varied, each step anew.</summary>
public sealed class AugmentationSettings
{
    [Description("greatest shift along rows and columns, in pixels")]
    public double Shift { get; init; }

    [Description("greatest turn to either side, in degrees, 0 to 180")]
    public double Rotation { get; init; }

    [Description("greatest change of size, as a share of it, 0 up to 1")]
    public double Scale { get; init; }

    [Description("elastic distortion: how far pixels move, in pixels, before it is smoothed")]
    public double Elastic { get; init; }

    [Description("how smooth the elastic distortion is, in pixels, above 0")]
    public double Smoothness { get; init; } = 4;

    [Description("standard deviation of noise added to pixels of 0 to 1")]
    public double Noise { get; init; }

    [Description("share of images that are mirrored, left to right, 0 to 1")]
    public double Mirror { get; init; }
}

/// <summary>What a run leaves, and whether it goes on with an earlier one.</summary>
[MayChange]
public sealed class RunSettings
{
    internal const string Never = "Never";
    internal const string Auto = "Auto";

    /// <summary>Unless set, <c>data/runs</c> of the repository.</summary>
    [Description("folder that run folders are made in")]
    public string Directory { get; init; } = Repository.PathOf("data/runs");

    /// <summary>Unless set, the network's sizes, 784-50-10 say.</summary>
    [Description(
        "the end of the run folder's name, up to 200 bytes without slashes and control characters; unless set, the network's sizes"
    )]
    public string? Name { get; init; }

    [Description("whether a run leaves an event file for TensorBoard: true or false")]
    public bool TensorBoard { get; init; }

    [Description(
        "Once: train, then end; Watch: train, then wait, and train again when the data files change"
    )]
    public string Mode { get; init; } = "Once";

    [Description(
        "Never: start a new run; Auto: resume the newest unfinished run of Run:Directory with its own settings, and start a new run if there is none; or a run folder: resume that run"
    )]
    public string Resume { get; init; } = Never;

    [Description(
        "iterations from one line of progress.csv to the next, 1 or more; unless set, 1 up to iteration 10000, 10 up to 100000, 100 up to a million, and so on"
    )]
    public long? ProgressEvery { get; init; }

    [Description("iterations from one checkpoint to the next; 0: none but at the end and in time")]
    public long CheckpointEvery { get; init; } = 1000;

    [Description("seconds after which the next checkpoint is due at the latest; 0: none in time")]
    public double CheckpointSeconds { get; init; } = 60;

    [Description(
        "in mode Watch, how many finished run folders are kept, the model in use aside; older ones are deleted; 0: all are kept"
    )]
    public int Kept { get; init; } = 20;

    [Description("how many checkpoints are kept, 1 or more")]
    public int CheckpointsKept { get; init; } = 3;
}

/// <summary>What becomes of a run where the data are watched.</summary>
[MayChange]
public sealed class WatchSettings
{
    [Description("seconds from one look at the data files to the next, 0.001 to 86400")]
    public double Every { get; init; } = 5;

    [Description("whether a run begins with what the one before it has learned: true or false")]
    public bool WarmStart { get; init; } = true;

    /// <summary>Unless set, <c>model.safetensors</c> in Run:Directory.</summary>
    [Description(
        "file of the model in use, .safetensors; unless set, model.safetensors in Run:Directory"
    )]
    public string? Model { get; init; }

    [Description(
        "how much lower the accuracy of a new model may be than that of the model in use, or how much higher its loss where numbers are predicted, as a share of it: 0 to 1"
    )]
    public double Margin { get; init; }
}

/// <summary>What others are told while it runs.</summary>
[MayChange]
public sealed class TelemetrySettings
{
    [Description("where metrics and traces go: None, Console or Otlp (OpenTelemetry)")]
    public string Exporter { get; init; } = "None";
}

/// <summary>Answers to whoever asks whether the service is well.</summary>
[MayChange]
public sealed class HealthSettings
{
    internal const string Localhost = "localhost";

    [Description("port with /health/live and /health/ready, 1 to 65535; none unless set")]
    public int? Port { get; init; }

    [Description(
        "address that the health checks answer on: localhost, an IP address of this machine, or 0.0.0.0 or :: for all of them"
    )]
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

    [Description("seconds without a step or an evaluation after which the service is not live")]
    public double StalledAfter { get; init; } = 300;
}
