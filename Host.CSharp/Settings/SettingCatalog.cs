namespace Pipeline.Training;

/// <summary>All settings, found by reflection.</summary>
internal static class SettingCatalog
{
    public static IReadOnlyList<Setting> All { get; } = Collect();

    /// <summary>The full name of a setting from its property's name, which the core uses.</summary>
    public static string KeyOf(string property) =>
        All.FirstOrDefault(setting => setting.Property.Name == property)?.Key ?? property;

    public static Setting? Find(string key) =>
        All.FirstOrDefault(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    private static List<Setting> Collect()
    {
        var defaults = new PipelineSettings();
        return
        [
            .. from section in typeof(PipelineSettings).GetProperties()
            from property in section.PropertyType.GetProperties()
            select new Setting(
                section.Name,
                property,
                property.GetValue(section.GetValue(defaults))
            ),
        ];
    }
}
