namespace Pipeline.Training;

/// <summary>An earlier run that may be resumed.</summary>
/// <param name="Run">The run.</param>
/// <param name="Plan">Its own settings, with those given now above them.</param>
internal sealed record ResumableRun(EarlierRun Run, RunConfiguration Plan);

/// <summary>An earlier run that is not resumed.</summary>
internal sealed record PassedOver(string Path, IReadOnlyList<string> Reasons);

/// <summary>What <c>Run:Resume</c> asks for.</summary>
/// <param name="Runs">The runs that may be resumed, the first that can be comes first.</param>
/// <param name="PassedOver">Unfinished runs whose settings do not fit those given now.</param>
/// <param name="IsAutomatic">Whether the program chooses the run: one that cannot be resumed is then
/// logged and left as it is. A run that the settings name is refused instead.</param>
internal sealed record Resumption(
    IReadOnlyList<ResumableRun> Runs,
    IReadOnlyList<PassedOver> PassedOver,
    bool IsAutomatic
)
{
    public static Resumption None { get; } = new([], [], IsAutomatic: false);

    /// <summary>One run that the settings name.</summary>
    public static Resumption Of(EarlierRun run, RunConfiguration plan) =>
        new([new(run, plan)], [], IsAutomatic: false);

    /// <summary>The unfinished runs of Run:Directory, newest first. A service that watches its data resumes
    /// runs with its own settings alone, as it goes on to train with these.</summary>
    /// <param name="plan">The settings without those of an earlier run.</param>
    /// <param name="planOf">The settings of an earlier run with those given now above them.</param>
    public static Resumption Find(RunConfiguration plan, Func<EarlierRun, RunConfiguration> planOf)
    {
        var (runs, passedOver) = (new List<ResumableRun>(), new List<PassedOver>());
        foreach (var path in EarlierRun.Folders(plan.Settings.Run.Directory))
        {
            if (EarlierRun.FinishedAs(path) is not null)
                continue;
            try
            {
                var run = EarlierRun.Read(path);
                var itsPlan = planOf(run);
                string[] reasons =
                [
                    .. run.Differences(itsPlan),
                    .. plan.Mode == RunMode.Watch ? run.Differences(plan) : [],
                ];
                if (reasons.Length == 0)
                    runs.Add(new(run, itsPlan));
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
