namespace Pipeline.Learning

open System.Numerics
open Pipeline.Learning.Arithmetic

/// Layer normalisation of the numbers of one sample, which begin at `first`.
[<RequireQualifiedAccess>]
module internal LayerNormalisationLoops =
    /// ε.
    [<Literal>]
    let Epsilon = 1e-5

    /// Writes û = (x − μ) / √(σ² + ε) and returns 1 / √(σ² + ε).
    let standardise
        (first: int)
        (count: int)
        (x: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (result: 'T[])
        : 'T =
        let size = 'T.CreateTruncating count
        let mutable sum = 'T.Zero

        for i in first .. first + count - 1 do
            sum <- sum + x[i]

        let mean = sum / size
        let mutable squares = 'T.Zero

        for i in first .. first + count - 1 do
            let difference = x[i] - mean
            squares <- 'T.FusedMultiplyAdd(difference, difference, squares)

        let scale = 'T.One / 'T.Sqrt(squares / size + 'T.CreateTruncating Epsilon)

        for i in first .. first + count - 1 do
            result[i] <- (x[i] - mean) * scale

        scale

    /// z = γ·û + β.
    let scaleAndShift
        (first: int)
        (gain: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (shift: 'T[])
        (standardised: 'T[])
        (result: 'T[])
        : unit =
        for i in 0 .. gain.Length - 1 do
            result[first + i] <- 'T.FusedMultiplyAdd(gain[i], standardised[first + i], shift[i])

    /// Turns the gradient in the output into that in the input: with h = γ∘g,
    /// (h − mean h − û·mean(h·û)) / √(σ² + ε).
    let inputGradient
        (first: int)
        (scale: 'T :> IBinaryFloatingPointIeee754<'T>)
        (gain: 'T[])
        (standardised: 'T[])
        (gradient: 'T[])
        : unit =
        let size = 'T.CreateTruncating gain.Length
        let mutable sum = 'T.Zero
        let mutable products = 'T.Zero

        for i in 0 .. gain.Length - 1 do
            let h = gain[i] * gradient[first + i]
            sum <- sum + h
            products <- 'T.FusedMultiplyAdd(h, standardised[first + i], products)

        let mean, product = sum / size, products / size

        for i in 0 .. gain.Length - 1 do
            let h = gain[i] * gradient[first + i]
            gradient[first + i] <- scale * (h - mean - standardised[first + i] * product)
