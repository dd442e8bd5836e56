using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The diagrams of an evaluation.</summary>
internal static class EvaluationPictures
{
    public static readonly (string Name, OxyColor Color)[] Bars =
    [
        ("precision", OxyColors.SteelBlue),
        ("recall", OxyColors.Chocolate),
        ("F1", OxyColors.SeaGreen),
    ];

    /// <summary>Precision, recall and F1 of some classes.</summary>
    public static string Classes(EvaluationReport report, IReadOnlyList<ClassFigures> classes)
    {
        var plot = Picture.Create("");
        // Categories run upwards: the first class is to stand on top.
        ClassFigures[] upwards = [.. classes.Reverse()];
        plot.Axes.Add(
            new CategoryAxis
            {
                Position = AxisPosition.Left,
                ItemsSource = upwards.Select(k => report.ClassName(k.Class)).ToArray(),
                GapWidth = 0.4,
                IsTickCentered = true,
                MajorTickSize = 0,
            }
        );
        plot.Axes.Add(
            new LinearAxis
            {
                Position = AxisPosition.Bottom,
                Minimum = 0,
                Maximum = 1,
                MajorStep = 0.2,
                MajorGridlineStyle = LineStyle.Solid,
                MajorGridlineColor = OxyColors.Gainsboro,
            }
        );
        foreach (var (name, color) in Bars.Reverse())
        {
            var bars = new BarSeries { FillColor = color };
            foreach (var k in upwards)
            {
                var value = name switch
                {
                    "precision" => k.Precision,
                    "recall" => k.Recall,
                    _ => k.F1,
                };
                bars.Items.Add(new BarItem(double.IsNaN(value) ? 0 : value));
            }
            plot.Series.Add(bars);
        }
        return Picture.ToInlineSvg(plot, "classes", 450, 60 + (36 * classes.Count));
    }

    /// <summary>How often answers are right over how sure the network is of them.</summary>
    public static string Reliability(IReadOnlyList<ReliabilityBin> bins)
    {
        var plot = Picture.Create("");
        plot.Axes.Add(Axis(AxisPosition.Bottom, "confidence"));
        plot.Axes.Add(Axis(AxisPosition.Left, "accuracy"));
        var bars = new RectangleBarSeries
        {
            FillColor = OxyColor.FromAColor(200, OxyColors.SteelBlue),
            StrokeColor = OxyColors.White,
            StrokeThickness = 1,
        };
        var points = new ScatterSeries
        {
            MarkerType = MarkerType.Circle,
            MarkerSize = 3.5,
            MarkerFill = OxyColors.Chocolate,
        };
        foreach (var bin in bins.Where(bin => bin.Count > 0))
        {
            bars.Items.Add(new(bin.Lower, 0, bin.Upper, bin.Accuracy));
            points.Points.Add(new(bin.Confidence, bin.Accuracy));
        }
        plot.Series.Add(bars);
        plot.Series.Add(
            new LineSeries
            {
                Color = OxyColors.Gray,
                LineStyle = LineStyle.Dash,
                StrokeThickness = 1.5,
                Points = { new(0, 0), new(1, 1) },
            }
        );
        plot.Series.Add(points);
        return Picture.ToInlineSvg(plot, "reliability", 460, 420);
    }

    private static LinearAxis Axis(AxisPosition position, string title) =>
        new()
        {
            Position = position,
            Title = title,
            Minimum = 0,
            Maximum = 1,
            MajorStep = 0.2,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.Gainsboro,
            AxisTitleDistance = 10,
        };
}
