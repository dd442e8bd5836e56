namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// Mean and variance of the sums of every unit of a layer.
type Moments<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// μ, one a unit.
    Mean: Vector<'T>
    /// σ², one a unit.
    Variance: Vector<'T>
}

/// What a normalised layer leaves for the way back.
type internal Standardised<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// û = (u − μ) / √(σ² + ε), of the sums u.
    Values: Matrix<'T>
    /// 1 / √(σ² + ε) of every unit.
    Scales: 'T[]
    /// μ and σ².
    Moments: Moments<'T>
    /// Whether they are the mini-batch's own, and so change with its sums.
    IsOwn: bool
}

/// <summary>Sums of a layer normalised over the mini-batch: z = γ·(u − μ) / √(σ² + ε) + b.</summary>
/// <remarks>Source: Ioffe and Szegedy, Batch normalization, 2015; ε = 10⁻⁵ and the share of 0.1 by which
/// running moments follow are PyTorch's.</remarks>
[<RequireQualifiedAccess>]
module internal Normalisation =
    let private epsilon = 1e-5

    /// How much a mini-batch's moments count in the running ones.
    let private share = 0.1

    /// Every row's sum over a batch, in sample order, divided by the number of samples.
    let private means (matrix: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : 'T[] =
        let count = 'T.CreateTruncating matrix.ColumnCount

        Kernels.elements (Kernels.biasGradient matrix)
        |> Array.map (fun sum -> sum / count)

    /// What the function makes of every element of two matrices, told its row.
    let private mapRows
        (f: int -> 'T -> 'T -> 'T)
        (one: Matrix<'T>)
        (other: Matrix<'T>)
        : Matrix<'T> =
        let rows, columns = one.RowCount, one.ColumnCount
        let x, y = Kernels.values one, Kernels.values other
        let result = Kernels.newArray rows columns
        let f = OptimizedClosures.FSharpFunc<_, _, _, _>.Adapt f

        ThreadTeam.run (int64 result.Length * 4L) columns (fun s ->
            for row in 0 .. rows - 1 do
                let i = s * rows + row
                result[i] <- f.Invoke(row, x[i], y[i]))

        Kernels.matrix rows columns result

    /// A layer's moments before the first mini-batch.
    let start (units: int) : Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T> = {
        Mean = Kernels.vector (Array.zeroCreate units)
        Variance = Kernels.vector (Array.create units 'T.One)
    }

    /// The moments of a mini-batch's sums.
    let moments (sums: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : Moments<'T> =
        let mean = means sums

        let squares =
            mapRows
                (fun row u _ ->
                    let difference = u - mean[row]
                    difference * difference)
                sums
                sums

        let variance = means squares
        ArrayReuse.Return(Kernels.values squares)

        {
            Mean = Kernels.vector mean
            Variance = Kernels.vector variance
        }

    /// The running moments once a mini-batch of so many samples is counted in, its variance as that of
    /// a sample: times n / (n − 1).
    let follow
        (count: int)
        (own: Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (running: Moments<'T>)
        : Moments<'T> =
        let rest, share = 'T.CreateTruncating(1.0 - share), 'T.CreateTruncating share
        let unbiased = 'T.CreateTruncating(float count / float (max 1 (count - 1)))

        let blend factor (old: Vector<'T>) (own: Vector<'T>) =
            Array.map2
                (fun old own -> rest * old + share * (factor * own))
                (Kernels.elements old)
                (Kernels.elements own)
            |> Kernels.vector

        {
            Mean = blend 'T.One running.Mean own.Mean
            Variance = blend unbiased running.Variance own.Variance
        }

    /// 1 / √(σ² + ε).
    let private scales (moments: Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : 'T[] =
        Kernels.elements moments.Variance
        |> Array.map (fun variance -> 'T.One / 'T.Sqrt(variance + 'T.CreateTruncating epsilon))

    /// û of the sums.
    let standardise
        (isOwn: bool)
        (moments: Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (sums: Matrix<'T>)
        : Standardised<'T> =
        let mean, scales = Kernels.elements moments.Mean, scales moments

        {
            Values = mapRows (fun row u _ -> (u - mean[row]) * scales[row]) sums sums
            Scales = scales
            Moments = moments
            IsOwn = isOwn
        }

    /// γ·û + b.
    let apply
        (gain: Vector<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (biases: Vector<'T>)
        (standardised: Standardised<'T>)
        : Matrix<'T> =
        let gain, biases = Kernels.elements gain, Kernels.elements biases

        mapRows
            (fun row u _ -> 'T.FusedMultiplyAdd(gain[row], u, biases[row]))
            standardised.Values
            standardised.Values

    /// The gradient in γ, and in the sums u: γ/√(σ² + ε)·g, and where the moments are the batch's own,
    /// g less its mean and less û times the mean of g·û.
    let back
        (gain: Vector<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (standardised: Standardised<'T>)
        (upstream: Matrix<'T>)
        : struct (Vector<'T> * Matrix<'T>) =
        let gain, scales = Kernels.elements gain, standardised.Scales
        let products = mapRows (fun _ g u -> g * u) upstream standardised.Values
        let gainGradient = Kernels.biasGradient products

        let inner =
            if standardised.IsOwn then
                let ofGradient, ofProducts = means upstream, means products

                mapRows
                    (fun row g u ->
                        gain[row] * scales[row] * (g - ofGradient[row] - u * ofProducts[row]))
                    upstream
                    standardised.Values
            else
                mapRows (fun row g _ -> gain[row] * scales[row] * g) upstream upstream

        ArrayReuse.Return(Kernels.values products)
        struct (gainGradient, inner)

    /// Weights and biases that give without normalisation what these give with fixed moments.
    let fold
        (moments: Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (gain: Vector<'T>)
        (weights: Matrix<'T>)
        (biases: Vector<'T>)
        : struct (Matrix<'T> * Vector<'T>) =
        let mean, gain = Kernels.elements moments.Mean, Kernels.elements gain
        let factors = Array.map2 (fun gain scale -> gain * scale) gain (scales moments)

        struct (mapRows (fun row w _ -> factors[row] * w) weights weights,
                Kernels.elements biases
                |> Array.mapi (fun row b -> 'T.FusedMultiplyAdd(-factors[row], mean[row], b))
                |> Kernels.vector)
