using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>Workers of sweeps as services of a host.</summary>
public static class ClusterServices
{
    /// <summary>Adds a worker: it joins the cluster of <see cref="ClusterSettings.Store"/> and trains trials of its sweeps
    /// until the host stops. If it cannot work on a sweep of the store, because the data or the program's version are
    /// others, it logs why and stops the host.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="settings">The settings of this machine: the section Cluster, paths and limits of the section Data,
    /// <see cref="SweepSettings.Slots"/>. Those of the trials come with each sweep.</param>
    /// <returns>The services.</returns>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static IServiceCollection AddSweepWorker(
        this IServiceCollection services,
        PipelineSettings settings
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(settings);
        Require(settings.Cluster);
        var json = SettingsJson.Of(settings);
        var given =
            from setting in SettingCatalog.All
            where setting.IsOfMachine
            let value = SettingsJson.Value(json, setting)
            where value is not null
            from entry in SettingsJson.Entries(setting.Key, value)
            select KeyValuePair.Create($"{SettingsReader.Root}:{entry.Key}", (string?)entry.Value);
        return services
            .AddSingleton(provider =>
            {
                var logger = provider.GetRequiredService<ILogger<WorkerService>>();
                return new WorkerOptions(
                    settings.Cluster,
                    new(given.ToDictionary()),
                    SweepTeam.SlotsOf(settings.Sweep.Slots),
                    sentences =>
                    {
                        foreach (var sentence in sentences)
                            logger.WorkerNotes(sentence);
                    }
                );
            })
            .AddWorker();
    }

    /// <summary>Checks what does not need a connection.</summary>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    internal static void Require(ClusterSettings settings)
    {
        if (settings.Store is null)
        {
            throw RefusedException.Of(
                "Cluster:Store",
                "the server between the machines, such as redis:localhost:6379 or postgres:Host=localhost;Database=pipeline",
                "nothing"
            );
        }
        ClusterStore.Of(settings.Store);
        ClusterNetwork.AddressOf(settings);
        ClusterCertificate.Of(settings);
    }

    /// <summary>Adds the worker and what runs of trials need, apart from its options.</summary>
    internal static IServiceCollection AddWorker(this IServiceCollection services) =>
        services.AddRuns().AddHostedService<WorkerService>();

    /// <summary>Adds a sweep that is submitted, and what runs of trials need.</summary>
    internal static IServiceCollection AddSubmittedSweep(
        this IServiceCollection services,
        ClusterSettings settings
    ) => services.AddSingleton(settings).AddRuns().AddHostedService<SubmittedSweepService>();

    /// <summary>Adds what runs of trials need. Orleans logs what the calls here report themselves.</summary>
    private static IServiceCollection AddRuns(this IServiceCollection services)
    {
        // Calls of this thread pool must not wait for trials, which have threads of their own.
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(workers + SpareThreads, ports);
        return services
            .PostConfigure<LoggerFilterOptions>(filter =>
                filter.Rules.Insert(
                    0,
                    new(providerName: null, "Orleans", LogLevel.Critical, filter: null)
                )
            )
            .AddRunServices();
    }

    /// <summary>Threads for probes and calls.</summary>
    private const int SpareThreads = 8;
}
