using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Pipeline.Learning;
using Pipeline.Training.Formats.TensorBoard;
using EventSummary = Pipeline.Training.Formats.TensorBoard.Summary;

namespace Pipeline.Training;

/// <summary>A run as TensorBoard reads it: losses, accuracies and the rate as scalars, parameters as
/// histograms.</summary>
internal sealed class EventFile : IRunObserver, IDisposable
{
    private const int Bins = 30;
    private readonly FileStream file;
    private readonly TimeProvider clock;

    /// <param name="folder">Where the file is made.</param>
    /// <param name="clock">What time it is.</param>
    public EventFile(string folder, TimeProvider clock)
    {
        this.clock = clock;
        // TensorBoard knows its files by this beginning and a time.
        var time = clock.GetUtcNow().ToUnixTimeSeconds();
        var name = $"events.out.tfevents.{time:D10}.pipeline";
        file = new(Path.Combine(folder, name), FileMode.Create, FileAccess.Write, FileShare.Read);
        Write(new() { WallTime = Now, FileVersion = "brain.Event:2" });
    }

    public void Stepped(in StepFigures step) =>
        Scalars(
            step.Iteration,
            ("loss/mini-batch", step.Loss),
            ("learning_rate", step.LearningRate)
        );

    public void Evaluated(EpochFigures epoch)
    {
        (string Tag, double Value)[] figures =
        [
            ("loss/train", epoch.Train.Loss),
            ("accuracy/train", epoch.Train.Accuracy),
            ("loss/test", epoch.Test.Loss),
            ("accuracy/test", epoch.Test.Accuracy),
            .. epoch.Validation is { } score
                ? new[] { ("loss/validation", score.Loss), ("accuracy/validation", score.Accuracy) }
                : [],
        ];
        // Numbers to predict have no accuracy.
        Scalars(epoch.Iteration, [.. figures.Where(figure => !double.IsNaN(figure.Value))]);
        file.Flush();
    }

    public void Reached<T>(long iteration, Network<T> network)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var summary = new EventSummary();
        foreach (var tensor in Model.ToTensors(Model.OfNetwork(network)).Tensors)
        {
            var histogram = HistogramModule.Create(Bins, TensorModule.ToDoubles(tensor));
            summary.Value.Add(
                new EventSummary.Types.Value
                {
                    Tag = $"parameters/{tensor.Name}",
                    Histo = new()
                    {
                        Min = histogram.Minimum,
                        Max = histogram.Maximum,
                        Num = histogram.Count,
                        Sum = histogram.Sum,
                        SumSquares = histogram.SumOfSquares,
                        BucketLimit = { histogram.Limits },
                        Bucket = { histogram.Counts.Select(count => (double)count) },
                    },
                }
            );
        }
        Write(
            new()
            {
                WallTime = Now,
                Step = iteration,
                Summary = summary,
            }
        );
    }

    public void Finished(EpochFigures kept) { }

    public void Dispose() => file.Dispose();

    private double Now => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private void Scalars(long step, params ReadOnlySpan<(string Tag, double Value)> scalars)
    {
        var summary = new EventSummary();
        foreach (var (tag, value) in scalars)
            summary.Value.Add(
                new EventSummary.Types.Value { Tag = tag, SimpleValue = (float)value }
            );
        Write(
            new()
            {
                WallTime = Now,
                Step = step,
                Summary = summary,
            }
        );
    }

    /// <summary>A record: its length, the length's checksum, the bytes, theirs.</summary>
    private void Write(Event entry)
    {
        var bytes = entry.ToByteArray();
        Span<byte> length = stackalloc byte[8];
        Span<byte> check = stackalloc byte[4];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
        file.Write(length);
        BinaryPrimitives.WriteUInt32LittleEndian(check, Checksum(length));
        file.Write(check);
        file.Write(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(check, Checksum(bytes));
        file.Write(check);
    }

    /// <summary>CRC-32C, turned and shifted as the format wants it.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }
}
