namespace Pipeline.Learning

open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// byte / 255 for every byte.
[<AbstractClass; Sealed>]
type internal ByteScale<'T> private () =
    static let table =
        if typeof<'T> = typeof<float32> then
            Array.init 256 (fun v -> float32 v / 255.0f) |> box |> unbox<'T[]>
        else
            Array.init 256 (fun v -> float v / 255.0) |> box |> unbox<'T[]>

    static member Table: 'T[] = table

/// What enters the first layer: numbers, or the pixels of pictures that are mostly blank. Either form
/// gives the same bits: leaving out a zero changes no sum.
[<RequireQualifiedAccess>]
type internal Inputs<'T
    when 'T: struct
    and 'T :> System.ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> System.IEquatable<'T>
    and 'T :> System.IFormattable> =
    /// (inputs, batch), a sample a column.
    | Columns of Matrix<'T>
    /// Bytes, each standing for byte / 255.
    | Pairs of PairBatch

[<RequireQualifiedAccess>]
module internal Inputs =
    /// How many samples.
    let count (inputs: Inputs<'T>) : int =
        match inputs with
        | Inputs.Columns columns -> columns.ColumnCount
        | Inputs.Pairs batch -> batch.Samples.Length

    /// The samples as numbers: (inputs, batch).
    let columns (inputs: Inputs<'T>) : Matrix<'T> =
        match inputs with
        | Inputs.Columns columns -> columns
        | Inputs.Pairs batch ->
            BytePairs.dense ByteScale<'T>.Table batch
            |> Kernels.matrix batch.Source.Features batch.Samples.Length

    /// <c>Kernels.affine</c>.
    let affine (weights: Matrix<'T>) (biases: Vector<'T>) (inputs: Inputs<'T>) : Matrix<'T> =
        match inputs with
        | Inputs.Pairs batch when
            weights.ColumnCount = batch.Source.Features && weights.RowCount = biases.Count
            ->
            let rows = weights.RowCount
            let result = Kernels.newArray rows batch.Samples.Length

            Lanes.run rows {
                W = Kernels.values weights
                Biases = Kernels.elements biases
                Table = ByteScale<'T>.Table
                Batch = batch
                Z = result
            }

            Kernels.matrix rows batch.Samples.Length result
        | _ -> Kernels.affine weights biases (columns inputs)

    let private pairGradient
        (op: 'Op :> IMap2<'T>)
        (weights: 'T[])
        (upstream: Matrix<'T>)
        (batch: PairBatch)
        (result: 'T[])
        : Matrix<'T> =
        let rows = upstream.RowCount

        Lanes.run rows {
            Op = op
            Weights = weights
            Upstream = Kernels.values upstream
            Rows = rows
            Table = ByteScale<'T>.Table
            Inputs = batch
            Result = result
        }

        Kernels.matrix rows batch.Source.Features result

    /// <c>Kernels.weightGradient</c>.
    let weightGradient (upstream: Matrix<'T>) (inputs: Inputs<'T>) : Matrix<'T> =
        match inputs with
        | Inputs.Pairs batch when upstream.ColumnCount = batch.Samples.Length ->
            let result = Kernels.newArray upstream.RowCount batch.Source.Features
            pairGradient (First<'T>()) result upstream batch result
        | _ -> Kernels.weightGradient upstream (columns inputs)

    /// The weights less η times their gradient: <c>Kernels.subtractScaled</c> of
    /// <c>weightGradient</c>, without a gradient in between where that is quicker.
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (weights: Matrix<'T>)
        (upstream: Matrix<'T>)
        (inputs: Inputs<'T>)
        : Matrix<'T> =
        match inputs with
        | Inputs.Pairs batch when
            upstream.ColumnCount = batch.Samples.Length
            && weights.RowCount = upstream.RowCount
            && weights.ColumnCount = batch.Source.Features
            ->
            let result = Kernels.newArray weights.RowCount weights.ColumnCount
            let op: SubtractScaled<'T> = { NegativeRate = -rate }
            pairGradient op (Kernels.values weights) upstream batch result
        | _ -> Kernels.subtractScaled rate (weightGradient upstream inputs) weights
