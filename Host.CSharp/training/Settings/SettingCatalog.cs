namespace Pipeline.Training;

/// <summary>All settings, found by reflection.</summary>
internal static class SettingCatalog
{
    public static IReadOnlyList<Setting> All { get; } = Collect();

    /// <summary>The full name of a setting from its property's name, which the core uses.</summary>
    public static string KeyOf(string property)
    {
        // Layers:2 is the third value of Model:Layers.
        var name = property.Split(':')[0];
        return All.FirstOrDefault(setting => setting.Property.Name == name) is { } found
            ? found.Key + property[name.Length..]
            : property;
    }

    /// <summary>The setting that a fault is of: Model:Layers of Model:Layers:2 too.</summary>
    public static Setting? OfSubject(string subject) =>
        Find(subject) ?? Find(string.Join(':', subject.Split(':').Take(2)));

    public static Setting? Find(string key) =>
        All.FirstOrDefault(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    /// <summary>Makes the relative paths of settings start from a folder.</summary>
    public static void Root(PipelineSettings settings, string folder)
    {
        foreach (var setting in All.Where(setting => setting.IsPath))
        {
            var section = typeof(PipelineSettings).GetProperty(setting.Section)!.GetValue(settings);
            if (setting.Property.GetValue(section) is string path)
                setting.Property.SetValue(section, Path.GetFullPath(path, folder));
        }
    }

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
