using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Forwards the steps and epochs that are logged, and no others.</summary>
/// <param name="steps">Which steps.</param>
/// <param name="perEpoch">Iterations of an epoch. Epochs are reported at the automatic cadence.</param>
/// <param name="observers">The observers that get them.</param>
internal sealed class Thinned(Cadence steps, long perEpoch, params IRunObserver[] observers)
    : IRunObserver
{
    public void Stepped(in StepFigures step)
    {
        if (!steps.IsDue(step.Iteration))
            return;
        foreach (var observer in observers)
            observer.Stepped(step);
    }

    public void Evaluated(EpochFigures epoch)
    {
        if (!Cadence.Automatic.IsDue(epoch.Epoch))
            return;
        foreach (var observer in observers)
            observer.Evaluated(epoch);
    }

    public void Reached<T>(long iteration, Network<T> network)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (!Cadence.Automatic.IsDue(iteration / perEpoch))
            return;
        foreach (var observer in observers)
            observer.Reached(iteration, network);
    }

    public void Saving()
    {
        foreach (var observer in observers)
            observer.Saving();
    }

    public void Finished(EpochFigures kept)
    {
        foreach (var observer in observers)
            observer.Finished(kept);
    }
}
