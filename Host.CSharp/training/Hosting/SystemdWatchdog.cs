using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

namespace Pipeline.Training;

/// <summary>Tells systemd that the service is alive, twice in the time that its unit allows (WatchdogSec). If
/// the loop does not advance it sends nothing, and systemd restarts the service.</summary>
internal sealed class SystemdWatchdog(
    IServiceProvider services,
    Liveness liveness,
    TimeProvider clock
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (
            services.GetService<ISystemdNotifier>() is not { IsEnabled: true } notifier
            || !long.TryParse(
                Environment.GetEnvironmentVariable("WATCHDOG_USEC"),
                CultureInfo.InvariantCulture,
                out var microseconds
            )
            || microseconds <= 0
        )
            return;
        using var timer = new PeriodicTimer(TimeSpan.FromMicroseconds(microseconds / 2.0), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (liveness.IsLive)
                notifier.Notify(new ServiceState("WATCHDOG=1"));
        }
    }
}
