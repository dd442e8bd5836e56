using System.Text.Json;
using Orleans;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>All sweeps of the store, with this machine's data.</summary>
/// <param name="cluster">The cluster.</param>
/// <param name="store">The store in words.</param>
/// <param name="given">The settings of this machine.</param>
/// <param name="slots">How many trials run at the same time.</param>
/// <param name="note">Prints what was assumed of the data.</param>
/// <param name="services">What runs need.</param>
internal sealed class JoinedSweeps(
    ClusterAccess cluster,
    string store,
    CommandLineSettings given,
    int slots,
    Action<IEnumerable<string>> note,
    IServiceProvider services
) : ISweepSource
{
    private readonly Dictionary<string, JoinedSweep> known = [];

    public async Task<IReadOnlyList<string>> NamesAsync()
    {
        var names = await cluster.Grains.GetGrain<ISweepNames>(0).All();
        // Data of sweeps that are done are not kept.
        foreach (var name in known.Keys.Except(names).ToArray())
            known.Remove(name);
        return names;
    }

    public async Task<JoinedSweep?> JoinAsync(string sweep, Retry retry, CancellationToken stop)
    {
        var submission = await retry.UntilDoneAsync(
            () => cluster.Grains.GetGrain<ISweep>(sweep).Describe(),
            stop
        );
        if (submission is null)
            return null;
        if (known.TryGetValue(sweep, out var joined) && joined.Key == submission.Key)
            return joined;
        return known[sweep] = await Task.Run(() => Join(submission), stop).WaitAsync(stop);
    }

    private JoinedSweep Join(Submission submission)
    {
        var name = $"the sweep {submission.Name} of {store}";
        var identity = JsonSerializer.Deserialize<SweepIdentity>(
            submission.Identity,
            JsonText.Options
        )!;
        // Another version may not even know the settings.
        if (identity.ProgramDifferences(name) is { Count: > 0 } programs)
            throw new RefusedException(programs);
        var file = SweepFile.Parse($"{submission.Name}.json", submission.Plan) with
        {
            Name = submission.Name,
        };
        var space = new SweepSpace(
            file,
            given,
            JsonSerializer.Deserialize<Dictionary<string, string?>>(
                submission.Settings,
                JsonText.Options
            )
        );
        var configurations = space.Check();
        SweepTeam.UseThreads(slots, configurations[0]);
        var runner = SweepTeam.RunnerOf(slots, file, space, configurations[0], note, services);
        runner.Check(configurations);
        var differences = identity.Differences(
            name,
            configurations[0],
            [.. file.Plan.Settings],
            runner.DataSha256
        );
        return differences.Count == 0
            ? new(submission.Name, submission.Key, runner)
            : throw new RefusedException(differences);
    }
}
