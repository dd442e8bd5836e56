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

/// The inputs of a mini-batch: numbers, or the pixels of pictures that are mostly blank. Either form
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

/// What enters a layer.
[<RequireQualifiedAccess>]
type internal LayerInputs<'T
    when 'T: struct
    and 'T :> System.ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> System.IEquatable<'T>
    and 'T :> System.IFormattable> =
    /// (inputs, batch), a sample a column.
    | Columns of Matrix<'T>
    /// Bytes by pairs of inputs, each standing for byte / 255.
    | Buckets of PairBuckets

[<RequireQualifiedAccess>]
module internal Inputs =
    /// The samples as numbers: (inputs, batch).
    let columns (inputs: Inputs<'T>) : Matrix<'T> =
        match inputs with
        | Inputs.Columns columns -> columns
        | Inputs.Pairs batch ->
            BytePairs.dense ByteScale<'T>.Table batch
            |> Kernels.matrix batch.Source.Features batch.Samples.Length

    /// What becomes of the inputs, ready to enter a layer; they live no longer than `act`.
    let enter (act: LayerInputs<'T> -> 'R) (inputs: Inputs<'T>) : 'R =
        match inputs with
        | Inputs.Columns columns -> act (LayerInputs.Columns columns)
        | Inputs.Pairs batch -> BytePairs.dealt (LayerInputs.Buckets >> act) batch

/// The loops of a layer, for inputs of either form.
[<RequireQualifiedAccess>]
module internal LayerInputs =
    /// The inputs as numbers: (inputs, batch).
    let columns (inputs: LayerInputs<'T>) : Matrix<'T> =
        match inputs with
        | LayerInputs.Columns columns -> columns
        | LayerInputs.Buckets buckets -> Inputs.columns (Inputs.Pairs buckets.Batch)

    /// <c>Kernels.affine</c>.
    let affine (weights: Matrix<'T>) (biases: Vector<'T>) (inputs: LayerInputs<'T>) : Matrix<'T> =
        match inputs with
        | LayerInputs.Buckets buckets when
            weights.ColumnCount = buckets.Batch.Source.Features
            && weights.RowCount = biases.Count
            ->
            let rows = weights.RowCount
            let result = Kernels.newArray rows buckets.Batch.Samples.Length

            Lanes.run rows {
                W = Kernels.values weights
                Biases = Kernels.elements biases
                Table = ByteScale<'T>.Table
                Inputs = buckets
                Z = result
            }

            Kernels.matrix rows buckets.Batch.Samples.Length result
        | _ -> Kernels.affine weights biases (columns inputs)

    let private pairGradient
        (op: 'Op :> IMap2<'T>)
        (weights: 'T[])
        (upstream: Matrix<'T>)
        (buckets: PairBuckets)
        (result: 'T[])
        : Matrix<'T> =
        let rows = upstream.RowCount

        Lanes.run rows {
            Op = op
            Weights = weights
            Upstream = Kernels.values upstream
            Rows = rows
            Table = ByteScale<'T>.Table
            Inputs = buckets
            Result = result
        }

        Kernels.matrix rows buckets.Batch.Source.Features result

    /// <c>Kernels.weightGradient</c>.
    let weightGradient (upstream: Matrix<'T>) (inputs: LayerInputs<'T>) : Matrix<'T> =
        match inputs with
        | LayerInputs.Buckets buckets when upstream.ColumnCount = buckets.Batch.Samples.Length ->
            let result = Kernels.newArray upstream.RowCount buckets.Batch.Source.Features
            pairGradient (First<'T>()) result upstream buckets result
        | _ -> Kernels.weightGradient upstream (columns inputs)

    /// The weights less η times their gradient: <c>Kernels.subtractScaled</c> of
    /// <c>weightGradient</c>, without a gradient in between where that is quicker.
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (weights: Matrix<'T>)
        (upstream: Matrix<'T>)
        (inputs: LayerInputs<'T>)
        : Matrix<'T> =
        match inputs with
        | LayerInputs.Buckets buckets when
            upstream.ColumnCount = buckets.Batch.Samples.Length
            && weights.RowCount = upstream.RowCount
            && weights.ColumnCount = buckets.Batch.Source.Features
            ->
            let result = Kernels.newArray weights.RowCount weights.ColumnCount
            let op: SubtractScaled<'T> = { NegativeRate = -rate }
            pairGradient op (Kernels.values weights) upstream buckets result
        | _ -> Kernels.subtractScaled rate (weightGradient upstream inputs) weights
