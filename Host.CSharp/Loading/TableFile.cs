using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Tables in any of their formats, told by the file's ending.</summary>
internal static class TableFile
{
    /// <summary>The endings of tables, as messages list them.</summary>
    public const string Endings = ".csv, .tsv, .txt, .data, .json, .jsonl, .npy or .parquet";

    /// <summary>Whether the file's ending is that of a table.</summary>
    public static bool IsTable(DataFile file) =>
        IsSeparated(file) || IsJson(file) || file.Kind is ".parquet" or ".npy";

    /// <summary>Whether a file holds separated values, whose first row may hold the columns' names.</summary>
    public static bool IsSeparated(DataFile file) =>
        file.Kind is ".csv" or ".tsv" or ".txt" or ".data";

    /// <summary>Whether a file holds JSON.</summary>
    public static bool IsJson(DataFile file) => file.Kind is ".json" or ".jsonl";

    /// <param name="file">The file.</param>
    /// <param name="settings">How tables are laid out.</param>
    /// <param name="known">The names of columns that are looked for, where they are known.</param>
    /// <exception cref="RefusedException">The format is none of them, or the file is bad.</exception>
    public static Table Parse(
        DataFile file,
        DataSettings settings,
        IReadOnlyList<string>? known = null
    ) =>
        file.Kind switch
        {
            _ when IsSeparated(file) => CsvFile.Parse(
                file.Content,
                new(
                    settings.Header,
                    settings.Skip,
                    settings.Separator ?? (file.Kind == ".tsv" ? "tab" : null),
                    settings.Encoding,
                    known
                ),
                file.Path
            ),
            _ when IsJson(file) => JsonRows.Parse(
                TextFile.ToUtf8(file.Content, settings.Encoding, file.Path),
                settings.MaximumBytes,
                file.Path
            ),
            ".parquet" => ParquetFile.Parse(file.Content, settings.MaximumBytes, file.Path),
            ".npy" => Tables
                .OfTensor(
                    Npy.Parse(file.Name, file.Content).OrThrow(RefusedException.At(file.Path))
                )
                .OrThrow(RefusedException.At(file.Path)),
            _ => throw new RefusedException([
                DataFile.Sentence(
                    file.Path,
                    $"a table ({Endings}, also as .gz)",
                    file.Kind.Length == 0 ? "no such ending" : file.Kind
                ),
            ]),
        };

    /// <summary>The table as a model finds its columns in it: by their names; of a model that was trained on
    /// a file without names, by their places.</summary>
    /// <param name="names">The names of the model's columns; none where it takes any.</param>
    /// <param name="table">The table.</param>
    /// <param name="file">Where it is from.</param>
    /// <exception cref="RefusedException">The model knows columns by names, of which the table has
    /// none.</exception>
    public static Table WithColumns(IReadOnlyList<string> names, Table table, DataFile file)
    {
        if (names.Count == 0 || table.Columns.Any(column => names.Contains(column.Name)))
            return table;
        if (AreByPlace(names))
            return Tables.ByPlace(table);
        throw new RefusedException([
            DataFile.Sentence(
                file.Path,
                $"{(IsSeparated(file) ? "a header with the names" : "columns named")} {Listed(names)}",
                IsSeparated(file)
                    ? "none of them"
                    : Listed([.. table.Columns.Select(column => column.Name)])
            ),
        ]);
    }

    /// <summary>A sentence on columns that a model which takes its columns by place does not use; null where
    /// it uses all, or takes them by name.</summary>
    /// <param name="names">The names of the model's columns.</param>
    /// <param name="table">The table.</param>
    /// <param name="label">The label's column, where the rows have one.</param>
    /// <param name="file">Where the table is from.</param>
    public static string? UnusedNote(
        IReadOnlyList<string> names,
        Table table,
        string? label,
        DataFile file
    )
    {
        if (names.Count == 0 || !AreByPlace(names))
            return null;
        string[] unused =
        [
            .. table
                .Columns.Select(column => column.Name)
                .Where(name => name != label && !names.Contains(name)),
        ];
        return unused.Length == 0
            ? null
            : $"{file.Path}: not used: {(unused.Length == 1 ? "column" : "columns")} {Listed(unused)}. The model was trained on rows without names and takes the columns {Listed(names)}, counted from 0.";
    }

    /// <summary>Whether a model takes its columns by their places, as it was trained on rows without
    /// names.</summary>
    private static bool AreByPlace(IReadOnlyList<string> names) =>
        names.All(name => int.TryParse(name, out _));

    private static string Listed(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(20)) + (names.Count > 20 ? ", …" : "");
}
