using System.Globalization;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Pipeline.Cluster;

/// <summary>The parts of archives. They go from the worker to the store without a message to another worker.</summary>
internal static class ArchiveParts
{
    /// <summary>The longest part, in bytes.</summary>
    public const int Longest = 8 * 1024 * 1024;

    private const string State = "part";

    /// <summary>Writes a part.</summary>
    /// <returns>Its version in the store.</returns>
    public static async Task<string> WriteAsync(
        IGrainStorage storage,
        string trial,
        long upload,
        int part,
        byte[] bytes
    )
    {
        var state = new GrainState<ArchivePart>(new() { Bytes = bytes });
        await storage.WriteStateAsync(State, IdOf(trial, upload, part), state);
        return state.ETag!;
    }

    /// <summary>Reads a part; empty if it is not there.</summary>
    public static async Task<byte[]> ReadAsync(
        IGrainStorage storage,
        string trial,
        long upload,
        int part
    )
    {
        var state = new GrainState<ArchivePart>(new());
        await storage.ReadStateAsync(State, IdOf(trial, upload, part), state);
        return state.State?.Bytes ?? [];
    }

    /// <summary>Deletes a part.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="trial">The trial.</param>
    /// <param name="upload">The number of the upload.</param>
    /// <param name="part">The number of the part.</param>
    /// <param name="tag">Its version in the store; null to ask the store.</param>
    public static async Task DeleteAsync(
        IGrainStorage storage,
        string trial,
        long upload,
        int part,
        string? tag
    )
    {
        var id = IdOf(trial, upload, part);
        var state = new GrainState<ArchivePart>(new()) { ETag = tag };
        if (tag is null)
            await storage.ReadStateAsync(State, id, state);
        if (state.ETag is null)
            return;
        try
        {
            await storage.ClearStateAsync(State, id, state);
        }
        catch (InconsistentStateException)
        {
            // It has been deleted before.
        }
    }

    private static GrainId IdOf(string trial, long upload, int part) =>
        GrainId.Create(
            State,
            string.Create(CultureInfo.InvariantCulture, $"{trial}/{upload}/{part}")
        );
}
