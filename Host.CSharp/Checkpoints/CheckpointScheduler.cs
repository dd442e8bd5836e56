using System.Numerics;
using System.Threading.Channels;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Where a run stands, and its time of training so far.</summary>
internal sealed record RunPosition<T>(State<T> State, TimeSpan Trained)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Someone who saves where a run stands.</summary>
internal interface ICheckpointing<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the state of an iteration is to be saved.</summary>
    bool IsDue(long iteration);

    void Offer(RunPosition<T> position);
}

/// <summary>Saves where a run stands at its cadence, in iterations and in time, while the run goes on: a
/// state never changes. As it takes a share of the processors and the disk from the run, saving has a
/// fiftieth of the time at most: what would be due during a save, or too soon after one, is
/// not.</summary>
internal sealed class CheckpointScheduler<T>(
    CheckpointWriter<T> writer,
    RunSettings settings,
    TimeProvider clock
) : ICheckpointing<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>After a save so many times as long none is begun.</summary>
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

    /// <summary>Saves what is offered while the run is under way.</summary>
    public async Task<TResult> DuringAsync<TResult>(Func<Task<TResult>> run)
    {
        var ended = new TaskCompletionSource();
        var saving = Task.Run(async () =>
        {
            await foreach (var position in waiting.Reader.ReadAllAsync())
            {
                isBusy = true;
                var start = clock.GetTimestamp();
                writer.TrySave(position);
                var rest = Rest * clock.GetElapsedTime(start);
                // The one before the first step takes nothing from a step, and longer than any other.
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
