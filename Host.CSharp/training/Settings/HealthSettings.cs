using System.ComponentModel;
using System.Net;
using System.Net.Sockets;

namespace Pipeline.Training;

[Description("Health checks over HTTP.")]
[ChangeableOnResume]
public sealed record HealthSettings
{
    internal const string Localhost = "localhost";

    [Description("port of /health/live and /health/ready")]
    [Between(1, 65535)]
    [DefaultText("no health checks")]
    public int? Port { get; init; }

    [Description("address of the health checks; 0.0.0.0 or :: for all addresses")]
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
        // "1" and "010.0.0.1" are addresses too, but not the expected ones.
        return IPAddress.TryParse(text, out address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || $"{address}" == text);
    }

    [Description(
        "seconds without a step or an evaluation after which the service counts as not live; must be longer than the slowest of them"
    )]
    [Between(0, Seconds.Year, IsLeastExcluded = true, Unit = Seconds.Name)]
    public double StalledAfter { get; init; } = 300;
}
