using System.Globalization;
using System.Security.Cryptography;
using Orleans;
using Orleans.Storage;

namespace Pipeline.Cluster;

/// <summary>The archives of trials, as workers use them.</summary>
internal sealed class TrialStore(IGrainFactory grains, IGrainStorage storage)
{
    /// <summary>How often an archive is read again that was replaced meanwhile.</summary>
    private const int MostTries = 3;

    /// <summary>The key of a trial's archives.</summary>
    /// <param name="sweep">The key of the sweep's submission.</param>
    /// <param name="trial">The trial's number.</param>
    public static string KeyOf(string sweep, int trial) =>
        string.Create(CultureInfo.InvariantCulture, $"{sweep}/{trial}");

    /// <summary>Keeps an archive, unless a later one is kept.</summary>
    /// <param name="key">The trial.</param>
    /// <param name="archive">The archive.</param>
    public async Task PutAsync(string key, TrialArchive archive)
    {
        var grain = grains.GetGrain<ITrialArchive>(key);
        var parts = archive.Bytes.Chunk(ArchiveParts.Longest).ToArray();
        var upload = await grain.Open(parts.Length);
        var tags = new string[parts.Length];
        for (var part = 0; part < parts.Length; part++)
            tags[part] = await ArchiveParts.WriteAsync(storage, key, upload, part, parts[part]);
        await grain.Commit(
            new(
                upload,
                archive.Iteration,
                archive.IsStageEnd,
                archive.Bytes.Length,
                Convert.ToHexStringLower(SHA256.HashData(archive.Bytes)),
                tags
            )
        );
    }

    /// <summary>The newest archive of a trial.</summary>
    /// <returns>The archive; null if the store does not hold all of its parts, which the worker then trains
    /// again.</returns>
    public async Task<TrialArchive?> GetAsync(string key)
    {
        for (var tries = 0; tries < MostTries; tries++)
        {
            if (await grains.GetGrain<ITrialArchive>(key).Newest() is not { } entry)
                return null;
            var bytes = new byte[entry.Bytes];
            var length = 0;
            for (var part = 0; part < entry.Tags.Length; part++)
            {
                var read = await ArchiveParts.ReadAsync(storage, key, entry.Upload, part);
                if (read.Length > bytes.Length - length)
                    break;
                read.CopyTo(bytes, length);
                length += read.Length;
            }
            if (
                length == bytes.Length
                && Convert.ToHexStringLower(SHA256.HashData(bytes)) == entry.Sha256
            )
                return new(entry.Iteration, entry.IsStageEnd, bytes);
        }
        return null;
    }
}
