using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary>The picture of a sweep: the loss over the learning rate.</summary>
internal static class RatesPicture
{
    public static byte[] ToSvg(string title, Head head, RateSweep sweep)
    {
        var steps = sweep.Steps;
        var first = steps.IsEmpty ? 1 : steps.First().Smoothed;
        var chart = new Chart(
            $"Learning rates of {title}",
            Axis.Logarithmic("learning rate"),
            Axis.Linear(Heads.LossName(head)).Within(0, 2 * first),
            [
                Mark.NewFaint("loss", steps.Select(s => (s.Rate, s.Loss))),
                Mark.NewLine("mean of its neighbours", steps.Select(s => (s.Rate, s.Smoothed))),
                .. sweep.Suggested.IsValueSome
                    ?
                    [
                        Mark.NewVertical(
                            FormattableString.Invariant($"suggested: {sweep.Suggested.Value:G2}"),
                            sweep.Suggested.Value
                        ),
                    ]
                    : Array.Empty<Mark>(),
            ]
        );
        return Encoding.UTF8.GetBytes(Picture.ToSvg("rates", 900, 500, [chart]));
    }
}
