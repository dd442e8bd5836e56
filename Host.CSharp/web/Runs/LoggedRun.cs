using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Pictures;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>What a run has logged so far, and its summary. Each look reads what was added; the figures and the picture
/// depend on the files alone, so that they are those of a first look.</summary>
/// <param name="path">The run's folder.</param>
internal sealed class LoggedRun(string path)
{
    private const int LongestTitle = 60;

    private readonly Lock gate = new();
    private Read read = new(path, default);
    private Drawn? drawn;
    private (DateTime Written, FirstLayerView View)? firstLayer;

    /// <summary>What was read from the files.</summary>
    private sealed class Read(string path, RunFiles files)
    {
        public RunFiles Files { get; } = files;
        public LogTail Steps { get; } = new(Path.Combine(path, RunLogs.ProgressName));
        public LogTail Epochs { get; } = new(Path.Combine(path, RunLogs.EpochsName));
        public List<(long End, uint Check, EpochFigures Figures)> Lines { get; } = [];

        /// <summary>How far the logs were read.</summary>
        public RunCursor Cursor => new(Steps.Position, Epochs.Position, Epochs.Check);
        public StepFigures? LastStep { get; set; }
        public StoredRun? Settings { get; init; }
        public RunSummary? Summary { get; init; }
        public Curves Curves { get; init; } = new(Head.Softmax);
    }

    /// <summary>The files that are written as a whole, by their times.</summary>
    private readonly record struct RunFiles(DateTime Settings, DateTime Summary);

    private sealed record Drawn(Read Of, RunCursor Cursor, string Svg, byte[] Points);

    /// <summary>The state of the run now.</summary>
    /// <param name="since">The place whose evaluations are known already.</param>
    /// <exception cref="RefusedException">Its settings cannot be read.</exception>
    public RunState Look(RunCursor since = default)
    {
        lock (gate)
        {
            Refresh();
            var lines = read.Lines;
            var next = lines.Count;
            while (next > 0 && lines[next - 1].End > since.Epochs)
                next--;
            var isKnown =
                next > 0
                && (lines[next - 1].End, lines[next - 1].Check) == (since.Epochs, since.Check);
            // Before the first line there is nothing to take back.
            var isReset =
                since.Steps > read.Steps.Position
                || since.Epochs > read.Epochs.Position
                || next > 0 && !isKnown;
            return new(
                read.Settings!,
                read.Summary,
                read.Cursor,
                read.LastStep,
                lines.Count > 0 ? lines[^1].Figures : null,
                [
                    .. lines
                        .Skip(Math.Max(isReset ? 0 : next, lines.Count - RunState.MostEpochs))
                        .Select(line => line.Figures),
                ],
                isReset,
                new[] { RunLogs.ProgressName, RunLogs.EpochsName, RunFolder.SettingsFile }.Max(
                    Written
                )
            );
        }
    }

    /// <summary>The picture of the run now, and the numbers in it.</summary>
    /// <exception cref="RefusedException">Its settings cannot be read.</exception>
    public (string Svg, byte[] Points) Draw()
    {
        lock (gate)
        {
            Refresh();
            var cursor = read.Cursor;
            if (drawn is null || drawn.Of != read || drawn.Cursor != cursor)
            {
                var charts = read.Curves.Charts(Title());
                var (svg, areas) = Picture.Draw("curves", Curves.Width, Curves.Height, [.. charts]);
                drawn = new(read, cursor, svg, ChartPoints.Of(charts, [.. areas], Curves.Width));
            }
            return (drawn.Svg, drawn.Points);
        }
    }

    /// <summary>The first layer of the run's model.</summary>
    public FirstLayerView FirstLayer()
    {
        lock (gate)
        {
            var written = Written(RunFolder.ModelName);
            if (firstLayer is not { } known || known.Written != written)
            {
                known = (written, FirstLayerView.Of(Path.Combine(path, RunFolder.ModelName)));
                firstLayer = known;
            }
            return known.View;
        }
    }

    private void Refresh()
    {
        var files = new RunFiles(Written(RunFolder.SettingsFile), Written(RunFolder.SummaryFile));
        if (read.Settings is null || read.Files != files || !ReadOn())
        {
            read = Begin(files);
            ReadOn();
        }
        if (read.Summary is { } summary && Kept(summary, read.Lines) is { } kept)
            read.Curves.Finished(kept);
    }

    private Read Begin(RunFiles files)
    {
        var settings = StoredRun.Read(path);
        Parse
            .Head(settings.Settings["model"]?["head"]?.ToString() ?? nameof(Head.Softmax))
            .TryGet(out var head, out _);
        return new(path, files)
        {
            Settings = settings,
            Summary = JsonText.ReadOrNull<RunSummary>(() =>
                File.ReadAllBytes(Path.Combine(path, RunFolder.SummaryFile))
            ),
            Curves = new(head ?? Head.Softmax),
        };
    }

    /// <summary>Reads what was added to the logs.</summary>
    /// <returns>False if they are not those that were read.</returns>
    private bool ReadOn() =>
        read.Steps.Read(cells =>
        {
            if (LogLines.Step(cells) is not { } step)
                return;
            read.LastStep = step;
            read.Curves.Stepped(step);
        })
        && read.Epochs.Read(cells =>
        {
            if (LogLines.Epoch(cells) is not { } epoch)
                return;
            read.Lines.Add((read.Epochs.Position, read.Epochs.Check, epoch));
            read.Curves.Evaluated(epoch);
        });

    /// <summary>The evaluation at the end, which stands in the summary alone.</summary>
    private static EpochFigures? Kept(
        RunSummary summary,
        IReadOnlyList<(long, uint, EpochFigures Figures)> lines
    ) =>
        summary.FinalTrainLoss is { } loss
            ? new(
                lines.Count > 0 ? lines[^1].Figures.Epoch : 0,
                summary.ModelIteration,
                new(loss, summary.FinalTrainAccuracy ?? double.NaN),
                new(summary.FinalTestLoss ?? double.NaN, summary.FinalTestAccuracy ?? double.NaN),
                summary.FinalValidationLoss is { } validation
                    ? new Score(validation, summary.FinalValidationAccuracy ?? double.NaN)
                    : null,
                summary.TrainSeconds
            )
            : null;

    private string Title()
    {
        var name = Path.GetFileName(path);
        return name.Length <= LongestTitle ? name : name[..LongestTitle] + "…";
    }

    private DateTime Written(string name) => File.GetLastWriteTimeUtc(Path.Combine(path, name));
}
