using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Pipeline.Cluster;

/// <inheritdoc cref="ITrialArchive"/>
internal sealed class TrialArchiveGrain(
    [PersistentState("archive", ClusterStore.Name)] IPersistentState<TrialArchiveState> stored,
    [FromKeyedServices(ClusterStore.Name)] IGrainStorage storage
) : Grain, ITrialArchive
{
    private TrialArchiveState State => stored.State;

    public Task<ArchiveEntry?> Newest() => Task.FromResult(State.Newest);

    public async Task<long> Open(int parts)
    {
        State.Last++;
        State.Open.Add(new(State.Last, parts));
        await this.SaveAsync(stored);
        return State.Last;
    }

    public async Task<bool> Commit(ArchiveEntry entry)
    {
        if (State.Open.Find(upload => upload.Number == entry.Upload) is null)
            return State.Newest?.Upload == entry.Upload;
        // A checkpoint is determined by settings, data and iteration: it does not matter whose it is.
        var isNewest =
            State.Newest is not { } newest
            || (entry.Iteration, entry.IsStageEnd).CompareTo((newest.Iteration, newest.IsStageEnd))
                > 0;
        var superseded = isNewest ? State.Newest : entry;
        if (isNewest)
            State.Newest = entry;
        // Uploads before this one come to nothing: their workers have lost the trial.
        Upload[] abandoned = [.. State.Open.Where(upload => upload.Number < entry.Upload)];
        State.Open.RemoveAll(upload => upload.Number <= entry.Upload);
        await this.SaveAsync(stored);
        if (superseded is not null)
            await DeleteAsync(superseded);
        foreach (var upload in abandoned)
            await DeleteAsync(upload);
        return isNewest;
    }

    public async Task Remove()
    {
        if (State.Newest is { } newest)
            await DeleteAsync(newest);
        foreach (var upload in State.Open)
            await DeleteAsync(upload);
        await stored.ClearStateAsync();
        DeactivateOnIdle();
    }

    private async Task DeleteAsync(ArchiveEntry entry)
    {
        foreach (var (part, tag) in entry.Tags.Index())
            await ArchiveParts.DeleteAsync(
                storage,
                this.GetPrimaryKeyString(),
                entry.Upload,
                part,
                tag
            );
    }

    private async Task DeleteAsync(Upload upload)
    {
        for (var part = 0; part < upload.Parts; part++)
            await ArchiveParts.DeleteAsync(
                storage,
                this.GetPrimaryKeyString(),
                upload.Number,
                part,
                tag: null
            );
    }
}
