using Microsoft.Extensions.Hosting;

namespace Pipeline.Training;

/// <summary>Says once a second that the service is alive. It does so on a thread of those that answer requests: where none of
/// them gets on, it says nothing.</summary>
internal sealed class ServingHeartbeat(Liveness liveness, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                liveness.Beat();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }
}
