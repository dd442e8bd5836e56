using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary>The picture of a run over its iterations: the loss above, accuracy below (for classes). The
/// losses of mini-batches are averaged to about 500 points; iterations that are not logged are left
/// out.</summary>
internal sealed class Curves(Head head, long iterations) : IRunObserver
{
    private readonly long width = Math.Max(1, iterations / 500);
    private readonly List<(double, double)> losses = [];
    private readonly List<EpochFigures> epochs = [];
    private double sum;
    private long count;
    private long first;
    private long last = 1;

    public void Stepped(in StepFigures step)
    {
        // Iterations count from 1.
        if ((step.Iteration - 1) / width != (last - 1) / width)
            AddMean();
        if (count == 0)
            first = step.Iteration;
        last = step.Iteration;
        sum += step.Loss;
        count++;
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
            losses.Add(new((first + last) / 2.0, sum / count));
        (sum, count) = (0, 0);
    }

    public byte[] ToSvg(string title)
    {
        AddMean();
        var iteration = Axis.Linear("iteration").Within(0, last);
        Chart[] charts =
        [
            new(
                $"Training of {title}: loss",
                iteration,
                Axis.Linear(Heads.LossName(head)).Within(0, Highest()),
                [
                    Mark.NewFaint($"mini-batches, means of {width}", losses),
                    .. Lines(figures => figures.Loss),
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
                        [.. Lines(figures => figures.Accuracy)]
                    ),
                ],
        ];
        return Encoding.UTF8.GetBytes(Picture.ToSvg("curves", 900, 350, [.. charts]));
    }

    /// <summary>A figure of the training set, of the test set and of the validation samples, if there are
    /// any.</summary>
    private IEnumerable<Mark> Lines(Func<Score, double> figure)
    {
        yield return Line("training set", epoch => figure(epoch.Train));
        yield return Line("test set", epoch => figure(epoch.Test));
        if (epochs.Any(epoch => epoch.Validation is not null))
            yield return Line(
                "validation samples",
                epoch => epoch.Validation is { } score ? figure(score) : double.NaN
            );
    }

    private Mark Line(string name, Func<EpochFigures, double> figure) =>
        Mark.NewLine(name, epochs.Select(epoch => ((double)epoch.Iteration, figure(epoch))));

    /// <summary>A little above the largest finite loss.</summary>
    private double Highest() =>
        1.05
        * losses
            .Select(point => point.Item2)
            .Concat(epochs.Select(epoch => epoch.Train.Loss))
            .Where(double.IsFinite)
            .DefaultIfEmpty(1)
            .Max();
}
