using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;

namespace Pipeline.Training;

/// <summary>Settings that come from neither a file nor the environment.</summary>
/// <param name="nameOf">Returns the origin of a setting in words.</param>
/// <param name="values">The settings by their full names.</param>
internal sealed class GivenLayer(
    Func<string, string> nameOf,
    IEnumerable<KeyValuePair<string, string?>> values
) : IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) =>
        new Provider(nameOf, values);

    internal sealed class Provider(
        Func<string, string> nameOf,
        IEnumerable<KeyValuePair<string, string?>> values
    ) : MemoryConfigurationProvider(new() { InitialData = values })
    {
        public string NameOf(string key) => nameOf(key);
    }
}

/// <summary>A settings file of the program, which may name a preset: its own, or the operator's.</summary>
internal sealed class ProgramFile : JsonConfigurationSource
{
    public static ProgramFile Of(string path, bool isOptional = false)
    {
        var file = new ProgramFile { Path = path, Optional = isOptional };
        file.ResolveFileProvider();
        return file;
    }
}

/// <summary>Queries to one layer of the configuration.</summary>
internal static class SettingLayer
{
    /// <summary>The origin of the value of a key, in words.</summary>
    public static string Source(this IConfigurationProvider layer, string key) =>
        layer switch
        {
            JsonConfigurationProvider file => $"file {PathOf(file)}",
            EnvironmentVariablesConfigurationProvider =>
                $"environment variable {Variable(key.Replace(":", "__", StringComparison.Ordinal))}",
            GivenLayer.Provider given => given.NameOf(key),
            _ => "memory",
        };

    /// <summary>Every key with a value below another, whatever its depth. A value may be null.</summary>
    public static IEnumerable<(string Key, string? Value)> Values(
        this IConfigurationProvider layer,
        string parent
    )
    {
        foreach (
            var child in layer.GetChildKeys([], parent).Distinct(StringComparer.OrdinalIgnoreCase)
        )
        {
            var key = $"{parent}:{child}";
            if (layer.TryGet(key, out var value))
                yield return (key, value);
            foreach (var below in layer.Values(key))
                yield return below;
        }
    }

    private static string PathOf(JsonConfigurationProvider file)
    {
        var path = file.Source.Path ?? "";
        return file.Source.FileProvider?.GetFileInfo(path).PhysicalPath ?? path;
    }

    /// <summary>A variable as it is written in the environment.</summary>
    private static string Variable(string name) =>
        Environment
            .GetEnvironmentVariables()
            .Keys.Cast<string>()
            .FirstOrDefault(written => written.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? name;
}
