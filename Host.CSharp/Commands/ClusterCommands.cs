using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Cluster;

namespace Pipeline.Training;

/// <summary>What commands do in a cluster. Nothing else of the program loads the assemblies of one.</summary>
internal static class ClusterCommands
{
    /// <summary>Works on the sweeps of a store until a signal comes, or prepares the store.</summary>
    public static async Task<int> WorkAsync(CommandLineSettings given)
    {
        // The rows are those of the sweeps.
        var builder = ServiceRegistration.CreateBuilder(
            given with
            {
                IsForTraining = false,
            },
            out var configuration
        );
        var settings = configuration.Settings;
        ClusterServices.Require(settings.Cluster);
        if (settings.Cluster.Prepare)
        {
            Print.Line($"{await ClusterStore.Of(settings.Cluster.Store!).PrepareAsync()}");
            return (int)Outcome.Completed;
        }
        builder
            .Services.AddSingleton(
                new WorkerOptions(
                    settings.Cluster,
                    given,
                    SweepTeam.SlotsOf(settings.Sweep.Slots),
                    Print.Notes
                )
            )
            .AddWorker();
        return await SweepHost.RunAsync<WorkerService>(builder);
    }

    /// <summary>Submits a sweep and works on it.</summary>
    /// <param name="builder">A host with the sweep.</param>
    /// <param name="settings">The section Cluster.</param>
    public static Task<int> SubmitAsync(HostApplicationBuilder builder, ClusterSettings settings)
    {
        ClusterServices.Require(settings);
        builder.Services.AddSubmittedSweep(settings);
        return SweepHost.RunAsync<SubmittedSweepService>(builder);
    }

    /// <summary>Shows a sweep.</summary>
    public static Task ShowAsync(ClusterSettings settings, string name)
    {
        ClusterServices.Require(settings);
        return ClusterClient.ShowAsync(settings, name, NullLoggerFactory.Instance, Console.Out);
    }

    /// <summary>Asks something of a sweep.</summary>
    public static Task AskAsync(ClusterSettings settings, string name, SweepRequest request)
    {
        ClusterServices.Require(settings);
        return ClusterClient.AskAsync(
            settings,
            name,
            request switch
            {
                SweepRequest.Pause => SweepPhase.Paused,
                SweepRequest.Stop => SweepPhase.Stopped,
                _ => SweepPhase.Running,
            },
            NullLoggerFactory.Instance
        );
    }
}
