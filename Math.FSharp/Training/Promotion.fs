namespace Pipeline.Learning

open System

/// <summary>Whether a new model takes the place of the one in use.</summary>
[<RequireQualifiedAccess>]
module Promotion =
    /// <summary>Whether a model is good enough to be used at all: its loss is finite.</summary>
    /// <param name="candidate">How well the new model does.</param>
    [<CompiledName("IsSound")>]
    let isSound (candidate: Score) : bool = Double.IsFinite candidate.Loss

    /// <summary>Whether a sound model's accuracy is not below another's by more than a margin; where
    /// numbers are predicted, which have no accuracy, whether its loss is not above the other's by more
    /// than that share of it.</summary>
    /// <param name="margin">The margin, a share of samples or of the loss, 0 or greater.</param>
    /// <param name="used">How well the model in use does on the same samples.</param>
    /// <param name="candidate">How well the new model does.</param>
    [<CompiledName("IsNoWorse")>]
    let isNoWorse (margin: float) (used: Score) (candidate: Score) : bool =
        isSound candidate
        && (if Double.IsNaN used.Accuracy then
                // One in use that fails on these samples gives way to any.
                not (candidate.Loss > (1.0 + margin) * used.Loss)
            else
                candidate.Accuracy >= used.Accuracy - margin)
