using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Turns where a run stands into a checkpoint on the disk.</summary>
/// <param name="folder">The run's folder.</param>
/// <param name="store">Its checkpoints.</param>
/// <param name="perEpoch">Iterations of an epoch.</param>
/// <param name="settingsSha256">Of the settings that decide the run's bits.</param>
/// <param name="dataSha256">Of the data files.</param>
/// <param name="metrics">Told of checkpoints, and of those that could not be written.</param>
/// <param name="logger">Told the same.</param>
/// <param name="clock">Times them.</param>
internal sealed class CheckpointWriter<T>(
    RunFolder folder,
    CheckpointStore store,
    long perEpoch,
    string settingsSha256,
    IReadOnlyDictionary<string, string> dataSha256,
    TrainingMetrics metrics,
    ILogger logger,
    TimeProvider clock
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The iteration of the newest checkpoint, if there is one.</summary>
    public long? Saved { get; private set; }

    /// <summary>The newest checkpoint, in words.</summary>
    public string Newest =>
        Saved is { } iteration
            ? FormattableString.Invariant($"The newest checkpoint is of iteration {iteration}")
            : "No checkpoint has been written in this process";

    /// <summary>Saves where the run stands, with the lines of its logs that lead there.</summary>
    public void Save(RunPosition<T> position)
    {
        var iteration = position.State.Iteration;
        if (Saved == iteration)
            return;
        if (Checkpoint.Size(position.State) is > Checkpoint.MostBytes and var size)
            throw new IOException($"A checkpoint would have {size:N0} bytes, too many for a file");
        using var span = Spans.Checkpoint(iteration);
        var start = clock.GetTimestamp();
        var bytes = Checkpoint.Write(position.State);
        var manifest = CheckpointManifest.Create(
            iteration,
            position.Trained,
            bytes,
            settingsSha256,
            dataSha256
        );
        store.FreeingSpace(() =>
        {
            folder.Logs.Flush();
            store.Save(manifest, bytes, iteration - (iteration % perEpoch));
        });
        Saved = iteration;
        var time = clock.GetElapsedTime(start);
        metrics.CheckpointSaved(time, bytes.Length);
        logger.CheckpointSaved(iteration, bytes.Length, time.TotalMilliseconds);
    }

    /// <summary>The same, but a disk that refuses is logged and does not end the run: the last good
    /// checkpoint stays.</summary>
    public void TrySave(RunPosition<T> position)
    {
        try
        {
            Save(position);
        }
        catch (Exception trouble)
            when (AtomicFile.IsDiskError(trouble) || trouble is OutOfMemoryException)
        {
            metrics.CheckpointFailed();
            logger.CheckpointFailed(position.State.Iteration, Newest, trouble.Message.TrimEnd('.'));
        }
    }
}
