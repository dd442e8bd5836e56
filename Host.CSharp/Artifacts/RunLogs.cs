using System.Globalization;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What a run writes down as it goes: progress.csv, a line an iteration, and epochs.csv, a line
/// an evaluation.</summary>
internal sealed class RunLogs(IFiles files, string folder) : IRunObserver
{
    private const string ProgressHeader = "iteration,epoch,loss,learning_rate,seconds";
    private const string EpochsHeader =
        "epoch,iteration,train_loss,train_accuracy,test_loss,test_accuracy,seconds,validation_loss,validation_accuracy";

    private readonly LineLog progress = new(files, Path.Combine(folder, "progress.csv"));
    private readonly LineLog epochs = new(files, Path.Combine(folder, "epochs.csv"));

    public void Stepped(in StepFigures step) =>
        progress.Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{step.Iteration},{step.Epoch},{step.Loss},{step.LearningRate},{step.Seconds:F6}"
            )
        );

    public void Evaluated(EpochFigures epoch)
    {
        epochs.Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{epoch.Epoch},{epoch.Iteration},{epoch.Train.Loss},{epoch.Train.Accuracy},{epoch.Test.Loss},{epoch.Test.Accuracy},{epoch.Seconds:F6},{epoch.Validation?.Loss},{epoch.Validation?.Accuracy}"
            )
        );
        try
        {
            epochs.Write();
            progress.Write();
        }
        catch (Exception trouble) when (WholeFile.IsTrouble(trouble))
        {
            // The lines wait; the next checkpoint, or the end of the run, says so.
        }
    }

    public void Finished(EpochFigures kept) { }

    /// <summary>Sees every line so far through to the disk.</summary>
    public void Flush()
    {
        progress.Flush();
        epochs.Flush();
    }

    /// <summary>Begins both files.</summary>
    public void Begin()
    {
        files.Write(progress.Path, Encoding.UTF8.GetBytes(ProgressHeader + "\n"));
        files.Write(epochs.Path, Encoding.UTF8.GetBytes(EpochsHeader + "\n"));
        progress.Rewind(ProgressHeader.Length + 1);
        epochs.Rewind(EpochsHeader.Length + 1);
    }

    /// <summary>Takes both files back to where they stood when the run reached an iteration, and tells
    /// what is left in them. The evaluation of that very iteration is made again.</summary>
    /// <exception cref="RefusedException">What should be left is not there.</exception>
    public void Rewind(long iteration, long perEpoch, IReadOnlyList<IRunObserver> observers)
    {
        if (iteration == 0)
        {
            Begin();
            return;
        }
        var steps = new Lines(Read(progress.Path), progress.Path, ProgressHeader);
        for (var i = 1L; i <= iteration; i++)
        {
            var cells = steps.Next($"iteration {i}", i, place: 0, count: 5);
            foreach (var observer in observers)
                observer.Stepped(
                    new(i, (long)Of(cells[1]), 0, Of(cells[2]), Of(cells[3]), Of(cells[4]))
                );
        }
        var evaluations = new Lines(Read(epochs.Path), epochs.Path, EpochsHeader);
        for (var i = 0L; i < iteration; i += perEpoch)
        {
            var cells = evaluations.Next($"epoch {i / perEpoch}", i, place: 1, count: 9);
            var epoch = new EpochFigures(
                i / perEpoch,
                i,
                new(Of(cells[2]), Of(cells[3])),
                new(Of(cells[4]), Of(cells[5])),
                cells[7] is { } loss ? new Score(loss, Of(cells[8])) : null,
                Of(cells[6])
            );
            foreach (var observer in observers)
                observer.Evaluated(epoch);
        }
        progress.Rewind(steps.Position);
        epochs.Rewind(evaluations.Position);
    }

    private static double Of(double? cell) => cell ?? double.NaN;

    private byte[] Read(string path)
    {
        try
        {
            return files.Read(path);
        }
        catch (Exception trouble) when (WholeFile.IsTrouble(trouble))
        {
            throw new RefusedException([
                Faults
                    .Create(path, "the log of the run to go on with", trouble.Message.TrimEnd('.'))
                    .ToString(),
            ]);
        }
    }

    /// <summary>The lines of a log, one after the other.</summary>
    private sealed class Lines
    {
        private readonly byte[] bytes;
        private readonly string path;
        private int line;

        public Lines(byte[] bytes, string path, string header)
        {
            this.bytes = bytes;
            this.path = path;
            var found = Read();
            if (found != header)
                throw Refused($"the names of the columns, {header}", found);
        }

        /// <summary>Where the next line begins.</summary>
        public int Position { get; private set; }

        /// <summary>The numbers of the next line, once it is that of the iteration, and null for each
        /// empty cell.</summary>
        public double?[] Next(string what, long iteration, int place, int count)
        {
            var text = Read();
            var numbers = new List<double?>();
            foreach (var cell in text?.Split(',') ?? [])
            {
                if (cell.Length == 0)
                    numbers.Add(null);
                else if (double.TryParse(cell, CultureInfo.InvariantCulture, out var number))
                    numbers.Add(number);
            }
            return numbers.Count == count && numbers[place] == iteration
                ? [.. numbers]
                : throw Refused($"the {count} numbers of {what}", text);
        }

        /// <summary>The next line, if it has its end.</summary>
        private string? Read()
        {
            line++;
            var end = Array.IndexOf(bytes, (byte)'\n', Position);
            if (end < 0)
                return null;
            var text = Encoding.UTF8.GetString(bytes, Position, end - Position);
            Position = end + 1;
            return text;
        }

        private RefusedException Refused(string expected, string? found) =>
            new([
                Faults
                    .Create(
                        $"{path}, line {line}",
                        expected,
                        found is null ? "the end of the file" : $"'{found}'"
                    )
                    .ToString(),
            ]);
    }
}
