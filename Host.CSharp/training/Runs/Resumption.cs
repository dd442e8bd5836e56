namespace Pipeline.Training;

/// <summary>An earlier run that may be resumed.</summary>
/// <param name="Run">The run.</param>
/// <param name="Configuration">Its own settings, overridden by those given now.</param>
internal sealed record ResumableRun(StoredRun Run, RunConfiguration Configuration);

/// <summary>An earlier run that is not resumed.</summary>
internal sealed record PassedOver(string Path, IReadOnlyList<string> Reasons);

/// <summary>The result of <c>Run:Resume</c>.</summary>
/// <param name="Runs">The runs that may be resumed, in the order to try them in.</param>
/// <param name="PassedOver">Unfinished runs whose settings do not fit those given now.</param>
/// <param name="IsAutomatic">Whether the program chooses the run. A run that cannot be resumed is then logged
/// and left unchanged; a run that the settings name is refused.</param>
internal sealed record Resumption(
    IReadOnlyList<ResumableRun> Runs,
    IReadOnlyList<PassedOver> PassedOver,
    bool IsAutomatic
)
{
    public static Resumption None { get; } = new([], [], IsAutomatic: false);

    /// <summary>One run that the settings name.</summary>
    public static Resumption Of(StoredRun run, RunConfiguration configuration) =>
        new([new(run, configuration)], [], IsAutomatic: false);

    /// <summary>The runs to resume that <c>Run:Resume</c> asks for.</summary>
    /// <param name="configuration">The settings without those of an earlier run.</param>
    /// <param name="configurationOf">Returns the settings of an earlier run, overridden by those given
    /// now.</param>
    /// <exception cref="RefusedException">There is no such run, or its settings.json is damaged.</exception>
    public static Resumption Of(
        RunConfiguration configuration,
        Func<StoredRun, RunConfiguration> configurationOf
    ) =>
        configuration.IsResumedAutomatically ? Find(configuration, configurationOf)
        : configuration.NamedRun() is { } named ? Of(named, configuration)
        : None;

    /// <summary>The unfinished runs of Run:Directory, newest first. In watch mode only runs with the same
    /// settings are resumed, as the service continues to train with those.</summary>
    /// <param name="configuration">The settings without those of an earlier run.</param>
    /// <param name="configurationOf">Returns the settings of an earlier run, overridden by those given
    /// now.</param>
    public static Resumption Find(
        RunConfiguration configuration,
        Func<StoredRun, RunConfiguration> configurationOf
    )
    {
        var (runs, passedOver) = (new List<ResumableRun>(), new List<PassedOver>());
        foreach (var path in StoredRun.Folders(configuration.Settings.Run.Directory))
        {
            if (StoredRun.FinishedAs(path) is not null)
                continue;
            try
            {
                var run = StoredRun.Read(path);
                var runConfiguration = configurationOf(run);
                string[] reasons =
                [
                    .. run.Differences(runConfiguration),
                    .. configuration.Mode == RunMode.Watch ? run.Differences(configuration) : [],
                ];
                if (reasons.Length == 0)
                    runs.Add(new(run, runConfiguration));
                else
                    passedOver.Add(new(path, [.. reasons.Distinct()]));
            }
            catch (RefusedException refused)
            {
                passedOver.Add(new(path, refused.Reasons));
            }
        }
        return new(runs, passedOver, IsAutomatic: true);
    }
}
