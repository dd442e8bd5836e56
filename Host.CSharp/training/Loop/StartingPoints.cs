using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A state learned by an earlier run, from which a new run starts.</summary>
/// <param name="State">The state before the first step.</param>
/// <param name="Run">The folder of the earlier run.</param>
internal sealed record WarmStart<T>(TrainingState<T> State, string Run)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>The positions that a run can start from, the best first.</summary>
internal sealed class StartingPoints<T>(
    RunConfiguration configuration,
    CheckpointStore store,
    Architecture architecture,
    ILogger logger
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The run's checkpoints, newest first, then its beginning: null, or the state of a warm start.
    /// Damaged checkpoints are logged and skipped.</summary>
    /// <param name="dataSha256">The SHA-256 of the data files.</param>
    /// <param name="earlier">The run to resume, if any.</param>
    /// <param name="warm">The state that a new run starts from, if any.</param>
    /// <exception cref="RefusedException">A checkpoint is whole and not of this run, or is of a later version;
    /// or all are damaged, and the beginning does not follow from the settings.</exception>
    public IEnumerable<RunPosition<T>?> Of(
        IReadOnlyDictionary<string, string> dataSha256,
        StoredRun? earlier,
        WarmStart<T>? warm
    )
    {
        foreach (var checkpoint in earlier is null ? [] : store.Load(logger.CheckpointDamaged))
            yield return Read(checkpoint, dataSha256);
        if (earlier?.BeganWith is { } run)
            throw RefusedException.Of(
                store.Folder,
                $"a whole checkpoint, as the run started from the network of {run}",
                "none"
            );
        yield return warm is null ? null : new(warm.State, TimeSpan.Zero);
    }

    private RunPosition<T> Read(
        StoredCheckpoint checkpoint,
        IReadOnlyDictionary<string, string> dataSha256
    )
    {
        var (manifest, path) = (checkpoint.Manifest, checkpoint.Path);
        if (!manifest.IsOf(configuration.AffectingResultSha256, dataSha256))
            throw RefusedException.Of(
                path,
                "a checkpoint of this run",
                "one of another run or of an earlier version"
            );
        var state = Checkpoint
            .Read<T>(configuration.Hyperparameters, architecture, checkpoint.Bytes)
            .OrThrow(RefusedException.At(path));
        return new(state, TimeSpan.FromSeconds(manifest.TrainSeconds));
    }
}
