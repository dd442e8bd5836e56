using System.ComponentModel;
using System.Net;
using System.Net.Sockets;

namespace Pipeline.Training;

[Description("Health checks over HTTP.")]
[ChangeableOnResume]
public sealed class HealthSettings
{
    internal const string Localhost = "localhost";

    [Description("port of /health/live and /health/ready")]
    [Between(1, 65535)]
    [DefaultText("no health checks")]
    public int? Port { get; init; }

    [Description("address that the health checks answer on; 0.0.0.0 or :: stands for all of them")]
    [Address]
    public string Address { get; init; } = Localhost;

    /// <summary>Whether an address is one that the health checks can answer on.</summary>
    /// <param name="text">The setting.</param>
    /// <param name="address">The address; null for localhost.</param>
    internal static bool TryParse(string text, out IPAddress? address)
    {
        address = null;
        if (text.Equals(Localhost, StringComparison.OrdinalIgnoreCase))
            return true;
        // "1" and "010.0.0.1" are addresses too, and others than people mean.
        return IPAddress.TryParse(text, out address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || $"{address}" == text);
    }

    [Description(
        "seconds without a step or an evaluation after which the service is not live: more than the slowest takes"
    )]
    [Between(0, Seconds.Year, IsLeastExcluded = true, Unit = Seconds.Name)]
    public double StalledAfter { get; init; } = 300;
}
