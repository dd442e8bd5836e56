namespace Pipeline.Training;

/// <summary>All settings, read off the classes that hold them.</summary>
internal static class SettingCatalog
{
    public static IReadOnlyList<Setting> All { get; } = Collect();

    /// <summary>The name a person set something by, from the core's name for it.</summary>
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
