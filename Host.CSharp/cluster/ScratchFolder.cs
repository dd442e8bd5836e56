using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>A folder for the trials that a worker runs, in the system's folder for temporary files. Those of workers that were
/// killed are deleted by the next one.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "pipeline-worker-";
    private const string LockName = "lock";

    private readonly FileStream held;

    public ScratchFolder()
    {
        DeleteAbandoned();
        Path = Directory.CreateTempSubdirectory(Prefix).FullName;
        held = Hold(Path, FileMode.Create);
    }

    public string Path { get; }

    private static FileStream Hold(string path, FileMode mode) =>
        new(System.IO.Path.Combine(path, LockName), mode, FileAccess.ReadWrite, FileShare.None);

    private static void DeleteAbandoned()
    {
        foreach (
            var path in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), $"{Prefix}*")
        )
        {
            try
            {
                Hold(path, FileMode.Open).Dispose();
                Directory.Delete(path, recursive: true);
            }
            catch (Exception inUse) when (AtomicFile.IsDiskError(inUse))
            {
                // Another worker uses it, or belongs to another user.
            }
        }
    }

    public void Dispose()
    {
        held.Dispose();
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            // The next worker deletes it.
        }
    }
}
