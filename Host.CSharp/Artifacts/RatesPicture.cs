using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The picture of a sweep: the loss over the learning rate.</summary>
internal static class RatesPicture
{
    public static byte[] ToSvg(string title, RateSweep sweep)
    {
        var plot = Picture.Create(
            $"Learning rates of {title}: losses (grey) and their running mean (blue)"
        );
        plot.Axes.Add(
            new LogarithmicAxis
            {
                Position = AxisPosition.Bottom,
                Title = "learning rate",
                AxisTitleDistance = 10,
            }
        );
        var steps = sweep.Steps;
        var first = steps.IsEmpty ? 1 : steps.First().Smoothed;
        plot.Axes.Add(Picture.Vertical("loss", "cross entropy (nats)", 2 * first, 0, 1));
        Picture.Add(
            plot,
            "loss",
            OxyColors.LightGray,
            steps.Select(s => new DataPoint(s.Rate, s.Loss))
        );
        Picture.Add(
            plot,
            "loss",
            OxyColors.SteelBlue,
            steps.Select(s => new DataPoint(s.Rate, s.Smoothed))
        );
        if (sweep.Suggested.IsValueSome)
            plot.Annotations.Add(
                new OxyPlot.Annotations.LineAnnotation
                {
                    Type = OxyPlot.Annotations.LineAnnotationType.Vertical,
                    X = sweep.Suggested.Value,
                    Color = OxyColors.Chocolate,
                    Text = FormattableString.Invariant($"suggested: {sweep.Suggested.Value:G2}"),
                    YAxisKey = "loss",
                }
            );
        return Picture.ToSvg(plot, 900, 500);
    }
}
