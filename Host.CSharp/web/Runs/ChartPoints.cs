using Pipeline.Pictures;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The numbers of a picture, for a script that shows those under the pointer.</summary>
internal static class ChartPoints
{
    /// <summary>The charts as JSON: where each has its points, its axes, and its lines.</summary>
    /// <param name="charts">The charts.</param>
    /// <param name="areas">Where they are in the picture.</param>
    /// <param name="width">The picture's width.</param>
    public static byte[] Of(
        IReadOnlyList<Chart> charts,
        IReadOnlyList<PlotArea> areas,
        int width
    ) =>
        JsonText.LineOf(
            new
            {
                Width = width,
                Charts = charts.Zip(
                    areas,
                    (chart, area) =>
                        new
                        {
                            area.Left,
                            area.Top,
                            Right = area.Left + area.Width,
                            Bottom = area.Top + area.Height,
                            From = area.X.Item1,
                            To = area.X.Item2,
                            Axis = chart.X.Title,
                            Lines = chart.Marks.Select(LineOf).Where(line => line is not null),
                        }
                ),
            }
        );

    private static object? LineOf(Mark mark) =>
        mark switch
        {
            Mark.Line line => Line(line.name, line.points),
            Mark.Faint faint => Line(faint.name, faint.points),
            _ => null,
        };

    /// <summary>A line as its name, its places and its values; null for values that are not finite.</summary>
    private static object Line(string name, IEnumerable<(double X, double Y)> points) =>
        new
        {
            Name = name,
            X = points.Select(point => point.X),
            Y = points.Select(point => point.Y),
        };
}
