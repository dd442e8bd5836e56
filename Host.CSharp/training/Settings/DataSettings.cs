using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>The data files, and how tables are read.</summary>
[Description("The data files, and how tables are read.")]
public sealed record DataSettings
{
    /// <summary>Folder with the four IDX files of MNIST, EMNIST (whose images are transposed) or QMNIST, plain or
    /// .gz. Accepts: a path. Default: data/mnist of the repository; for the installed tool, the digits that come
    /// with it.</summary>
    [ChangeableOnResume]
    [Description(
        "folder with the four IDX files of MNIST, EMNIST (whose images are transposed) or QMNIST, plain or .gz"
    )]
    [DefaultText(
        "data/mnist of the repository; for the installed tool, the digits that come with it"
    )]
    public string Directory { get; init; } = DefaultPaths.Digits;

    /// <summary>Number of classes of images; the classes of a table follow from its rows. Accepts: 2 to 65536.
    /// Default: 10, or the number of columns of one-hot labels.</summary>
    [Description("number of classes of images; the classes of a table follow from its rows")]
    [Accepts("2 to 65536")]
    [DefaultText("10, or the number of columns of one-hot labels")]
    public int? Classes { get; init; }

    /// <summary>File with the training rows, instead of Directory: .npz, .csv, .tsv, .txt, .data, .json, .jsonl,
    /// .npy or .parquet, also as .gz. Accepts: a path.</summary>
    [ChangeableOnResume]
    [Description(
        $"file with the training rows, instead of Directory: {FileKinds.Arrays}, {FileKinds.Tables}, also as {FileKinds.Zipped}"
    )]
    public string? Train { get; init; }

    /// <summary>File with the test rows. Accepts: a path. Default: a share of Train's rows.</summary>
    [ChangeableOnResume]
    [Description("file with the test rows")]
    [DefaultText("a share of Train's rows")]
    public string? Test { get; init; }

    /// <summary>Share of the rows of Train that is used for the test if Test is not set; rows are chosen by a
    /// hash of the row. Accepts: 0 to 0.9. Default: 0.2.</summary>
    [Description(
        "share of the rows of Train that is used for the test if Test is not set; rows are chosen by a hash of the row"
    )]
    [Accepts("0 to 0.9")]
    public double TestShare { get; init; } = 0.2;

    /// <summary>Column of the label: its name, or its index from 0. Accepts: a text. Default: the last
    /// column.</summary>
    [Description("column of the label: its name, or its index from 0")]
    [DefaultText("the last column")]
    public string? Label { get; init; }

    /// <summary>Whether the first row of a .csv holds names; a first row that can be either is refused unless
    /// this is set. Accepts: true or false. Default: detected by comparing the row with those below.</summary>
    [Description(
        "whether the first row of a .csv holds names; a first row that can be either is refused unless this is set"
    )]
    [DefaultText("detected by comparing the row with those below")]
    public bool? Header { get; init; }

    /// <summary>Lines of a .csv before its first row. Accepts: 0 or more. Default: 0.</summary>
    [Description("lines of a .csv before its first row")]
    [AtLeast(0)]
    public int Skip { get; init; }

    /// <summary>Separator of the cells of a .csv. Accepts: comma, semicolon, tab, bar, space, whitespace (runs of
    /// spaces and tabs), or another text without quotes and line ends. Default: detected.</summary>
    [Description("separator of the cells of a .csv")]
    [Separator]
    [DefaultText("detected")]
    public string? Separator { get; init; }

    /// <summary>Encoding of .csv and .json files without a byte order mark. Accepts: an encoding that .NET knows:
    /// utf-8, windows-1252, latin1, utf-16, shift_jis, …. Default: utf-8.</summary>
    [Description("encoding of .csv and .json files without a byte order mark")]
    [EncodingName]
    [DefaultText("utf-8")]
    public string? Encoding { get; init; }

    /// <summary>Columns that are read as numbers, whatever their cells look like. Accepts: a list.</summary>
    [Description("columns that are read as numbers, whatever their cells look like")]
    public string[] Numeric { get; init; } = [];

    /// <summary>Columns that are read as categories, whatever their cells look like. Accepts: a list.</summary>
    [Description("columns that are read as categories, whatever their cells look like")]
    public string[] Categorical { get; init; } = [];

    /// <summary>Columns to leave out. Accepts: a list.</summary>
    [Description("columns to leave out")]
    public string[] Ignored { get; init; } = [];

    /// <summary>Texts that mean a missing value, besides empty cells, in any case of letters. Accepts: a list, or
    /// none. Default: NA,N/A,NaN,null,?, or as in training.</summary>
    [Description("texts that mean a missing value, besides empty cells, in any case of letters")]
    [Accepts("a list, or none")]
    [DefaultText("NA,N/A,NaN,null,?, or as in training")]
    public string[]? MissingValues { get; init; }

    /// <summary>Decimal separator of numbers. Accepts: . or ,. Default: a point, or a comma if the table can only
    /// be read so, or as in training.</summary>
    [Description("decimal separator of numbers")]
    [Accepts(". or ,")]
    [DefaultText("a point, or a comma if the table can only be read so, or as in training")]
    public string? DecimalSeparator { get; init; }

    /// <summary>Thousands separator of numbers. Accepts: , or . or ' or a space. Default: nothing, or as in
    /// training.</summary>
    [Description("thousands separator of numbers")]
    [Accepts(", or . or ' or a space")]
    [DefaultText("nothing, or as in training")]
    public string? ThousandsSeparator { get; init; }

    /// <summary>What replaces missing numbers: the mean or median of the training rows (for categories, the most
    /// frequent one); Refuse: missing numbers are refused. Accepts: Refuse, Mean or Median. Default:
    /// Refuse.</summary>
    [Description(
        "what replaces missing numbers: the mean or median of the training rows (for categories, the most frequent one); Refuse: missing numbers are refused"
    )]
    [Accepts("Refuse, Mean or Median")]
    public string Missing { get; init; } = "Refuse";

    /// <summary>How numbers of a table are scaled, fitted to the training rows: Standard to mean 0 and deviation
    /// 1, MinMax to 0 to 1. Accepts: None, Standard or MinMax. Default: Standard.</summary>
    [Description(
        "how numbers of a table are scaled, fitted to the training rows: Standard to mean 0 and deviation 1, MinMax to 0 to 1"
    )]
    [Accepts("None, Standard or MinMax")]
    public string Scaling { get; init; } = "Standard";

    /// <summary>How much a training sample of each class counts; Balanced: all classes count the same in all.
    /// Accepts: Balanced, or CLASS=NUMBER for some classes: yes=5,no=1. Default: 1 for every class.</summary>
    [Description(
        "how much a training sample of each class counts; Balanced: all classes count the same in all"
    )]
    [Accepts("Balanced, or CLASS=NUMBER for some classes: yes=5,no=1")]
    [DefaultText("1 for every class")]
    public string[]? ClassWeights { get; init; }

    /// <summary>Column of the training rows' weights, by name or index from 0: a row of weight k counts like k equal
    /// rows. Accepts: a text. Default: none, every row counts once.</summary>
    [Description(
        "column of the training rows' weights, by name or index from 0: a row of weight k counts like k equal rows"
    )]
    [DefaultText("none, every row counts once")]
    public string? Weight { get; init; }

    /// <summary>How numbers to predict are scaled while a network learns them; its model predicts them in their
    /// own unit. Accepts: None, Standard or MinMax. Default: Standard, if the last layer is a dense
    /// one.</summary>
    [Description(
        "how numbers to predict are scaled while a network learns them; its model predicts them in their own unit"
    )]
    [Accepts("None, Standard or MinMax")]
    [DefaultText("Standard, if the last layer is a dense one")]
    public string? TargetScaling { get; init; }

    /// <summary>Largest size of a file in bytes, before and after unzipping. Accepts: 1 or more. Default:
    /// 1073741824.</summary>
    [Description("largest size of a file in bytes, before and after unzipping")]
    [AtLeast(1)]
    public long MaximumBytes { get; init; } = DataFile.UsualLimit;

    /// <summary>Number of training samples to use; the same share of every class is taken. Accepts: 1 or more.
    /// Default: all.</summary>
    [Description("number of training samples to use; the same share of every class is taken")]
    [Accepts("1 or more")]
    [DefaultText("all")]
    public int? Samples { get; init; }

    /// <summary>Share of the training samples that is used for validation: rows are chosen by a hash, images with
    /// the same share of every class. Accepts: 0 to 0.9. Default: 0.</summary>
    [Description(
        "share of the training samples that is used for validation: rows are chosen by a hash, images with the same share of every class"
    )]
    [Accepts("0 to 0.9")]
    public double Validation { get; init; }
}
