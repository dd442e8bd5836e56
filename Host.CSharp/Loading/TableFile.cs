using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Tables in any of their formats, told by the file's ending.</summary>
internal static class TableFile
{
    /// <summary>Whether the file's ending is that of a table.</summary>
    public static bool IsTable(DataFile file) =>
        file.Kind is ".csv" or ".tsv" or ".txt" or ".json" or ".jsonl" or ".parquet" or ".npy";

    /// <exception cref="RefusedException">The format is none of them, or the file is bad.</exception>
    public static Table Parse(DataFile file, DataSettings settings) =>
        file.Kind switch
        {
            ".csv" or ".tsv" or ".txt" => CsvFile.Parse(
                file.Content,
                new(settings.Header, settings.Skip),
                file.Path
            ),
            ".json" or ".jsonl" => JsonRows.Parse(file.Content, settings.MaximumBytes, file.Path),
            ".parquet" => ParquetFile.Parse(file.Content, settings.MaximumBytes, file.Path),
            ".npy" => DataFile.Require(
                TableModule.OfTensor(
                    DataFile.Require(Npy.Parse(file.Name, file.Content), file.Path)
                ),
                file.Path
            ),
            _ => throw new RefusedException([
                DataFile.Sentence(
                    file.Path,
                    "a table: .csv, .tsv, .json, .npy or .parquet, also as .gz",
                    file.Kind.Length == 0 ? "no such ending" : file.Kind
                ),
            ]),
        };
}
