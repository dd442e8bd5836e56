using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training.Formats.TensorBoard;
using EventSummary = Pipeline.Training.Formats.TensorBoard.Summary;

namespace Pipeline.Training;

/// <summary>Writes a run for TensorBoard: losses, accuracies and the rate as scalars, parameters as
/// histograms. If the disk fails, the file ends and the run continues. A resumed run begins another file,
/// with a mark that makes TensorBoard drop later points of earlier files.</summary>
internal sealed class EventFile : IRunObserver, IDisposable
{
    public const string Beginning = "events.out.tfevents.";
    private const int Bins = 30;

    /// <summary>The largest number of buffered bytes.</summary>
    private const int Room = 1 << 12;

    private readonly IFiles files;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private readonly string path;
    private readonly MemoryStream waiting = new();
    private long written;
    private bool hasEnded;

    /// <param name="files">The disk.</param>
    /// <param name="folder">The folder of the file.</param>
    /// <param name="from">The iteration that the run is resumed from, or 0.</param>
    /// <param name="last">The last step in the log of the resumed run; it is written again if it is of that
    /// iteration.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Logs the failure of the disk, once.</param>
    public EventFile(
        IFiles files,
        string folder,
        long from,
        StepFigures? last,
        TimeProvider clock,
        ILogger logger
    )
    {
        (this.files, this.clock, this.logger) = (files, clock, logger);
        path = Path.Combine(folder, NewName());
        Write(new() { WallTime = Now, FileVersion = "brain.Event:2" });
        Write(
            new()
            {
                WallTime = Now,
                Step = from,
                SessionLog = new() { Status = SessionLog.Types.SessionStatus.Start },
            }
        );
        if (last is { } step && step.Iteration == from)
            Stepped(step);

        // TensorBoard recognises files by this prefix and a time, and reads them in the order of their names:
        // a new file gets a later time than all others, whatever the clock says.
        string NewName()
        {
            var newest = files
                .List(folder)
                .Where(name => name.StartsWith(Beginning, StringComparison.Ordinal))
                .Select(name => name[Beginning.Length..].Split('.')[0])
                .Select(time =>
                    long.TryParse(time, CultureInfo.InvariantCulture, out var known) ? known : 0
                )
                .DefaultIfEmpty()
                .Max();
            var time = Math.Max(clock.GetUtcNow().ToUnixTimeSeconds(), newest + 1);
            return $"{Beginning}{time:D10}.pipeline";
        }
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
        // Predicted numbers have no accuracy.
        Scalars(epoch.Iteration, [.. figures.Where(figure => !double.IsNaN(figure.Value))]);
        Flush();
    }

    public void Reached<T>(long iteration, Network<T> network)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var summary = new EventSummary();
        foreach (var tensor in Model.ToTensors(Model.OfNetwork(network)).Tensors)
        {
            var histogram = Evaluations.Histogram(Bins, Tensors.ToDoubles(tensor));
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

    /// <summary>Writes the buffered events before a checkpoint, so that the file has all steps of
    /// it.</summary>
    public void Saving() => Flush();

    public void Dispose() => Flush();

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

    /// <summary>A record: its length, the length's checksum, the bytes, their checksum.</summary>
    private void Write(Event entry)
    {
        var bytes = entry.ToByteArray();
        Span<byte> length = stackalloc byte[8];
        Span<byte> check = stackalloc byte[4];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
        waiting.Write(length);
        BinaryPrimitives.WriteUInt32LittleEndian(check, Checksum(length));
        waiting.Write(check);
        waiting.Write(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(check, Checksum(bytes));
        waiting.Write(check);
        if (waiting.Length > Room)
            Flush();
    }

    private void Flush()
    {
        var bytes = waiting.GetBuffer().AsSpan(0, (int)waiting.Length);
        try
        {
            if (hasEnded)
                return;
            if (written == 0)
                files.Write(path, bytes);
            else
                files.Append(path, written, bytes);
            written += bytes.Length;
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            hasEnded = true;
            logger.EventsEnded(path, trouble.Message.TrimEnd('.'));
        }
        finally
        {
            waiting.SetLength(0);
        }
    }

    /// <summary>CRC-32C, rotated and shifted as in the TFRecord format.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }
}
