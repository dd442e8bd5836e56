using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>Runs a host that works on sweeps.</summary>
internal static class SweepHost
{
    /// <summary>Runs the host until its service ends or a signal comes.</summary>
    /// <typeparam name="TService">The service, which logs what goes wrong with the output.</typeparam>
    /// <param name="builder">A host with the service.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync<TService>(HostApplicationBuilder builder)
        where TService : class
    {
        ILogger? logger = null;
        using var streams = StandardStreams.Queue(reason => logger?.OutputFailed(reason));
        builder
            .Services.Configure<HostOptions>(host =>
                host.ShutdownTimeout = Timeout.InfiniteTimeSpan
            )
            .AddHostedService<SignalHandler>();
        using var host = builder.Build();
        logger = host.Services.GetRequiredService<ILogger<TService>>();
        var status = host.Services.GetRequiredService<ExitStatus>();
        try
        {
            await host.RunAsync();
        }
        catch (OperationCanceledException)
        {
            // The host was stopped while it started.
        }
        if (status.IsStopped)
            streams.Patience = TimeSpan.FromSeconds(3);
        return status.Code;
    }
}
