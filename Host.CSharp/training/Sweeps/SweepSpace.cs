using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The settings of a sweep's trials.</summary>
/// <param name="file">The plan.</param>
/// <param name="given">The command line.</param>
/// <param name="shared">On a machine that works for another one: the settings that the other one sent.</param>
internal sealed class SweepSpace(
    SweepFile file,
    CommandLineSettings given,
    IReadOnlyDictionary<string, string?>? shared = null
)
{
    private readonly string[] varied = [.. file.Plan.Settings];

    /// <summary>Whether a plan may give a setting for all trials.</summary>
    public static bool CanSet(Setting setting) =>
        setting.Section is "Data" or "Model" or "Training" or "Augmentation"
        || setting.Key
            is "Run:TensorBoard"
                or "Run:ProgressEvery"
                or "Run:CheckpointEvery"
                or "Run:CheckpointSeconds"
                or "Run:CheckpointsKept";

    /// <summary>Whether a plan may vary a setting.</summary>
    public static bool CanVary(Setting setting) =>
        setting.Section is "Data" or "Model" or "Training" or "Augmentation"
        && setting.Key
            is not (
                "Training:Threads"
                or "Training:Precision"
                or "Data:MaximumBytes"
                or "Data:Directory"
                or "Data:Train"
                or "Data:Test"
                or "Data:TestShare"
                or "Data:Label"
            );

    /// <summary>Whether losses with different values of a setting are of different kinds or units.</summary>
    private static bool ScalesLoss(string key) => key is "Model:Head" or "Data:TargetScaling";

    /// <summary>The settings of a trial as layers.</summary>
    /// <param name="values">Its values, one for each varied setting.</param>
    /// <param name="others">Further settings by their names without the section Pipeline.</param>
    public CommandLineSettings SettingsOf(
        IReadOnlyList<string> values,
        params IEnumerable<(string Key, string Value)> others
    ) =>
        given with
        {
            Preset = file.Preset,
            Plan = new(file.Path, file.Settings),
            Trial = new(
                $"{file.Path}, space",
                varied
                    .Zip(values)
                    .Concat(others.Select(other => (other.Key, other.Value)))
                    .Select(setting =>
                        KeyValuePair.Create(
                            $"{SettingsReader.Root}:{setting.Item1}",
                            (string?)setting.Item2
                        )
                    )
                    .Concat(shared ?? new Dictionary<string, string?>())
                    .ToDictionary()
            ),
        };

    /// <summary>The settings that workers on other machines need to train the same trials: all that a plan may give,
    /// apart from paths and the limits of a machine.</summary>
    /// <param name="first">The configuration of the first trial.</param>
    public IReadOnlyDictionary<string, string?> SharedOf(RunConfiguration first)
    {
        var settings = SettingsJson.Of(first.Settings);
        IEnumerable<(string, string?)> EntriesOf(Setting setting) =>
            SettingsJson.Value(settings, setting) is { } value
                ? SettingsJson
                    .Entries(setting.Key, value)
                    .Select(entry => (entry.Key, (string?)entry.Value))
                : [(setting.Key, null)];
        return SettingCatalog
            .All.Where(setting =>
                CanSet(setting) && !setting.IsOfMachine && !varied.Contains(setting.Key)
            )
            .SelectMany(EntriesOf)
            .ToDictionary(entry => $"{SettingsReader.Root}:{entry.Item1}", entry => entry.Item2);
    }

    /// <summary>The configuration of a trial.</summary>
    /// <exception cref="RefusedException">The settings are invalid.</exception>
    public RunConfiguration ConfigurationOf(
        IReadOnlyList<string> values,
        params IEnumerable<(string Key, string Value)> others
    ) => ServiceRegistration.ConfigurationAlone(SettingsOf(values, others));

    /// <summary>A configuration for each combination that can be known before the first trial.</summary>
    /// <exception cref="RefusedException">One or more are invalid; every fault is named.</exception>
    public IReadOnlyList<RunConfiguration> Check()
    {
        List<string> faults =
        [
            .. from key in varied
            where given.Values.ContainsKey($"{SettingsReader.Root}:{key}")
            select PlanReader.Sentence($"--{key}", $"nothing, as {file.Path} varies it", "a value"),
        ];
        List<RunConfiguration> configurations = [];
        foreach (var values in SweepPlans.Examples(file.Plan))
        {
            try
            {
                var configuration = ConfigurationOf(values);
                configurations.Add(configuration);
                faults.AddRange(FaultsOf(configuration));
            }
            catch (RefusedException refused)
            {
                faults.AddRange(refused.Reasons);
            }
        }
        return faults.Count == 0 ? configurations : throw new RefusedException(faults);
    }

    /// <summary>What keeps the goal from being measured.</summary>
    private IEnumerable<string> FaultsOf(RunConfiguration configuration)
    {
        var (goal, settings) = (file.Goal, configuration.Settings);
        if (file.Repeats.Folds is null && settings.Data.Validation == 0)
        {
            yield return $"{file.Path}, goal: {goal.Name} needs validation samples (Data:Validation above 0) or folds.";
        }
        if (
            goal.Metric is { } metric
            && Evaluations.IsOfNumbers(metric) != configuration.Head.IsIdentity
        )
        {
            yield return $"{file.Path}, goal: {goal.Name} does not apply to Model:Head {configuration.Head}.";
        }
        foreach (var setting in varied.Where(key => goal.Metric is null && ScalesLoss(key)))
        {
            yield return $"{file.Path}, goal: {goal.Name} cannot be compared where {setting} varies; another goal is needed.";
        }
        if (file.Repeats.Folds is not null && settings.Data.Train is null)
        {
            yield return $"{file.Path}, folds: a table of rows is needed (Data:Train).";
        }
        if (
            configuration.Hyperparameters.Length is Learning.RunLength.Epochs { Item: var epochs }
            && file.Plan.Rungs.LastOrDefault() is var last
            && last >= epochs
        )
        {
            yield return RungsFault(epochs);
        }
    }

    /// <summary>The fault of rungs that are not below the length of the runs.</summary>
    public string RungsFault(long epochs) =>
        PlanReader.Sentence(
            $"{file.Path}, rungs",
            $"fewer epochs than the {epochs} of the runs",
            string.Join(", ", file.Plan.Rungs)
        );
}
