using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>What a worker uses of a cluster.</summary>
/// <param name="Grains">The coordinators.</param>
/// <param name="Trials">The archives of trials.</param>
/// <param name="Worker">The worker's name.</param>
internal sealed record ClusterAccess(IGrainFactory Grains, TrialStore Trials, string Worker)
{
    /// <summary>The cluster as a silo sees it.</summary>
    public static ClusterAccess Of(IServiceProvider silo)
    {
        var grains = silo.GetRequiredService<IGrainFactory>();
        var storage = silo.GetRequiredKeyedService<IGrainStorage>(ClusterStore.Name);
        var address = silo.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        return new(grains, new(grains, storage), WorkerName.Of(Environment.MachineName, address));
    }
}

/// <summary>This process as a member of a cluster.</summary>
internal sealed class ClusterMember : IAsyncDisposable
{
    /// <summary>How long leaving may take; the others notice it in any case.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How often free ports are looked for that another process takes at the same moment.</summary>
    private const int MostTries = 5;

    private readonly IHost host;

    private ClusterMember(IHost host)
    {
        this.host = host;
        Access = ClusterAccess.Of(host.Services);
    }

    public ClusterAccess Access { get; }

    /// <summary>Joins the cluster.</summary>
    /// <exception cref="RefusedException">The store or the address cannot be used.</exception>
    public static async Task<ClusterMember> JoinAsync(
        ClusterSettings settings,
        ILoggerFactory loggers,
        CancellationToken stop
    )
    {
        var store = ClusterStore.Of(settings.Store!);
        var address = ClusterNetwork.AddressOf(settings);
        var certificate = ClusterCertificate.Of(settings);
        await store.CheckAsync().WaitAsync(stop);
        for (var tries = 1; ; tries++)
        {
            var port = settings.Port ?? FreePort(address);
            var gateway = settings.Port + 1 ?? FreePort(address);
            var host = HostOf(store, certificate, address, port, gateway, loggers);
            try
            {
                await host.StartAsync(stop);
                return new(host);
            }
            catch (Exception trouble) when (ListeningTrouble(trouble) is { } socket)
            {
                host.Dispose();
                if (settings.Port is null && tries < MostTries)
                    continue;
                throw RefusedException.Of(
                    "Cluster:Address and Cluster:Port",
                    "an address of this machine and two ports that are free",
                    $"{address}, {port} and {gateway}: {socket.Message}"
                );
            }
            catch (Exception failure) when (store.IsFailure(failure))
            {
                throw store.Refusal(failure);
            }
            catch (OrleansException unreachable)
            {
                throw RefusedException.Of(
                    store.Address,
                    "a store whose other members can be reached, and have the same Cluster:Certificate",
                    unreachable.Message.Split('\n')[0].TrimEnd('.')
                );
            }
        }
    }

    private static IHost HostOf(
        ClusterStore store,
        ClusterCertificate? certificate,
        IPAddress address,
        int port,
        int gateway,
        ILoggerFactory loggers
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder
            .Services.AddSingleton(loggers)
            .AddSingleton(TimeProvider.System)
            // Signals are the outer host's.
            .AddSingleton<IHostLifetime, NoLifetime>()
            .Configure<HostOptions>(host => host.ShutdownTimeout = Patience);
        builder.UseOrleans(silo =>
        {
            store.AddTo(silo);
            ClusterNetwork.AddTo(silo, address, port, gateway);
            certificate?.AddTo(silo);
        });
        return builder.Build();
    }

    /// <summary>The error of a socket that cannot listen, in an error.</summary>
    private static SocketException? ListeningTrouble(Exception? trouble)
    {
        for (; trouble is not null; trouble = trouble.InnerException)
        {
            if (
                trouble is SocketException
                {
                    SocketErrorCode: SocketError.AddressAlreadyInUse
                        or SocketError.AddressNotAvailable
                        or SocketError.AccessDenied
                } socket
            )
                return socket;
        }
        return null;
    }

    private static int FreePort(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        try
        {
            listener.Start();
        }
        catch (SocketException unusable)
        {
            throw RefusedException.Of(
                "Cluster:Address",
                "an address of this machine",
                $"{address}: {unusable.Message}"
            );
        }
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await host.StopAsync(patience.Token).WaitAsync(patience.Token);
        }
        catch (Exception impatient)
            when (impatient is OperationCanceledException or AggregateException)
        {
            // The others notice that this process has ended.
        }
    }

    /// <summary>The lifetime of a host in another host.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
