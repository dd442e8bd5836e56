using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Answers on the loopback address, where a port is set: <c>/health/live</c>, while the loop
/// advances, and <c>/health/ready</c>, once the data are loaded.</summary>
internal sealed class HealthServer(RunPlan plan, Pulse pulse) : IHostedService
{
    private WebApplication? server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (plan.Settings.Health.Port is not { } port)
            return;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.ListenLocalhost(port);
            });
        builder
            .Services.AddRoutingCore()
            .AddHealthChecks()
            .AddCheck("live", () => Result(pulse.IsLive))
            .AddCheck("ready", () => Result(pulse.IsReady));
        server = builder.Build();
        Map(server, "live");
        Map(server, "ready");
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (IOException taken)
        {
            throw new RefusedException([
                Faults
                    .Create("Health:Port", "a port that is free", taken.Message.TrimEnd('.'))
                    .ToString(),
            ]);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (server is not null)
            await server.DisposeAsync();
    }

    private static void Map(WebApplication server, string check) =>
        server.MapHealthChecks(
            $"/health/{check}",
            new HealthCheckOptions { Predicate = registered => registered.Name == check }
        );

    private static HealthCheckResult Result(bool isFine) =>
        isFine ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
}
