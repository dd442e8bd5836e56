using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What <c>inspect</c> prints of a table.</summary>
internal static class TableInspection
{
    /// <summary>The most classes that are listed.</summary>
    private const int MostClasses = 20;

    /// <summary>Whether a path is that of a table's file.</summary>
    public static bool IsTable(string path) => File.Exists(path) && TableKind.IsOf(path);

    /// <summary>The table's columns, label and possible mistakes.</summary>
    /// <exception cref="RefusedException">The file is bad, or a setting does not fit it.</exception>
    public static string Describe(CommandLineSettings given, string path)
    {
        var configuration = ServiceRegistration.ConfigurationOf(
            given with
            {
                IsForTraining = false,
            }
        );
        var settings = configuration.Settings;
        var (file, rows) = DataFiles.ParseRows(
            configuration with
            {
                Settings = settings with
                {
                    Data = settings.Data with { Train = path, Test = null },
                },
            }
        );
        var summary = Tables
            .Summarise(configuration.Table, configuration.Head, rows)
            .OrThrow(RefusedException.At(file.Path));
        ReportTable[] tables =
        [
            Overview(file.Path, summary),
            Columns(summary),
            .. summary.Classes.IsEmpty ? Array.Empty<ReportTable>() : [Classes(summary)],
        ];
        var warnings = summary.Warnings.Select(warning => VisibleText.Of(warning) + "\n");
        return string.Join('\n', tables.Select(table => table.ToText()))
            + (summary.Warnings.IsEmpty ? "" : "\nPossible mistakes\n\n" + string.Concat(warnings));
    }

    private static ReportTable Overview(string path, TableSummary summary) =>
        new(
            "Table",
            ["", ""],
            [
                ["file", path],
                ["rows", ReportTable.Count(summary.Rows)],
                ["columns", ReportTable.Count(summary.Columns.Length)],
                ["decimal separator", $"{summary.Format.DecimalSeparator}"],
            ]
        );

    private static ReportTable Columns(TableSummary summary) =>
        new(
            "Columns",
            [
                "column",
                "use",
                "missing",
                "different",
                "lowest",
                "mean",
                "deviation",
                "highest",
                "most frequent",
            ],
            [
                .. summary.Columns.Select(column =>
                    (IReadOnlyList<string>)
                        [
                            column.Name,
                            UseOf(column),
                            ReportTable.Count(column.Missing),
                            ReportTable.Count(column.Different),
                            Number(column.Lowest),
                            Number(column.Mean),
                            Number(column.Deviation),
                            Number(column.Highest),
                            $"{column.MostFrequent.Item1} ({ReportTable.Count(column.MostFrequent.Item2)})",
                        ]
                ),
            ]
        );

    private static string Number(double value) => ReportTable.Number(value, "G5");

    private static string UseOf(ColumnSummary column) =>
        column.Use.IsLabel ? "label"
        : column.Use.IsNumbers ? "number"
        : column.Use.IsCategories ? "categories"
        : column.Use.IsWeight ? "weight"
        : column.Use.IsRowNumbers ? "left out: numbers the rows"
        : column.Use.IsUnclear ? "unclear"
        : "left out: Data:Ignored";

    private static ReportTable Classes(TableSummary summary)
    {
        var all = summary.Classes.Sum(one => one.Item2);
        return new(
            summary.Classes.Length > MostClasses
                ? $"The {MostClasses} most frequent of {summary.Classes.Length} classes"
                : "Classes",
            ["class", "rows", "share"],
            [
                .. summary
                    .Classes.Take(MostClasses)
                    .Select(one =>
                        (IReadOnlyList<string>)
                            [
                                one.Item1,
                                ReportTable.Count(one.Item2),
                                ((double)one.Item2 / all).ToString(
                                    "P1",
                                    CultureInfo.InvariantCulture
                                ),
                            ]
                    ),
            ]
        );
    }
}
