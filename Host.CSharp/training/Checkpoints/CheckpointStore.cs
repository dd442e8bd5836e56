using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A checkpoint that was checked against its manifest.</summary>
internal sealed record StoredCheckpoint(CheckpointManifest Manifest, byte[] Bytes, string Path);

/// <summary>The checkpoints of a run: each is whole or absent, and the newest few are kept.</summary>
/// <param name="files">The disk.</param>
/// <param name="folder">Their folder.</param>
/// <param name="keep">How many to keep, 1 or more.</param>
internal sealed class CheckpointStore(IFiles files, string folder, int keep)
{
    private const string Payload = FileKinds.Safetensors;
    private const string Manifest = ".json";

    public string Folder => folder;

    /// <summary>The newest checkpoint known to be whole; it is not deleted before there is another
    /// one.</summary>
    private long? good;

    /// <summary>Saves a checkpoint, then deletes old ones.</summary>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="bytes">The checkpoint.</param>
    /// <param name="epochStart">The iteration at which its epoch began: if the run diverges, an earlier
    /// checkpoint is needed.</param>
    public void Save(CheckpointManifest manifest, byte[] bytes, long epochStart)
    {
        var iteration = manifest.Iteration;
        AtomicFile.Write(files, PathOf(iteration, Payload), bytes);
        AtomicFile.Write(files, PathOf(iteration, Manifest), manifest.ToJson());
        good = iteration;
        try
        {
            Keep([.. Checkpoint.IterationsToKeep(keep, iteration, epochStart, Iterations())]);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            // Deleting is tried again after the next checkpoint.
        }
    }

    /// <summary>Deletes checkpoints of later iterations, which no longer belong to a run that is resumed
    /// here. They do not come back after a loss of power.</summary>
    public void Forget(long iteration)
    {
        if (Keep([.. Iterations().Where(each => each <= iteration)]))
            files.FlushFolder(folder);
    }

    /// <summary>Writes to the disk. If it is full, deletes all checkpoints but the newest whole one and tries
    /// once more.</summary>
    public void FreeingSpace(Action write)
    {
        try
        {
            write();
        }
        catch (Exception trouble) when (AtomicFile.IsFull(trouble))
        {
            Keep(good is { } iteration ? [iteration] : [.. Iterations()]);
            write();
        }
    }

    /// <summary>The checkpoints, newest first. Damaged ones are reported and skipped.</summary>
    public IEnumerable<StoredCheckpoint> Load(Action<string> damaged)
    {
        foreach (var iteration in Iterations().OrderDescending())
        {
            var (checkpoint, fault) = Load(iteration);
            if (checkpoint is not null)
            {
                good = iteration;
                yield return checkpoint;
            }
            else
                damaged(fault);
        }
    }

    private (StoredCheckpoint? Checkpoint, string Fault) Load(long iteration)
    {
        var (path, manifestPath) = (PathOf(iteration, Payload), PathOf(iteration, Manifest));
        try
        {
            var manifest = CheckpointManifest.Parse(
                files.Read(manifestPath),
                manifestPath,
                out var fault
            );
            if (manifest is null)
                return (null, fault);
            var bytes = files.Read(path);
            return manifest.FaultOf(bytes, path) is { } wrong
                ? (null, wrong)
                : (new(manifest, bytes, path), "");
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            return (
                null,
                Faults
                    .Create(path, "a checkpoint that can be read", trouble.Message.TrimEnd('.'))
                    .ToString()
            );
        }
    }

    /// <summary>Deletes the files of all other checkpoints: manifests first, as a checkpoint without a
    /// manifest does not count.</summary>
    /// <returns>Whether there were any.</returns>
    private bool Keep(IReadOnlyCollection<long> iterations)
    {
        var isChanged = false;
        foreach (var name in files.List(folder).OrderByDescending(name => name.EndsWith(Manifest)))
        {
            var isLeft = name.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal);
            if (isLeft || IterationOf(name) is { } iteration && !iterations.Contains(iteration))
            {
                files.Delete(Path.Combine(folder, name));
                isChanged = true;
            }
        }
        return isChanged;
    }

    /// <summary>The iterations of the checkpoints that have a manifest, in any order.</summary>
    public IEnumerable<long> Iterations() =>
        files
            .List(folder)
            .Where(name => name.EndsWith(Manifest, StringComparison.Ordinal))
            .Select(IterationOf)
            .OfType<long>();

    private string PathOf(long iteration, string kind) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{iteration:D9}{kind}"));

    private static long? IterationOf(string name) =>
        Path.GetExtension(name) is Payload or Manifest
        && long.TryParse(
            Path.GetFileNameWithoutExtension(name),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var iteration
        )
            ? iteration
            : null;
}
