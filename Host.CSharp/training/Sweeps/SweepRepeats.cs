using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>How each trial of a sweep is repeated: its result is the mean over all runs.</summary>
/// <param name="Seeds">The number of seeds, from Training:Seed on.</param>
/// <param name="Folds">The number of folds of a cross-validation; null without one.</param>
/// <param name="Rule">How rows are divided into folds.</param>
internal sealed record SweepRepeats(int Seeds, int? Folds, FoldRule Rule)
{
    private const int MostSeeds = 1000;
    private const int MostFolds = 1000;

    /// <summary>The runs of a trial.</summary>
    public IReadOnlyList<TrialPart> Parts =>
        [
            .. from seed in Enumerable.Range(0, Seeds)
            from fold in Enumerable.Range(0, Folds ?? 1)
            select new TrialPart(seed, Folds is null ? null : fold, NameOf(seed, fold)),
        ];

    /// <summary>The column by which rows are divided, which is no input; null for rows at random.</summary>
    public string? Column =>
        Rule switch
        {
            FoldRule.Grouped grouped => grouped.column,
            FoldRule.Forward forward => forward.column,
            _ => null,
        };

    /// <summary>The name of a run's folder in that of its trial; empty if the trial is one run.</summary>
    private string NameOf(int seed, int fold) =>
        (Seeds > 1, Folds is not null) switch
        {
            (true, true) => $"seed-{seed + 1}-fold-{fold + 1}",
            (true, false) => $"seed-{seed + 1}",
            (false, true) => $"fold-{fold + 1}",
            _ => "",
        };

    /// <summary>The repeats of a plan.</summary>
    public static SweepRepeats Read(PlanReader reader, ICollection<string> faults)
    {
        var seeds = Within("seeds", 1, MostSeeds) ?? 1;
        var folds = Within("folds", 2, MostFolds);
        var (group, time) = (reader.Text("group"), reader.Text("time"));
        foreach (var name in (string[])["group", "time"])
        {
            if (reader.Has(name) && !reader.Has("folds"))
                faults.Add($"{name} does not apply without folds.");
        }
        if (group is not null && time is not null)
            faults.Add(PlanReader.Sentence("time", "nothing beside group", $"'{time}'"));
        return new(
            seeds,
            folds,
            group is not null ? FoldRule.NewGrouped(group)
                : time is not null ? FoldRule.NewForward(time)
                : FoldRule.Stratified
        );

        int? Within(string name, int fewest, int most)
        {
            var count = reader.Count(name);
            if (count is not { } given || given >= fewest && given <= most)
                return count;
            faults.Add(PlanReader.Sentence(name, $"{fewest} to {most}", $"{given}"));
            return null;
        }
    }
}

/// <summary>One of the runs of a trial.</summary>
/// <param name="Seed">Which seed, from 0.</param>
/// <param name="Fold">Which fold, from 0; null without folds.</param>
/// <param name="Name">The name of its folder in that of the trial; empty if the trial is one run.</param>
internal sealed record TrialPart(int Seed, int? Fold, string Name);
