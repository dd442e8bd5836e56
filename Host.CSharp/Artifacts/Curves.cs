using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Pipeline.Training;

/// <summary>The picture of a run over its iterations: the loss above, accuracy below. The losses of
/// mini-batches are averaged, so that some 500 points make their line.</summary>
internal sealed class Curves(long iterations) : IRunObserver
{
    private const string LossAxis = "loss";
    private const string AccuracyAxis = "accuracy";
    private static readonly OxyColor Grey = OxyColors.DarkGray;
    private static readonly OxyColor Green = OxyColors.SeaGreen;
    private static readonly OxyColor Blue = OxyColors.SteelBlue;
    private static readonly OxyColor Orange = OxyColors.Chocolate;
    private readonly long width = Math.Max(1, iterations / 500);
    private readonly List<DataPoint> losses = [];
    private readonly List<EpochFigures> epochs = [];
    private double sum;
    private long count;
    private long last = 1;

    public void Stepped(in StepFigures step)
    {
        last = step.Iteration;
        sum += step.Loss;
        count++;
        if (count == width)
            AddMean();
    }

    public void Evaluated(EpochFigures epoch) => epochs.Add(epoch);

    public void Finished(EpochFigures kept)
    {
        if (epochs.All(epoch => epoch.Iteration != kept.Iteration))
            epochs.Add(kept);
    }

    private void AddMean()
    {
        if (count > 0)
            losses.Add(new(last - ((count - 1) / 2.0), sum / count));
        (sum, count) = (0, 0);
    }

    public byte[] ToSvg(string title)
    {
        AddMean();
        var plot = Picture.Create($"Training of {title}");
        plot.Axes.Add(
            new LinearAxis
            {
                Position = AxisPosition.Bottom,
                Title = "iteration",
                Minimum = 0,
                Maximum = last,
                StringFormat = "#,0",
                AxisTitleDistance = 10,
            }
        );
        var highest = Highest();
        plot.Axes.Add(Picture.Vertical(LossAxis, "cross entropy (nats)", highest, 0.54, 1));
        plot.Axes.Add(Picture.Vertical(AccuracyAxis, "accuracy (share right)", 1, 0, 0.46));
        Add(plot, LossAxis, highest * 0.94, $"mini-batches, means of {width}", Grey, losses);
        Add(plot, LossAxis, highest * 0.86, "training set", Blue, From(e => e.Train.Loss));
        Add(plot, LossAxis, highest * 0.78, "test set", Orange, From(e => e.Test.Loss));
        if (epochs.Any(epoch => epoch.Validation is not null))
        {
            Add(
                plot,
                LossAxis,
                highest * 0.7,
                "validation samples",
                Green,
                From(e => e.Validation?.Loss ?? double.NaN)
            );
            Add(
                plot,
                AccuracyAxis,
                0.22,
                "validation samples",
                Green,
                From(e => e.Validation?.Accuracy ?? double.NaN)
            );
        }
        Add(plot, AccuracyAxis, 0.14, "training set", Blue, From(e => e.Train.Accuracy));
        Add(plot, AccuracyAxis, 0.06, "test set", Orange, From(e => e.Test.Accuracy));
        return Picture.ToSvg(plot, 900, 700);
    }

    private IEnumerable<DataPoint> From(Func<EpochFigures, double> figure) =>
        epochs.Select(epoch => new DataPoint(epoch.Iteration, figure(epoch)));

    /// <summary>A little above the greatest finite loss.</summary>
    private double Highest() =>
        1.05
        * losses
            .Select(point => point.Y)
            .Concat(epochs.Select(epoch => epoch.Train.Loss))
            .Where(double.IsFinite)
            .DefaultIfEmpty(1)
            .Max();

    /// <summary>A line, and its name in its colour at the right edge at that height. (A legend is cut
    /// off where the reader's font is wider than the one it was measured with.)</summary>
    private void Add(
        PlotModel plot,
        string axis,
        double height,
        string name,
        OxyColor color,
        IEnumerable<DataPoint> points
    )
    {
        if (!Picture.Add(plot, axis, color, points))
            return;
        plot.Annotations.Add(
            new TextAnnotation
            {
                YAxisKey = axis,
                Text = name,
                TextPosition = new(last * 0.985, height),
                TextHorizontalAlignment = HorizontalAlignment.Right,
                TextVerticalAlignment = VerticalAlignment.Middle,
                TextColor = color,
                Stroke = OxyColors.Undefined,
            }
        );
    }
}
