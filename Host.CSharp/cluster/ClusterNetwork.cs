using System.Net;
using Orleans.Configuration;
using Orleans.Hosting;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>How the processes of a cluster find and watch each other.</summary>
internal static class ClusterNetwork
{
    private const string Id = "pipeline";

    /// <summary>A process that does not answer three probes of this length in a row is dead.</summary>
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);

    /// <summary>How long a call waits for its answer: all calls are short.</summary>
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(5);

    /// <summary>After three of these, a new process no longer waits for one that is gone.</summary>
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(5);

    /// <summary>How long a new process tries to reach the others.</summary>
    private static readonly TimeSpan Join = TimeSpan.FromMinutes(1);

    /// <summary>The address of the settings.</summary>
    public static IPAddress AddressOf(ClusterSettings settings)
    {
        HealthSettings.TryParse(settings.Address, out var address);
        return address is null ? IPAddress.Loopback
            : address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
                ? throw RefusedException.Of(
                    "Cluster:Address",
                    "the address at which the other machines reach this one",
                    settings.Address
                )
            : address;
    }

    /// <summary>Sets a silo up.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="address">The address that it listens on.</param>
    /// <param name="port">The first of its two ports.</param>
    /// <param name="gateway">The second of its two ports.</param>
    public static void AddTo(ISiloBuilder silo, IPAddress address, int port, int gateway)
    {
        silo.Configure<ClusterOptions>(Name);
        silo.Configure<EndpointOptions>(ends =>
        {
            ends.AdvertisedIPAddress = address;
            ends.SiloPort = port;
            ends.GatewayPort = gateway;
            ends.SiloListeningEndpoint = new(address, port);
            ends.GatewayListeningEndpoint = new(address, gateway);
        });
        silo.Configure<ClusterMembershipOptions>(members =>
        {
            members.ProbeTimeout = Probe;
            members.NumMissedProbesLimit = 3;
            members.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            members.IAmAliveTablePublishTimeout = Alive;
            members.DefunctSiloExpiration = TimeSpan.FromHours(1);
            members.MaxJoinAttemptTime = Join;
        });
        silo.Configure<SiloMessagingOptions>(messages =>
        {
            messages.ResponseTimeout = Answer;
            messages.SystemResponseTimeout = Answer;
        });
    }

    /// <summary>Sets a client up.</summary>
    public static void AddTo(IClientBuilder client)
    {
        client.Configure<ClusterOptions>(Name);
        client.Configure<ClientMessagingOptions>(messages => messages.ResponseTimeout = Answer);
    }

    private static void Name(ClusterOptions cluster) =>
        (cluster.ClusterId, cluster.ServiceId) = (Id, Id);
}
