using System.Globalization;
using System.Text;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>How many bytes of a run's logs are kept.</summary>
internal sealed record LogPlaces(long Progress, long Epochs);

/// <summary>The logs of a run: progress.csv has a line for each step that is reported to it, epochs.csv a line for
/// each evaluation.</summary>
internal sealed class RunLogs(IFiles files, string folder) : IRunObserver
{
    public const string ProgressName = "progress.csv";
    public const string EpochsName = "epochs.csv";

    private const string ProgressHeader = "iteration,epoch,loss,learning_rate,seconds";
    private const string EpochsHeader =
        "epoch,iteration,train_loss,train_accuracy,test_loss,test_accuracy,seconds,validation_loss,validation_accuracy";

    private readonly LineLog progress = new(files, Path.Combine(folder, ProgressName));
    private readonly LineLog epochs = new(files, Path.Combine(folder, EpochsName));

    public void Stepped(in StepFigures step) =>
        progress.Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{step.Iteration},{step.Epoch},{step.Loss},{step.LearningRate},{step.Seconds:F6}"
            ),
            step.Seconds
        );

    public void Evaluated(EpochFigures epoch)
    {
        epochs.Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{epoch.Epoch},{epoch.Iteration},{epoch.Train.Loss},{epoch.Train.Accuracy},{epoch.Test.Loss},{epoch.Test.Accuracy},{epoch.Seconds:F6},{epoch.Validation?.Loss},{epoch.Validation?.Accuracy}"
            ),
            epoch.Seconds
        );
        try
        {
            epochs.Write();
            progress.Write();
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            // The lines stay in memory; the next checkpoint or the end of the run reports the failure.
        }
    }

    /// <summary>Writes all lines so far and flushes them to the disk.</summary>
    public void Flush()
    {
        progress.Flush();
        epochs.Flush();
    }

    /// <summary>Creates both files.</summary>
    private void Begin()
    {
        files.Write(progress.Path, Encoding.UTF8.GetBytes(ProgressHeader + "\n"));
        files.Write(epochs.Path, Encoding.UTF8.GetBytes(EpochsHeader + "\n"));
        progress.Rewind(ProgressHeader.Length + 1);
        epochs.Rewind(EpochsHeader.Length + 1);
    }

    /// <summary>Finds the lines up to an iteration, and reports them to observers. The evaluation at that iteration itself is
    /// made again.</summary>
    /// <param name="iteration">The iteration.</param>
    /// <param name="perEpoch">Iterations of an epoch.</param>
    /// <param name="cadence">Which iterations have a line.</param>
    /// <param name="observers">The observers that get the remaining lines.</param>
    /// <returns>Where the lines end; null at the beginning of a run.</returns>
    /// <exception cref="RefusedException">A line is missing or damaged.</exception>
    public LogPlaces? Find(
        long iteration,
        long perEpoch,
        Cadence cadence,
        IReadOnlyList<IRunObserver> observers
    )
    {
        if (iteration == 0)
            return null;
        using var steps = new LogReader(files, progress.Path, ProgressHeader);
        for (var i = cadence.Next(0); i <= iteration; i = cadence.Next(i))
        {
            var cells = steps.Find($"iteration {i}", i, place: 0, count: 5);
            foreach (var observer in observers)
                observer.Stepped(
                    new(i, (long)Of(cells[1]), 0, Of(cells[2]), Of(cells[3]), Of(cells[4]))
                );
        }
        using var evaluations = new LogReader(files, epochs.Path, EpochsHeader);
        for (var epoch = 0L; epoch * perEpoch < iteration; epoch = Cadence.Automatic.Next(epoch))
        {
            var at = epoch * perEpoch;
            var cells = evaluations.Find($"epoch {epoch}", at, place: 1, count: 9);
            var figures = new EpochFigures(
                epoch,
                at,
                new(Of(cells[2]), Of(cells[3])),
                new(Of(cells[4]), Of(cells[5])),
                cells[7] is { } loss ? new Score(loss, Of(cells[8])) : null,
                Of(cells[6])
            );
            foreach (var observer in observers)
                observer.Evaluated(figures);
        }
        return new(steps.Position, evaluations.Position);
    }

    /// <summary>Truncates both files to the lines that were found, or creates them.</summary>
    public void Continue(LogPlaces? places)
    {
        if (places is null)
        {
            Begin();
            return;
        }
        progress.Rewind(places.Progress);
        epochs.Rewind(places.Epochs);
    }

    private static double Of(double? cell) => cell ?? double.NaN;
}
