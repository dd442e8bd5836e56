using System.Text;
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
        var plot = new PlotModel
        {
            Title = $"Training of {title}",
            TitleFontSize = 16,
            DefaultFont = "sans-serif",
            Background = OxyColors.White,
            PlotAreaBorderColor = OxyColors.Gray,
            Padding = new(12),
        };
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
        plot.Axes.Add(Vertical(LossAxis, "cross entropy (nats)", highest, 0.54, 1));
        plot.Axes.Add(Vertical(AccuracyAxis, "accuracy (share right)", 1, 0, 0.46));
        Add(plot, LossAxis, highest * 0.94, $"mini-batches, means of {width}", Grey, losses);
        Add(plot, LossAxis, highest * 0.86, "training set", Blue, From(e => e.Train.Loss));
        Add(plot, LossAxis, highest * 0.78, "test set", Orange, From(e => e.Test.Loss));
        Add(plot, AccuracyAxis, 0.14, "training set", Blue, From(e => e.Train.Accuracy));
        Add(plot, AccuracyAxis, 0.06, "test set", Orange, From(e => e.Test.Accuracy));
        return Encoding.UTF8.GetBytes(
            new SvgExporter
            {
                Width = 900,
                Height = 700,
                UseVerticalTextAlignmentWorkaround = true,
            }.ExportToString(plot)
        );
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

    private static LinearAxis Vertical(
        string key,
        string title,
        double maximum,
        double start,
        double end
    ) =>
        new()
        {
            Key = key,
            Position = AxisPosition.Left,
            Title = title,
            Minimum = 0,
            Maximum = maximum,
            StartPosition = start,
            EndPosition = end,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.WhiteSmoke,
            AxisTitleDistance = 20,
        };

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
        var line = new LineSeries
        {
            YAxisKey = axis,
            Color = color,
            StrokeThickness = 1.5,
        };
        line.Points.AddRange(points.Where(point => double.IsFinite(point.Y)));
        if (line.Points.Count == 0)
            return;
        // A line of few points shows them.
        line.MarkerType = line.Points.Count < 50 ? MarkerType.Circle : MarkerType.None;
        line.MarkerSize = 2.5;
        plot.Series.Add(line);
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
