using System.ComponentModel;
using System.Net;
using System.Net.Sockets;

namespace Pipeline.Training;

/// <summary>Health checks over HTTP.</summary>
[Description("Health checks over HTTP.")]
[ChangeableOnResume]
public sealed record HealthSettings
{
    internal const string Localhost = "localhost";

    /// <summary>Port of /health/live and /health/ready. Accepts: 1 to 65535. Default: no health checks.</summary>
    [Description("port of /health/live and /health/ready")]
    [Between(1, 65535)]
    [DefaultText("no health checks")]
    public int? Port { get; init; }

    /// <summary>Address of the health checks; 0.0.0.0 or :: for all addresses. Accepts: localhost or an IP
    /// address. Default: localhost.</summary>
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

    /// <summary>Seconds without a step or an evaluation after which the service counts as not live; must be
    /// longer than the slowest of them. Accepts: above 0, up to 31536000. Default: 300.</summary>
    [Description(
        "seconds without a step or an evaluation after which the service counts as not live; must be longer than the slowest of them"
    )]
    [Between(0, Seconds.Year, IsLeastExcluded = true, Unit = Seconds.Name)]
    public double StalledAfter { get; init; } = 300;
}
