using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>One step. Its loss is that of its mini-batch before the update; seconds count training
/// only.</summary>
internal readonly record struct StepFigures(
    long Iteration,
    long Epoch,
    int Samples,
    double Loss,
    double LearningRate,
    double Seconds
);

/// <summary>The network's scores after a number of whole epochs; seconds count training only.</summary>
internal sealed record EpochFigures(
    long Epoch,
    long Iteration,
    Score Train,
    Score Test,
    Score? Validation,
    double Seconds
);

/// <summary>Receives the events of a run.</summary>
internal interface IRunObserver
{
    /// <summary>A step is done.</summary>
    void Stepped(in StepFigures step) { }

    /// <summary>The network has been evaluated: after an epoch, or before the first step.</summary>
    void Evaluated(EpochFigures epoch) { }

    /// <summary>The network at an evaluation. It is not to be kept: its memory is used again.</summary>
    void Reached<T>(long iteration, Network<T> network)
        where T : struct, IBinaryFloatingPointIeee754<T> { }

    /// <summary>A checkpoint is about to be saved that covers all events so far.</summary>
    void Saving() { }

    /// <summary>The run is done or has diverged, and keeps the network with these figures.</summary>
    void Finished(EpochFigures kept) { }
}
