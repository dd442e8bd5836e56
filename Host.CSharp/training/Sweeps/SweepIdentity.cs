using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipeline.Training;

/// <summary>What all trials of a sweep have in common, so that they are comparable and have the same bytes
/// everywhere.</summary>
/// <param name="Settings">The settings of the first trial, whose varied ones do not count.</param>
/// <param name="DataSha256">The SHA-256 of the data files.</param>
/// <param name="Program">The program's version.</param>
internal sealed record SweepIdentity(
    JsonNode Settings,
    IReadOnlyDictionary<string, string> DataSha256,
    string? Program
)
{
    public static SweepIdentity Of(
        RunConfiguration configuration,
        IReadOnlyDictionary<string, string> dataSha256
    ) => new(SettingsJson.Of(configuration), dataSha256, RunFolder.Version);

    /// <summary>The identity in a text.</summary>
    /// <exception cref="JsonException">The text is damaged.</exception>
    public static SweepIdentity Parse(byte[] json)
    {
        using var document = StrictJson.Document(json);
        return document.Deserialize<SweepIdentity>(JsonText.Complete)
            ?? throw new JsonException("expected the settings of a sweep, found null");
    }

    /// <summary>A sentence for everything that is different here.</summary>
    /// <param name="sweep">The sweep in words.</param>
    /// <param name="configuration">The settings of the first trial here.</param>
    /// <param name="varied">The settings that the plan varies.</param>
    /// <param name="dataSha256">The SHA-256 of the data files here.</param>
    public IReadOnlyList<string> Differences(
        string sweep,
        RunConfiguration configuration,
        IReadOnlyCollection<string> varied,
        IReadOnlyDictionary<string, string> dataSha256
    )
    {
        var now = SettingsJson.Of(configuration);
        return
        [
            .. from setting in configuration.AffectingResult
            where !varied.Contains(setting.Key)
            let expected = SettingsJson.Text(SettingsJson.Value(Settings, setting))
            let found = SettingsJson.Text(SettingsJson.Value(now, setting))
            where expected != found
            select PlanReader.Sentence(setting.Key, $"{expected}, as {sweep} has it", found),
            .. DataHashes.AreSame(DataSha256, dataSha256)
                ? Array.Empty<string>()
                : [PlanReader.Sentence("the data", $"those of {sweep}", "others")],
            .. ProgramDifferences(sweep),
        ];
    }

    /// <summary>A sentence if the program is of another version.</summary>
    public IReadOnlyList<string> ProgramDifferences(string sweep) =>
        Program == RunFolder.Version
            ? []
            :
            [
                PlanReader.Sentence(
                    "the program",
                    $"version {Program}, as {sweep} was begun with",
                    $"{RunFolder.Version}"
                ),
            ];
}
