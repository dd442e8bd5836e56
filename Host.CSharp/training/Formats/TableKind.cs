using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Reads a table.</summary>
/// <param name="file">The file.</param>
/// <param name="settings">How tables are laid out.</param>
/// <param name="known">The names of columns that are looked for, if they are known.</param>
/// <exception cref="RefusedException">The file is bad.</exception>
internal delegate Table TableReader(
    DataFile file,
    DataSettings settings,
    IReadOnlyList<string>? known
);

/// <summary>A kind of table file.</summary>
/// <param name="Endings">Its endings, with commas between them.</param>
/// <param name="Names">What standard input is said to be of that kind by.</param>
/// <param name="Read">Reads a table.</param>
internal sealed record TableKind(string Endings, IReadOnlyList<string> Names, TableReader Read)
{
    /// <summary>Separated values, whose first row may hold the columns' names.</summary>
    public static TableKind Separated { get; } =
        new(
            FileKinds.Separated,
            ["csv", "tsv"],
            (file, settings, known) =>
                CsvFile.Parse(
                    file.Content,
                    new(
                        settings.Header,
                        settings.Skip,
                        settings.Separator ?? (file.Kind == ".tsv" ? "tab" : null),
                        settings.Encoding,
                        known
                    ),
                    file.Path
                )
        );

    public static TableKind Json { get; } =
        new(
            FileKinds.Json,
            ["json"],
            (file, settings, _) =>
                JsonRows.Parse(
                    TextFile.ToUtf8(file.Content, settings.Encoding, file.Path),
                    settings.MaximumBytes,
                    file.Path
                )
        );

    public static TableKind Array { get; } =
        new(
            FileKinds.Array,
            ["npy"],
            (file, _, _) =>
            {
                var refuse = RefusedException.At(file.Path);
                var tensor = Npy.Parse(file.Name, file.Content).OrThrow(refuse);
                return Tables.OfTensor(tensor).OrThrow(refuse);
            }
        );

    public static TableKind Parquet { get; } =
        new(
            FileKinds.Parquet,
            ["parquet"],
            (file, settings, _) => ParquetFile.Parse(file.Content, settings.MaximumBytes, file.Path)
        );

    public static IReadOnlyList<TableKind> All { get; } = [Separated, Json, Array, Parquet];

    /// <summary>The kind of a file, by its ending; null where it is not a table.</summary>
    public static TableKind? Of(DataFile file) => All.FirstOrDefault(kind => kind.Has(file));

    /// <summary>Whether the ending of a path is that of a table.</summary>
    public static bool IsOf(string path) =>
        All.Any(kind => kind.Endings.Split(", ").Contains(DataFile.KindOf(path)));

    /// <summary>Whether a file is of this kind.</summary>
    public bool Has(DataFile file) => Endings.Split(", ").Contains(file.Kind);
}
