using System.ComponentModel;

namespace Pipeline.Training;

[Description("The data files, and how tables are read.")]
public sealed record DataSettings
{
    [ChangeableOnResume]
    [Description(
        "folder with the four IDX files of MNIST, EMNIST (whose images are transposed) or QMNIST, plain or .gz"
    )]
    [DefaultText(
        "data/mnist of the repository; for the installed tool, the digits that come with it"
    )]
    public string Directory { get; init; } = DefaultPaths.Digits;

    [Description("number of classes of images; the classes of a table follow from its rows")]
    [Accepts("2 to 65536")]
    [DefaultText("10, or the number of columns of one-hot labels")]
    public int? Classes { get; init; }

    [ChangeableOnResume]
    [Description(
        $"file with the training rows, instead of Directory: {FileKinds.Arrays}, {FileKinds.Tables}, also as {FileKinds.Zipped}"
    )]
    public string? Train { get; init; }

    [ChangeableOnResume]
    [Description("file with the test rows")]
    [DefaultText("a share of Train's rows")]
    public string? Test { get; init; }

    [Description(
        "share of the rows of Train that is used for the test if Test is not set; rows are chosen by a hash of the row"
    )]
    [Accepts("0 to 0.9")]
    public double TestShare { get; init; } = 0.2;

    [Description("column of the label: its name, or its index from 0")]
    [DefaultText("the last column")]
    public string? Label { get; init; }

    [Description(
        "whether the first row of a .csv holds names; a first row that can be either is refused unless this is set"
    )]
    [DefaultText("detected by comparing the row with those below")]
    public bool? Header { get; init; }

    [Description("lines of a .csv before its first row")]
    [AtLeast(0)]
    public int Skip { get; init; }

    [Description("separator of the cells of a .csv")]
    [Separator]
    [DefaultText("detected")]
    public string? Separator { get; init; }

    [Description("encoding of .csv and .json files without a byte order mark")]
    [EncodingName]
    [DefaultText("utf-8")]
    public string? Encoding { get; init; }

    [Description("columns that are read as numbers, whatever their cells look like")]
    public string[] Numeric { get; init; } = [];

    [Description("columns that are read as categories, whatever their cells look like")]
    public string[] Categorical { get; init; } = [];

    [Description("columns to leave out")]
    public string[] Ignored { get; init; } = [];

    [Description("texts that mean a missing value, besides empty cells, in any case of letters")]
    [Accepts("a list, or none")]
    [DefaultText("NA,N/A,NaN,null,?, or as in training")]
    public string[]? MissingValues { get; init; }

    [Description("decimal separator of numbers")]
    [Accepts(". or ,")]
    [DefaultText("a point, or a comma if the table can only be read so, or as in training")]
    public string? DecimalSeparator { get; init; }

    [Description("thousands separator of numbers")]
    [Accepts(", or . or ' or a space")]
    [DefaultText("nothing, or as in training")]
    public string? ThousandsSeparator { get; init; }

    [Description(
        "what replaces missing numbers: the mean or median of the training rows (for categories, the most frequent one); Refuse: missing numbers are refused"
    )]
    [Accepts("Refuse, Mean or Median")]
    public string Missing { get; init; } = "Refuse";

    [Description(
        "how numbers of a table are scaled, fitted to the training rows: Standard to mean 0 and deviation 1, MinMax to 0 to 1"
    )]
    [Accepts("None, Standard or MinMax")]
    public string Scaling { get; init; } = "Standard";

    [Description(
        "how much a training sample of each class counts; Balanced: all classes count the same in all"
    )]
    [Accepts("Balanced, or CLASS=NUMBER for some classes: yes=5,no=1")]
    [DefaultText("1 for every class")]
    public string[]? ClassWeights { get; init; }

    [Description(
        "how numbers to predict are scaled while a network learns them; its model predicts them in their own unit"
    )]
    [Accepts("None, Standard or MinMax")]
    [DefaultText("Standard, if the last layer is a dense one")]
    public string? TargetScaling { get; init; }

    [Description("largest size of a file in bytes, before and after unzipping")]
    [AtLeast(1)]
    public long MaximumBytes { get; init; } = DataFile.UsualLimit;

    [Description("number of training samples to use; the same share of every class is taken")]
    [Accepts("1 or more")]
    [DefaultText("all")]
    public int? Samples { get; init; }

    [Description(
        "share of the training samples that is used for validation: rows are chosen by a hash, images with the same share of every class"
    )]
    [Accepts("0 to 0.9")]
    public double Validation { get; init; }
}
