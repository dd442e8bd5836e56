using System.ComponentModel;

namespace Pipeline.Training;

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
        $"file with the training rows, instead of Directory: {FileKinds.Arrays}, {FileKinds.Tables}, also as {FileKinds.Zipped}"
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
    [AtLeast(0)]
    public int Skip { get; init; }

    [Description("what separates the cells of a .csv")]
    [Separator]
    [DefaultText("found out")]
    public string? Separator { get; init; }

    [Description("encoding of .csv and .json files without a byte order mark")]
    [EncodingName]
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
    [AtLeast(1)]
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
