namespace Pipeline.Learning

open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// <summary>Softmax and its derivative.</summary>
/// <remarks>No exponential overflows. Source: Deep Learning from Scratch, ch. 3.</remarks>
[<RequireQualifiedAccess>]
module Softmax =
    /// Softmax of every column, the greatest element z of the column and Σⱼ e^(zⱼ − z).
    let internal parts
        (logits: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : struct (Matrix<'T> * 'T[] * 'T[]) =
        let probabilities = Kernels.newArray logits.RowCount logits.ColumnCount
        let greatest = Array.zeroCreate logits.ColumnCount
        let sums = Array.zeroCreate logits.ColumnCount

        Simd.run logits.ColumnCount {
            Logits = Kernels.values logits
            Rows = logits.RowCount
            Shares = probabilities
            Greatest = greatest
            Sums = sums
        }

        struct (Kernels.matrix logits.RowCount logits.ColumnCount probabilities, greatest, sums)

    /// <summary>Softmax of every column: yₖ = e^(zₖ) / Σⱼ e^(zⱼ), with the column's greatest element
    /// subtracted first.</summary>
    /// <param name="logits">z: (classes, batch).</param>
    /// <returns>y: (classes, batch); every column sums to 1.</returns>
    [<CompiledName("Apply")>]
    let apply (logits: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : Matrix<'T> =
        let struct (probabilities, _, _) = parts logits
        probabilities

    /// <summary>The chain rule through softmax: ∂L/∂zₖ = yₖ(gₖ − Σⱼ gⱼyⱼ), column by column.</summary>
    /// <param name="output">y = softmax(z): (classes, batch).</param>
    /// <param name="upstream">g = ∂L/∂y: (classes, batch).</param>
    /// <returns>∂L/∂z: (classes, batch).</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    let internal backward
        (output: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (upstream: Matrix<'T>)
        : Matrix<'T> =
        Kernels.requireSameShape (nameof upstream) output upstream
        let y, g = Kernels.values output, Kernels.values upstream
        let rows = output.RowCount
        let products = Array.map2 (fun y g -> y * g) y g
        let weighted = Kernels.columnSums (Kernels.matrix rows output.ColumnCount products)

        Array.init y.Length (fun i -> y[i] * (g[i] - weighted[i / rows]))
        |> Kernels.matrix rows output.ColumnCount
