namespace Pipeline.Learning

open System

/// <summary>Whether a new model replaces the one in use.</summary>
[<RequireQualifiedAccess>]
module Promotion =
    /// <summary>Whether a model can be used: its loss is finite.</summary>
    /// <param name="candidate">The new model's score.</param>
    [<CompiledName("IsUsable")>]
    let isUsable (candidate: Score) : bool = Double.IsFinite candidate.Loss

    /// <summary>Whether the candidate can be used and is not worse than the model in use by more than a margin, in
    /// accuracy or, for numbers to predict, in relative loss.</summary>
    /// <param name="margin">The margin, a fraction of the samples or of the loss, 0 or greater.</param>
    /// <param name="current">The score of the model in use on the same samples.</param>
    /// <param name="candidate">The new model's score.</param>
    [<CompiledName("ShouldReplace")>]
    let shouldReplace (margin: float) (current: Score) (candidate: Score) : bool =
        isUsable candidate
        && (if Double.IsNaN current.Accuracy then
                // Any model replaces one whose loss is not a number.
                not (candidate.Loss > (1.0 + margin) * current.Loss)
            else
                candidate.Accuracy >= current.Accuracy - margin)
