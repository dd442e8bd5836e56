using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;

namespace Pipeline.Cluster;

/// <summary>The members that a client may ask.</summary>
internal sealed class PostgresGateways(PostgresMembers members, IOptions<GatewayOptions> options)
    : IGatewayListProvider
{
    public TimeSpan MaxStaleness => options.Value.GatewayListRefreshPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    public async Task<IList<Uri>> GetGateways()
    {
        var all = await members.ReadAll();
        return
        [
            .. from member in all.Members
            let entry = member.Item1
            where entry.Status == SiloStatus.Active && entry.ProxyPort != 0
            let silo = entry.SiloAddress
            select SiloAddress
                .New(silo.Endpoint.Address, entry.ProxyPort, silo.Generation)
                .ToGatewayUri(),
        ];
    }
}
