namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// <summary>The expected outputs of some samples.</summary>
[<RequireQualifiedAccess>]
type Targets<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> =
    /// One class a sample, counted from 0.
    | Labels of int[]
    /// One column a sample: numbers to predict, or a probability for each class (one-hot if one is
    /// certain).
    | Columns of Matrix<'T>

/// Making and selecting targets.
[<RequireQualifiedAccess>]
module Targets =
    /// <summary>The number of samples.</summary>
    [<CompiledName("Count")>]
    let count (targets: Targets<'T>) : int =
        match targets with
        | Targets.Labels labels -> labels.Length
        | Targets.Columns columns -> columns.ColumnCount

    /// The row of each column's greatest element; the first of equals.
    let internal argMax (columns: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        let values = Kernels.values columns
        let rows = columns.RowCount

        Array.init columns.ColumnCount (fun s ->
            let mutable best = 0

            for k in 1 .. rows - 1 do
                if 'T.op_GreaterThan (values[s * rows + k], values[s * rows + best]) then
                    best <- k

            best)

    /// The targets of the samples at those indices, in that order.
    let internal take (indices: int[]) (targets: Targets<'T>) : Targets<'T> =
        match targets with
        | Targets.Labels labels -> Targets.Labels(indices |> Array.map (fun index -> labels[index]))
        | Targets.Columns columns ->
            let rows = columns.RowCount
            let source = Kernels.values columns
            let values = Array.zeroCreate (rows * indices.Length)

            for s in 0 .. indices.Length - 1 do
                Array.blit source (indices[s] * rows) values (s * rows) rows

            Targets.Columns(Kernels.matrix rows indices.Length values)

    let private requireLabels (classes: int) (labels: int[]) : unit =
        for label in labels do
            if label < 0 || label >= classes then
                invalidArg
                    (nameof labels)
                    (invariant $"expected labels of 0 to {classes - 1}, found {label}")

    /// <summary>Labels as one-hot columns: 1 at the label's row, 0 elsewhere.</summary>
    /// <param name="classes">The number of rows, greater than every label.</param>
    /// <param name="labels">Labels from 0.</param>
    /// <returns>(classes, number of labels).</returns>
    /// <exception cref="T:System.ArgumentException">A label is not a class.</exception>
    [<CompiledName("OneHot")>]
    let oneHot
        (classes: int)
        (labels: int[])
        : Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        requireLabels classes labels
        let values: 'T[] = Array.zeroCreate (classes * labels.Length)
        labels |> Array.iteri (fun s label -> values[s * classes + label] <- 'T.One)

        Kernels.matrix classes labels.Length values

    /// <summary>The targets as columns. Labels become one-hot; if there is one row only, they become the
    /// numbers 0, 1, ….</summary>
    /// <param name="classes">The number of rows.</param>
    /// <param name="targets">Labels or columns.</param>
    /// <exception cref="T:System.ArgumentException">A label is not a class.</exception>
    [<CompiledName("Columns")>]
    let columns
        (classes: int)
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        match targets with
        | Targets.Labels labels when classes = 1 ->
            labels
            |> Array.map (fun label -> 'T.CreateTruncating label)
            |> Kernels.matrix 1 labels.Length
        | Targets.Labels labels -> oneHot classes labels
        | Targets.Columns columns -> columns

    /// <summary>Label smoothing: (1 − ε)t + ε·(Σₖ tₖ)/K of K classes, sample by sample.</summary>
    /// <param name="epsilon">ε, 0 to 1: the fraction of every target that is distributed evenly.</param>
    /// <param name="classes">K.</param>
    /// <param name="targets">t: n labels (made one-hot; of a single class, the labels themselves), or
    /// columns (K, n).</param>
    /// <returns>Columns (K, n) with the sums of t's columns.</returns>
    /// <exception cref="T:System.ArgumentException">ε is out of range, or a label is not a class (of a
    /// single class, any label is a target).</exception>
    /// <remarks>Source: Szegedy et al., Rethinking the Inception architecture, 2016, where Σₖ tₖ = 1 and
    /// each class gets ε/K.</remarks>
    [<CompiledName("Smooth")>]
    let smooth
        (epsilon: float)
        (classes: int)
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Targets<'T> =
        NumberRange.require (nameof epsilon) (NumberRange.between 0.0 1.0) epsilon

        let columns = columns classes targets
        let kept, shared = 'T.CreateTruncating(1.0 - epsilon), 'T.CreateTruncating epsilon
        let masses = Kernels.columnSums columns

        let each =
            masses |> Array.map (fun mass -> mass * shared / 'T.CreateTruncating classes)

        Kernels.values columns
        |> Array.mapi (fun i t -> kept * t + each[i / classes])
        |> Kernels.matrix classes columns.ColumnCount
        |> Targets.Columns

    /// Refuses logits whose shape does not fit the targets.
    let internal requireFit (logits: Matrix<'T>) (targets: Targets<'T>) : unit =
        match targets with
        | Targets.Labels labels ->
            requireLabels logits.RowCount labels

            if labels.Length <> logits.ColumnCount then
                invalidArg
                    (nameof logits)
                    (invariant
                        $"expected as many columns as the {labels.Length} labels, found {Kernels.shape logits}")
        | Targets.Columns columns -> Kernels.requireSameShape (nameof logits) columns logits
