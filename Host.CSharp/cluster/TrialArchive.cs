using System.Globalization;
using System.IO.Compression;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The run folders of a trial with their newest checkpoints.</summary>
/// <param name="Iteration">The iterations done, summed over the runs.</param>
/// <param name="IsStageEnd">Whether it is from the end of a stage.</param>
/// <param name="Bytes">A zip archive.</param>
internal sealed record TrialArchive(long Iteration, bool IsStageEnd, byte[] Bytes)
{
    /// <summary>The longest archive, in bytes.</summary>
    public const long Longest = 256 * 1024 * 1024;

    private const string CheckpointsName = "checkpoints";
    private const string ManifestKind = ".json";

    /// <summary>The iterations of the newest checkpoints of a trial's runs; null before the first checkpoint.</summary>
    public static long? IterationOf(string folder)
    {
        var iterations = CheckpointFolders(folder).Select(NewestIn).OfType<long>().ToArray();
        return iterations.Length == 0 ? null : iterations.Sum();
    }

    /// <summary>Packs a trial.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="isStageEnd">Whether a stage has ended.</param>
    /// <returns>Null if there is no checkpoint, or if the run has replaced it meanwhile.</returns>
    /// <exception cref="RefusedException">It is too long.</exception>
    public static TrialArchive? Pack(string folder, bool isStageEnd)
    {
        // Checkpoints first: the logs are then at least as long as these need.
        try
        {
            var checkpoints = CheckpointFolders(folder)
                .Select(path => (Path: path, Newest: NewestIn(path)))
                .Where(each => each.Newest is not null)
                .ToArray();
            if (checkpoints.Length == 0)
                return null;
            using var memory = new MemoryStream();
            using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
            {
                foreach (var (path, newest) in checkpoints)
                {
                    foreach (var file in FilesOf(path, newest!.Value))
                        Add(archive, folder, file, memory);
                }
                foreach (
                    var file in Directory
                        .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                        .Where(file => !IsTransient(file))
                        .Order(StringComparer.Ordinal)
                )
                    Add(archive, folder, file, memory);
            }
            return new(checkpoints.Sum(each => each.Newest!.Value), isStageEnd, memory.ToArray());
        }
        catch (Exception replaced)
            when (replaced is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Unpacks the archive.</summary>
    /// <param name="folder">The trial's folder, which is replaced.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Unpack(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        using var archive = new ZipArchive(new MemoryStream(Bytes), ZipArchiveMode.Read);
        archive.ExtractToDirectory(folder);
    }

    private static string[] CheckpointFolders(string folder) =>
        Directory.Exists(folder)
            ? Directory.GetDirectories(folder, CheckpointsName, SearchOption.AllDirectories)
            : [];

    /// <summary>The iteration of the newest checkpoint, which its manifest completes.</summary>
    private static long? NewestIn(string checkpoints) =>
        Directory
            .EnumerateFiles(checkpoints, $"*{ManifestKind}")
            .Select(path =>
                long.TryParse(
                    Path.GetFileNameWithoutExtension(path),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var iteration
                )
                    ? (long?)iteration
                    : null
            )
            .Max();

    private static IEnumerable<string> FilesOf(string checkpoints, long iteration) =>
        Directory
            .EnumerateFiles(checkpoints)
            .Where(path =>
                !path.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal)
                && long.TryParse(
                    Path.GetFileNameWithoutExtension(path),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var number
                )
                && number == iteration
            );

    /// <summary>Whether a file is of the process, or of the checkpoints, of which the newest are packed.</summary>
    private static bool IsTransient(string path) =>
        path.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal)
        || Path.GetFileName(path) == RunFolder.LockName
        || Path.GetFileName(Path.GetDirectoryName(path)) == CheckpointsName;

    private static void Add(ZipArchive archive, string folder, string path, MemoryStream memory)
    {
        using var file = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete
        );
        if (memory.Length + file.Length > Longest)
        {
            throw new RefusedException([
                PlanReader.Sentence(
                    $"the checkpoint of {Path.GetFileName(folder)}",
                    $"{Longest / 1024 / 1024} MB or less, as a cluster keeps it",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{(memory.Length + file.Length) / 1024 / 1024} MB or more"
                    )
                ),
            ]);
        }
        var isCheckpoint = path.EndsWith(FileKinds.Safetensors, StringComparison.Ordinal);
        using var entry = archive
            .CreateEntry(
                Path.GetRelativePath(folder, path).Replace('\\', '/'),
                isCheckpoint ? CompressionLevel.NoCompression : CompressionLevel.Fastest
            )
            .Open();
        file.CopyTo(entry);
    }
}
