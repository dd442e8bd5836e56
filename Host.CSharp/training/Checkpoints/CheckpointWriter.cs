using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Writes positions of a run as checkpoints.</summary>
/// <param name="folder">The run's folder.</param>
/// <param name="store">Its checkpoints.</param>
/// <param name="perEpoch">Iterations of an epoch.</param>
/// <param name="settingsSha256">The SHA-256 of the settings that affect the result.</param>
/// <param name="dataSha256">The SHA-256 of the data files.</param>
/// <param name="metrics">Counts checkpoints and failures.</param>
/// <param name="logger">Logs the same.</param>
/// <param name="clock">Measures the time.</param>
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

    /// <summary>Saves a position, after the lines of its logs.</summary>
    public void Save(RunPosition<T> position)
    {
        var iteration = position.State.Iteration;
        if (Saved == iteration)
            return;
        if (Checkpoint.Size(position.State) is > Checkpoint.MaximumBytes and var size)
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

    /// <summary>The same, but an error of the disk is logged and does not end the run. The last whole
    /// checkpoint is kept.</summary>
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
