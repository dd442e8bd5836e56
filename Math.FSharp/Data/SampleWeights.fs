namespace Pipeline.Learning

open System

/// Checks of how much samples count.
[<RequireQualifiedAccess>]
module internal SampleWeights =
    /// Refuses weights that do not fit a number of samples.
    let require (samples: int) (weights: float[]) : unit =
        if weights.Length <> samples then
            invalidArg
                (nameof weights)
                (invariant $"expected {samples} weights, one a sample, found {weights.Length}")

        for weight in weights do
            if not (Double.IsFinite weight && weight >= 0.0) then
                invalidArg
                    (nameof weights)
                    $"expected finite weights of 0 or greater, found {string weight}"
