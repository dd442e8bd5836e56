using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Pipeline.Training;

/// <summary>What all pictures have in common.</summary>
internal static class Picture
{
    public static PlotModel Create(string title) =>
        new()
        {
            Title = title,
            TitleFontSize = 16,
            DefaultFont = "sans-serif",
            Background = OxyColors.White,
            PlotAreaBorderColor = OxyColors.Gray,
            Padding = new(12),
        };

    /// <summary>An axis from 0 up, along a share of the picture's height.</summary>
    public static LinearAxis Vertical(
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

    /// <summary>Adds a line through the points that are finite.</summary>
    /// <returns>Whether there were any.</returns>
    public static bool Add(
        PlotModel plot,
        string axis,
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
            return false;
        // A line of few points shows them.
        line.MarkerType = line.Points.Count < 50 ? MarkerType.Circle : MarkerType.None;
        line.MarkerSize = 2.5;
        plot.Series.Add(line);
        return true;
    }

    public static byte[] ToSvg(PlotModel plot, double width, double height) =>
        Encoding.UTF8.GetBytes(Exporter(width, height, isDocument: true).ExportToString(plot));

    /// <summary>As an element of a page. Names inside begin with the picture's own: those of two pictures
    /// on one page must differ.</summary>
    public static string ToInlineSvg(PlotModel plot, string name, double width, double height) =>
        Exporter(width, height, isDocument: false)
            .ExportToString(plot)
            .Replace("id=\"clipPath", $"id=\"{name}", StringComparison.Ordinal)
            .Replace("#clipPath", $"#{name}", StringComparison.Ordinal)
            .Replace(
                "<svg ",
                FormattableString.Invariant($"<svg viewBox=\"0 0 {width} {height}\" "),
                StringComparison.Ordinal
            );

    private static SvgExporter Exporter(double width, double height, bool isDocument) =>
        new()
        {
            Width = width,
            Height = height,
            IsDocument = isDocument,
            UseVerticalTextAlignmentWorkaround = true,
        };
}
