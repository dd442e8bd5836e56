namespace Pipeline.Learning

open System

/// <summary>Whether a new model takes the place of the one in use.</summary>
[<RequireQualifiedAccess>]
module Publication =
    /// <summary>Whether a model is good enough to be used at all: its loss is finite.</summary>
    /// <param name="candidate">How well the new model does.</param>
    [<CompiledName("IsSound")>]
    let isSound (candidate: Score) : bool = Double.IsFinite candidate.Loss

    /// <summary>Whether a sound model's accuracy is not below another's by more than a
    /// margin.</summary>
    /// <param name="margin">The margin, a share of samples, 0 or greater.</param>
    /// <param name="used">How well the model in use does on the same samples.</param>
    /// <param name="candidate">How well the new model does.</param>
    [<CompiledName("IsNoWorse")>]
    let isNoWorse (margin: float) (used: Score) (candidate: Score) : bool =
        isSound candidate && candidate.Accuracy >= used.Accuracy - margin
