namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra

/// Which hidden units a step of training leaves out: a function of the run's seed and the iteration.
type Dropout = {
    /// The share that is left out, 0 or greater and less than 1, in parts of 1/65,536.
    Share: float
    /// The run's seed.
    Seed: uint64
    /// The iteration, from 0.
    Iteration: int64
}

/// x·y.
[<Struct>]
type internal MultiplyOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V) = 'L.Multiply(x, y)

/// <summary>Leaving out hidden units in training. Those that stay count for more, so that the mean is
/// as without.</summary>
/// <remarks>Source: Srivastava et al., Dropout, JMLR 15 (2014), in PyTorch's form: units that stay are
/// multiplied by 1 / (1 − share), and evaluation is as without.</remarks>
[<RequireQualifiedAccess>]
module internal Dropout =
    /// Draws of 16 bits in a block of Philox.
    let private draws = 8

    /// What the outputs of a hidden layer are multiplied by: 0 or 1 / (1 − share), element by element.
    let mask
        (layer: int)
        (length: int)
        (dropout: Dropout)
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let threshold = int (Math.Round(dropout.Share * 65536.0))
        let kept = 'T.CreateTruncating(65536.0 / float (65536 - threshold))
        let values = ArrayReuse<'T>.Rent length
        let blocks = (length + draws - 1) / draws
        let blocksOf = 1024

        ThreadTeam.run (int64 length * 16L) ((blocks + blocksOf - 1) / blocksOf) (fun part ->
            for block in part * blocksOf .. min blocks ((part + 1) * blocksOf) - 1 do
                let struct (x0, x1, x2, x3) =
                    Random.block128 dropout.Seed Stream.Dropout layer dropout.Iteration block

                let mutable low = (uint64 x1 <<< 32) ||| uint64 x0
                let mutable high = (uint64 x3 <<< 32) ||| uint64 x2
                let first = block * draws

                for i in 0 .. min draws (length - first) - 1 do
                    let draw = int (low &&& 0xFFFFUL)
                    values[first + i] <- if draw < threshold then 'T.Zero else kept
                    low <- (low >>> 16) ||| (high <<< 48)
                    high <- high >>> 16)

        values

    /// Every element times the mask's.
    let apply
        (mask: 'T[])
        (matrix: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        let result = Kernels.newArray matrix.RowCount matrix.ColumnCount
        Kernels.map2Into result (MultiplyOp<'T>()) (Kernels.values matrix) mask
        Kernels.matrix matrix.RowCount matrix.ColumnCount result

    /// The same of a matrix just made, which becomes the result.
    let become
        (mask: 'T[])
        (matrix: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        let values = Kernels.values matrix
        Kernels.map2Into values (MultiplyOp<'T>()) values mask
        matrix
