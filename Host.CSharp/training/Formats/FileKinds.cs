namespace Pipeline.Training;

/// <summary>The kinds of files that are read and written: their endings and names, each in one place.</summary>
internal static class FileKinds
{
    /// <summary>The ending of a zipped file, behind that of its content.</summary>
    public const string Zipped = ".gz";

    /// <summary>Archives of NumPy arrays: samples, or a model.</summary>
    public const string Arrays = ".npz";

    public const string Safetensors = ".safetensors";
    public const string Onnx = ".onnx";

    /// <summary>The files that models are read from.</summary>
    public const string Models = $"{Safetensors} or {Arrays}";

    /// <summary>The images that samples are read from; they are recognised by their bytes.</summary>
    public const string Images = "PNG or IDX";

    public const string Separated = ".csv, .tsv, .txt, .data";
    public const string Json = ".json, .jsonl";
    public const string Array = ".npy";
    public const string Parquet = ".parquet";

    /// <summary>The endings of tables.</summary>
    public const string Tables = $"{Separated}, {Json}, {Array} or {Parquet}";
}
