namespace Pipeline.Training;

/// <summary>Checks the data files at intervals. (The file notifications of the system are not reliable on
/// network drives.)</summary>
internal sealed class DataFileWatcher(
    RunConfiguration configuration,
    Liveness liveness,
    IFiles files,
    TimeProvider clock
)
{
    private string? seen;

    /// <summary>Waits until the files have changed since the last call and are the same at two checks in a
    /// row, as a file may still be being copied. The first call does not wait.</summary>
    public async Task ChangedAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(
            TimeSpan.FromSeconds(configuration.Settings.Watch.Every),
            clock
        );
        var last = Look();
        while (seen is not null)
        {
            await timer.WaitForNextTickAsync(stop);
            liveness.Beat();
            var now = Look();
            if (now == last && now != seen)
                break;
            last = now;
        }
        seen = last;
    }

    /// <summary>The files' sizes and times, or that they do not exist.</summary>
    private string Look() =>
        string.Join(
            ';',
            DataFiles
                .Paths(configuration.Settings.Data)
                .Select(path =>
                    files.StampOf(path) is { } stamp ? $"{stamp.Length} {stamp.Time.Ticks}" : "none"
                )
        );
}
