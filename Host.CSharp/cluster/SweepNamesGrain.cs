using Orleans;
using Orleans.Runtime;

namespace Pipeline.Cluster;

/// <inheritdoc cref="ISweepNames"/>
internal sealed class SweepNamesGrain(
    [PersistentState("names", ClusterStore.Name)] IPersistentState<SweepNamesState> stored
) : Grain, ISweepNames
{
    public Task Add(string name)
    {
        if (stored.State.Names.Contains(name))
            return Task.CompletedTask;
        stored.State.Names.Add(name);
        return this.SaveAsync(stored);
    }

    public Task Remove(string name) =>
        stored.State.Names.Remove(name) ? this.SaveAsync(stored) : Task.CompletedTask;

    public Task<string[]> All() => Task.FromResult(stored.State.Names.ToArray());
}
