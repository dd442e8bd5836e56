namespace Pipeline.Training;

/// <summary>Looks at the data files time and again. (The system's own notices get lost on network
/// disks.)</summary>
internal sealed class DataFileWatcher(
    RunConfiguration configuration,
    Liveness liveness,
    TimeProvider clock
)
{
    private string? seen;

    /// <summary>Waits until the files are others than the last time, and have been so for two looks: a
    /// file may be in the middle of being copied. The first time it does not wait.</summary>
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

    /// <summary>The files' sizes and times, or that they are not there.</summary>
    private string Look() =>
        string.Join(
            ';',
            DataFiles
                .Paths(configuration.Settings.Data)
                .Select(path => new FileInfo(path))
                .Select(file =>
                    file.Exists ? $"{file.Length} {file.LastWriteTimeUtc.Ticks}" : "none"
                )
        );
}
