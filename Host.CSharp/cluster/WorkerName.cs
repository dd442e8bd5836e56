using Orleans.Runtime;

namespace Pipeline.Cluster;

/// <summary>The names of workers: the machine and the address in the cluster, by which the coordinator knows whether the
/// worker still exists.</summary>
internal static class WorkerName
{
    public static string Of(string machine, SiloAddress address) =>
        $"{machine} {address.ToParsableString()}";

    /// <summary>The address; null for a name of another form.</summary>
    public static SiloAddress? AddressOf(string worker)
    {
        try
        {
            return SiloAddress.FromParsableString(worker[(worker.LastIndexOf(' ') + 1)..]);
        }
        catch (Exception other) when (other is FormatException or ArgumentException)
        {
            return null;
        }
    }
}
