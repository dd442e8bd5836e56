using System.Globalization;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A setting of a run.</summary>
/// <param name="Key">Its full name.</param>
/// <param name="Value">Its value as on a command line.</param>
/// <param name="IsDefault">Whether it is that of a run without settings.</param>
public sealed record SettingView(string Key, string Value, bool IsDefault);

/// <summary>A run as its page shows it.</summary>
/// <param name="Name">What the page calls it.</param>
/// <param name="Address">The address of the page.</param>
/// <param name="Started">When it began, in UTC; empty if its folder's name does not say so.</param>
/// <param name="Status">Its outcome, or whether it is running.</param>
/// <param name="HasEnded">Whether it ended.</param>
/// <param name="News">How long ago it wrote its logs.</param>
/// <param name="Cursor">How far its logs were read.</param>
/// <param name="Figures">Its figures: names and values.</param>
/// <param name="EpochRows">Its newest evaluations.</param>
/// <param name="Message">What its summary says of its end.</param>
/// <param name="Findings">What its summary found.</param>
/// <param name="Settings">Its settings.</param>
/// <param name="FirstLayer">The weights of its model's first layer.</param>
/// <param name="HasEvaluation">Whether its folder has the report of evaluate.</param>
public sealed record RunView(
    string Name,
    string Address,
    string Started,
    string Status,
    bool HasEnded,
    string News,
    string Cursor,
    IReadOnlyList<string[]> Figures,
    IReadOnlyList<string[]> EpochRows,
    string? Message,
    IReadOnlyList<string> Findings,
    IReadOnlyList<SettingView> Settings,
    FirstLayerView FirstLayer,
    bool HasEvaluation
)
{
    /// <summary>The report of evaluate for browsers.</summary>
    internal const string Evaluation = "evaluation.html";

    /// <summary>The address of something that the page shows.</summary>
    internal string AddressOf(string part) => $"{Address}/{part}";

    internal static RunView Of(
        ShownRun shown,
        RunState run,
        FirstLayerView firstLayer,
        DateTime now
    ) =>
        new(
            shown.Name,
            shown.Address,
            RunFolder
                .BeganAt(shown.Name)
                ?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
                ?? "",
            RunTexts.Status(run, now),
            run.HasEnded,
            RunTexts.News(run, now),
            run.Cursor.ToString(),
            RunTexts.Figures(run),
            RunTexts.Epochs(run.Epochs),
            run.Summary?.Message,
            run.Summary?.Findings ?? [],
            [.. SettingsOf(run.Stored)],
            firstLayer,
            File.Exists(Path.Combine(shown.Path, Evaluation))
        );

    private static IEnumerable<SettingView> SettingsOf(StoredRun run)
    {
        var defaults = SettingsJson.Of(new PipelineSettings());
        return from setting in SettingCatalog.All
            let value = SettingsJson.Value(run.Settings, setting)
            where value is not null
            let text = SettingsJson.Text(value)
            let unset = SettingsJson.Value(defaults, setting)
            select new SettingView(
                setting.Key,
                VisibleText.Of(text),
                unset is not null && SettingsJson.Text(unset) == text
            );
    }
}
