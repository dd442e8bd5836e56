using System.Numerics;
using System.Threading.Channels;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The state of a run and its time of training so far.</summary>
internal sealed record RunPosition<T>(TrainingState<T> State, TimeSpan Trained)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Saves positions of a run.</summary>
internal interface ICheckpointing<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether a checkpoint is due at an iteration.</summary>
    bool IsDue(long iteration);

    void Offer(RunPosition<T> position);
}

/// <summary>Saves checkpoints at intervals of iterations and of time while the run continues: a state never
/// changes. Saving uses at most 2 % of the run: checkpoints that fall due during a save, or within 49 times
/// its duration after it, are skipped.</summary>
internal sealed class CheckpointScheduler<T>(
    CheckpointWriter<T> writer,
    RunSettings settings,
    TimeProvider clock
) : ICheckpointing<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>How many times the duration of a save passes before the next one.</summary>
    private const int Rest = 49;

    private readonly Channel<RunPosition<T>> waiting = Channel.CreateBounded<RunPosition<T>>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    private long newest = clock.GetTimestamp();
    private volatile bool isBusy;

    public bool IsDue(long iteration) =>
        !isBusy
        && (
            settings.CheckpointEvery > 0 && iteration % settings.CheckpointEvery == 0
            || settings.CheckpointSeconds > 0
                && clock.GetElapsedTime(newest).TotalSeconds >= settings.CheckpointSeconds
        );

    public void Offer(RunPosition<T> position)
    {
        newest = clock.GetTimestamp();
        waiting.Writer.TryWrite(position);
    }

    /// <summary>Saves offered positions while the run is in progress.</summary>
    public async Task<TResult> DuringAsync<TResult>(Func<Task<TResult>> run)
    {
        var ended = new TaskCompletionSource();
        var saving = Background.StartAsync(async () =>
        {
            // ReadAllAsync would go on on the thread pool.
            while (await waiting.Reader.WaitToReadAsync())
            {
                if (!waiting.Reader.TryRead(out var position))
                    continue;
                isBusy = true;
                var start = clock.GetTimestamp();
                writer.TrySave(position);
                var rest = Rest * clock.GetElapsedTime(start);
                // The first checkpoint is saved before the first step, so it takes no time from training.
                if (position.State.Iteration > 0)
                    await Task.WhenAny(ended.Task, Task.Delay(rest, clock));
                isBusy = false;
            }
        });
        try
        {
            return await run();
        }
        finally
        {
            ended.SetResult();
            waiting.Writer.Complete();
            await saving;
        }
    }
}
