using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A checkpoint that is whole, as its manifest says.</summary>
internal sealed record StoredCheckpoint(CheckpointManifest Manifest, byte[] Bytes, string Path);

/// <summary>The checkpoints of a run: each whole or absent, the newest few kept.</summary>
/// <param name="files">The disk.</param>
/// <param name="folder">Where they are.</param>
/// <param name="keep">How many to keep, 1 or more.</param>
internal sealed class CheckpointStore(IFiles files, string folder, int keep)
{
    private const string Payload = FileKinds.Safetensors;
    private const string Manifest = ".json";

    public string Folder => folder;

    /// <summary>The newest known to be whole, which is never deleted before there is another.</summary>
    private long? good;

    /// <summary>Saves a checkpoint, then deletes those that are too many.</summary>
    /// <param name="manifest">What says that it is whole.</param>
    /// <param name="bytes">The checkpoint.</param>
    /// <param name="epochStart">The iteration that its epoch began at: should the run diverge, one from
    /// before is wanted.</param>
    public void Save(CheckpointManifest manifest, byte[] bytes, long epochStart)
    {
        var iteration = manifest.Iteration;
        AtomicFile.Write(files, PathOf(iteration, Payload), bytes);
        AtomicFile.Write(files, PathOf(iteration, Manifest), manifest.ToJson());
        good = iteration;
        try
        {
            Keep([.. Checkpoint.Kept(keep, iteration, epochStart, Iterations())]);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            // What cannot be deleted now is deleted after the next one.
        }
    }

    /// <summary>Deletes those of later iterations: of a run that goes on from here, they no longer are,
    /// and its logs no longer lead there.</summary>
    public void Forget(long iteration) => Keep([.. Iterations().Where(each => each <= iteration)]);

    /// <summary>Writes to the disk; where it is full, once more after all checkpoints but the newest
    /// good one have made room.</summary>
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

    /// <summary>The checkpoints, newest first. One that is damaged is passed over and named.</summary>
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

    /// <summary>Deletes every other file of a checkpoint: its manifest first, as without it there is
    /// none.</summary>
    private void Keep(IReadOnlyCollection<long> iterations)
    {
        foreach (var name in files.List(folder).OrderByDescending(name => name.EndsWith(Manifest)))
        {
            var isLeft = name.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal);
            if (isLeft || IterationOf(name) is { } iteration && !iterations.Contains(iteration))
                files.Delete(Path.Combine(folder, name));
        }
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
