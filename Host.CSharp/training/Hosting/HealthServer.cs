using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The health checks, if a port is set: <c>/health/live</c> succeeds while the loop advances,
/// <c>/health/ready</c> after the data were loaded. The body is the status, with a reason if there is
/// one.</summary>
internal sealed class HealthServer(RunConfiguration configuration, Liveness liveness)
    : IHostedService
{
    private IAsyncDisposable? server;

    /// <summary>Starts the server, unless it is already running.</summary>
    /// <exception cref="RefusedException">The address or the port is not available.</exception>
    public Task StartAsync(CancellationToken cancellationToken) =>
        configuration.Settings.Health.Port is { } port && server is null
            ? ListenAsync(port, cancellationToken)
            : Task.CompletedTask;

    /// <summary>A method of its own: where it is not called, ASP.NET is not loaded.</summary>
    private async Task ListenAsync(int port, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                Listen(kestrel, port);
            });
        builder
            .Services.AddRoutingCore()
            .AddHealthChecks()
            .AddCheck("live", Live)
            .AddCheck("ready", Ready);
        var built = builder.Build();
        server = built;
        Map(built, "live");
        Map(built, "ready");
        try
        {
            await built.StartAsync(cancellationToken);
        }
        catch (SocketException absent)
            when (absent.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            throw RefusedException.Of(
                "Health:Address",
                "an address of this machine",
                configuration.Settings.Health.Address
            );
        }
        catch (Exception taken) when (taken is IOException or SocketException)
        {
            throw RefusedException.Of(
                "Health:Port",
                "a free port that this user may open",
                $"{port} ({taken.Message.TrimEnd('.')})"
            );
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (server is not null)
            await server.DisposeAsync();
    }

    private void Listen(KestrelServerOptions kestrel, int port)
    {
        if (
            HealthSettings.TryParse(configuration.Settings.Health.Address, out var address)
            && address is not null
        )
            kestrel.Listen(address, port);
        else
            kestrel.ListenLocalhost(port);
    }

    private HealthCheckResult Live() =>
        liveness.IsLive
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy(
                FormattableString.Invariant(
                    $"no step, evaluation or check of the data for {configuration.Settings.Health.StalledAfter} s"
                )
            );

    private HealthCheckResult Ready() =>
        (liveness.IsReady, liveness.Refusal) switch
        {
            (true, null) => HealthCheckResult.Healthy(),
            (true, { } refusal) => HealthCheckResult.Degraded(refusal),
            (false, var refusal) => HealthCheckResult.Unhealthy(
                refusal ?? "the data are not loaded yet"
            ),
        };

    private static void Map(WebApplication server, string check) =>
        server.MapHealthChecks(
            $"/health/{check}",
            new HealthCheckOptions
            {
                Predicate = registered => registered.Name == check,
                ResponseWriter = (context, report) =>
                {
                    context.Response.ContentType = "text/plain; charset=utf-8";
                    var said = report.Entries[check].Description is { } description
                        ? $": {description}"
                        : "";
                    return context.Response.WriteAsync($"{report.Status}{said}");
                },
            }
        );
}
