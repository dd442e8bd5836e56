using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Tables of any kind; the ending of a file decides which.</summary>
internal static class TableFile
{
    /// <param name="file">The file.</param>
    /// <param name="settings">How tables are laid out.</param>
    /// <param name="known">The names of columns that are looked for, if they are known.</param>
    /// <exception cref="RefusedException">The file is not a table, or is bad.</exception>
    public static Table Parse(
        DataFile file,
        DataSettings settings,
        IReadOnlyList<string>? known = null
    ) =>
        TableKind.Of(file) is { } kind
            ? kind.Read(file, settings, known)
            : throw RefusedException.Of(
                file.Path,
                $"a table ({FileKinds.Tables}, also as {FileKinds.Zipped})",
                file.Kind.Length == 0 ? "no such ending" : file.Kind
            );

    /// <summary>The table with the names of a model's columns. A model that was trained on a file without
    /// names takes its columns by index.</summary>
    /// <param name="names">The names of the model's columns; empty if it takes any.</param>
    /// <param name="table">The table.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <exception cref="RefusedException">The table has none of the model's columns.</exception>
    public static Table WithColumns(IReadOnlyList<string> names, Table table, DataFile file)
    {
        var found = table.Columns.Select(column => column.Name.Trim()).ToHashSet();
        if (names.Count == 0 || names.Any(name => found.Contains(name.Trim())))
            return table;
        if (AreByPlace(names))
            return Tables.WithIndexNames(table);
        throw RefusedException.Of(
            file.Path,
            $"{(TableKind.Separated.Has(file) ? "a header with the names" : "columns named")} {Listed(names)}",
            TableKind.Separated.Has(file)
                ? "none of them"
                : Listed([.. table.Columns.Select(column => column.Name)])
        );
    }

    /// <summary>Refuses rows of names and values for a model that takes values by their order.</summary>
    /// <param name="names">The names of the model's columns; empty if it takes any.</param>
    /// <param name="table">The rows.</param>
    /// <param name="file">Their file.</param>
    /// <exception cref="RefusedException">The rows are JSON objects, whose names have no order.</exception>
    public static void RequireOrder(IReadOnlyList<string> names, Table table, DataFile file)
    {
        string[] found = [.. table.Columns.Select(column => column.Name)];
        if (TableKind.Of(file) == TableKind.Json && AreByPlace(names) && !AreByPlace(found))
        {
            throw RefusedException.Of(
                file.Path,
                "rows as lists of values, as the inputs of the model have no names",
                $"objects with the names {Listed(found)}"
            );
        }
    }

    /// <summary>A sentence that names the label of rows with columns that a model does not use, if no
    /// setting chose it; null if there is no other column it could be.</summary>
    /// <param name="names">The names of the model's columns.</param>
    /// <param name="table">The table.</param>
    /// <param name="chosen">The label that a setting chose.</param>
    /// <param name="file">The table's file.</param>
    public static string? LabelNote(
        IReadOnlyList<string> names,
        Table table,
        string? chosen,
        DataFile file
    )
    {
        string[] others =
        [
            .. table.Columns.Select(column => column.Name).Where(name => !names.Contains(name)),
        ];
        return chosen is not null || names.Count == 0 || others.Length < 2
            ? null
            : $"{file.Path}: the label is the last column, {others[^1]}. Data:Label names another.";
    }

    /// <summary>A sentence that names the unused columns of a table, for a model that takes its columns by
    /// index; null if it uses all, or takes them by name.</summary>
    /// <param name="names">The names of the model's columns.</param>
    /// <param name="table">The table.</param>
    /// <param name="label">The label's column, if the rows have one.</param>
    /// <param name="file">The table's file.</param>
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

    /// <summary>Whether a model takes its columns by index, as it was trained on rows without
    /// names.</summary>
    private static bool AreByPlace(IReadOnlyList<string> names) =>
        names.All(name => int.TryParse(name, out _));

    private static string Listed(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(20)) + (names.Count > 20 ? ", …" : "");
}
