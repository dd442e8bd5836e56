namespace Pipeline.Training;

/// <summary>Kinds of data to which different settings apply.</summary>
[Flags]
internal enum DataKinds
{
    /// <summary>The folder of IDX files.</summary>
    Folder = 1,

    /// <summary>Images in a file.</summary>
    Images = 2,

    /// <summary>Rows of a table in a file.</summary>
    Rows = 4,

    /// <summary>Rows as separated values.</summary>
    Csv = 8,

    /// <summary>Rows as JSON.</summary>
    Json = 16,
}

/// <summary>Refuses settings that do not apply to the kind of data, instead of ignoring them.</summary>
internal static class InapplicableSettings
{
    /// <summary>Settings with the kinds of data that they apply to.</summary>
    private static readonly (DataKinds Kinds, string What, string[] Settings)[] Groups =
    [
        (DataKinds.Csv, "a CSV file", ["Header", "Skip", "Separator"]),
        (DataKinds.Csv | DataKinds.Json, "a CSV or JSON file", ["Encoding"]),
        (
            DataKinds.Rows,
            "a table",
            [
                "Label",
                "Numeric",
                "Categorical",
                "Ignored",
                "Weight",
                "MissingValues",
                "DecimalSeparator",
                "ThousandsSeparator",
                "Missing",
                "Scaling",
            ]
        ),
        (DataKinds.Images | DataKinds.Rows, "a file (Data:Train)", ["TestShare"]),
    ];

    /// <param name="settings">The settings.</param>
    /// <param name="files">The data files; empty if the data are a folder of IDX files.</param>
    /// <param name="kind">The kind of data.</param>
    /// <exception cref="RefusedException">Settings that do not apply differ from their defaults; each is
    /// named.</exception>
    public static void Refuse(DataSettings settings, IReadOnlyList<DataFile> files, DataKinds kind)
    {
        var kinds = files.Aggregate(kind, (kinds, file) => kinds | TextKind(file));
        var source = files is []
            ? settings.Directory
            : string.Join(", ", files.Select(file => file.Path));
        string[] faults =
        [
            .. from @group in Groups
            where (@group.Kinds & kinds) == 0
            from name in @group.Settings
            let setting = SettingCatalog.Find($"Data:{name}")!
            where !IsDefault(setting, setting.Property.GetValue(settings))
            select DataFile.Sentence(
                setting.Key,
                $"{@group.What}, as the setting applies to no other data",
                source
            ),
        ];
        if (faults.Length > 0)
            throw new RefusedException(faults);
    }

    private static DataKinds TextKind(DataFile file) =>
        TableKind.Separated.Has(file) ? DataKinds.Csv
        : TableKind.Json.Has(file) ? DataKinds.Json
        : 0;

    private static bool IsDefault(Setting setting, object? value) =>
        (value, setting.Default) switch
        {
            (string text, string usual) => text.Equals(usual, StringComparison.OrdinalIgnoreCase),
            (string[] texts, string[] usual) => texts.SequenceEqual(usual),
            var (one, other) => Equals(one, other),
        };
}
