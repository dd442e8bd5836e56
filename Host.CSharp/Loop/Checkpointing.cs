using System.Numerics;
using System.Threading.Channels;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Where a run stands, and its time of training so far.</summary>
internal sealed record Standing<T>(State<T> State, TimeSpan Trained)
    where T : struct, IBinaryFloatingPointIeee754<T>;

/// <summary>Someone who saves where a run stands.</summary>
internal interface ICheckpointing<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the state of an iteration is to be saved.</summary>
    bool IsDue(long iteration);

    void Offer(Standing<T> standing);
}

/// <summary>Saves where a run stands at its cadence, in iterations and in time, while the run goes on: a
/// state never changes. Where a save takes longer than the next one is away, only the newest is
/// saved.</summary>
internal sealed class Checkpointing<T>(
    CheckpointWriter<T> writer,
    RunSettings settings,
    TimeProvider clock
) : ICheckpointing<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly Channel<Standing<T>> waiting = Channel.CreateBounded<Standing<T>>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    private long newest = clock.GetTimestamp();

    public bool IsDue(long iteration) =>
        settings.CheckpointEvery > 0 && iteration % settings.CheckpointEvery == 0
        || settings.CheckpointSeconds > 0
            && clock.GetElapsedTime(newest).TotalSeconds >= settings.CheckpointSeconds;

    public void Offer(Standing<T> standing)
    {
        newest = clock.GetTimestamp();
        waiting.Writer.TryWrite(standing);
    }

    /// <summary>Saves what is offered while the run is under way.</summary>
    public async Task<TResult> DuringAsync<TResult>(Func<Task<TResult>> run)
    {
        var saving = Task.Run(async () =>
        {
            await foreach (var standing in waiting.Reader.ReadAllAsync())
                writer.TrySave(standing);
        });
        try
        {
            return await run();
        }
        finally
        {
            waiting.Writer.Complete();
            await saving;
        }
    }
}
