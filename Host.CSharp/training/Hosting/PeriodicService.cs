using Microsoft.Extensions.Hosting;

namespace Pipeline.Training;

/// <summary>A service that acts once a second until it is stopped.</summary>
internal abstract class PeriodicService(TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected TimeProvider Clock { get; } = clock;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Act();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    /// <summary>What it does each time.</summary>
    protected abstract void Act();
}
