using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary>The picture of a run over its iterations: the loss above, accuracy below (for classes). The
/// losses of mini-batches are averaged to between 500 and 1,000 points; iterations that are not logged are left
/// out.</summary>
internal sealed class Curves(Head head) : IRunObserver
{
    /// <summary>The size of the picture, in pixels; the height is that of each chart.</summary>
    public const int Width = 900;
    public const int Height = 350;

    private readonly LossMeans losses = new();
    private readonly List<EpochFigures> epochs = [];

    public void Stepped(in StepFigures step) => losses.Add(step.Iteration, step.Loss);

    public void Evaluated(EpochFigures epoch) => epochs.Add(epoch);

    public void Finished(EpochFigures kept)
    {
        if (epochs.All(epoch => epoch.Iteration != kept.Iteration))
            epochs.Add(kept);
    }

    public byte[] ToSvg(string title) =>
        Encoding.UTF8.GetBytes(Picture.ToSvg("curves", Width, Height, [.. Charts(title)]));

    /// <summary>The charts of the picture.</summary>
    public IReadOnlyList<Chart> Charts(string title)
    {
        EpochFigures[] drawn = [.. EvenlySpaced.Of(epochs)];
        var iteration = Axis.Linear("iteration").Within(0, Math.Max(1, losses.Last));
        return
        [
            new(
                $"Training of {title}: loss",
                iteration,
                Axis.Linear(Heads.LossName(head)).Within(0, Highest()),
                [
                    Mark.NewFaint(
                        losses.Width == 1
                            ? "mini-batches"
                            : $"mini-batches, means of {losses.Width}",
                        losses.Points
                    ),
                    .. Lines(drawn, figures => figures.Loss),
                ]
            ),
            .. epochs.All(epoch => double.IsNaN(epoch.Train.Accuracy))
                ? Array.Empty<Chart>()
                :
                [
                    new(
                        "Accuracy",
                        iteration,
                        Axis.Linear("accuracy (share right)").Within(0, 1),
                        [.. Lines(drawn, figures => figures.Accuracy)]
                    ),
                ],
        ];
    }

    /// <summary>A figure of the training set, of the test set and of the validation samples, if there are
    /// any.</summary>
    private static IEnumerable<Mark> Lines(EpochFigures[] epochs, Func<Score, double> figure)
    {
        yield return Line(epochs, "training set", epoch => figure(epoch.Train));
        yield return Line(epochs, "test set", epoch => figure(epoch.Test));
        if (epochs.Any(epoch => epoch.Validation is not null))
            yield return Line(
                epochs,
                "validation samples",
                epoch => epoch.Validation is { } score ? figure(score) : double.NaN
            );
    }

    private static Mark Line(
        EpochFigures[] epochs,
        string name,
        Func<EpochFigures, double> figure
    ) => Mark.NewLine(name, epochs.Select(epoch => ((double)epoch.Iteration, figure(epoch))));

    /// <summary>A little above the largest finite loss.</summary>
    private double Highest() =>
        1.05
        * losses
            .Points.Select(point => point.Loss)
            .Concat(epochs.Select(epoch => epoch.Train.Loss))
            .Where(double.IsFinite)
            .DefaultIfEmpty(1)
            .Max();
}
