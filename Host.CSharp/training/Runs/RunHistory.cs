using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The evaluations of a run so far.</summary>
internal sealed class RunHistory : IRunObserver
{
    /// <summary>The losses after each epoch: on the training samples, and on the validation samples or, if
    /// there are none, the test samples.</summary>
    public List<EpochLosses> Losses { get; } = [];

    /// <summary>The evaluation with the best test accuracy; for predicted numbers, with the lowest test
    /// loss.</summary>
    public EpochFigures? Best { get; private set; }

    public void Evaluated(EpochFigures epoch)
    {
        Finished(epoch);
        Losses.Add(new(epoch.Epoch, epoch.Train.Loss, (epoch.Validation ?? epoch.Test).Loss));
    }

    public void Finished(EpochFigures kept)
    {
        var isBetter =
            Best is null
            || (
                double.IsNaN(kept.Test.Accuracy)
                    ? kept.Test.Loss < Best.Test.Loss
                    : kept.Test.Accuracy > Best.Test.Accuracy
            );
        if (isBetter)
            Best = kept;
    }
}
