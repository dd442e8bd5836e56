namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
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

/// byte / 255 for the bytes of some samples of one size.
[<Struct>]
type internal ScaleLoop<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> = {
    Bytes: ReadOnlyMemory<byte>
    Size: int
    /// Which samples.
    Places: int[]
    /// Theirs, one after the other.
    Scaled: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let most = 'L.Create('T.CreateTruncating 255)
            let bytes = &MemoryMarshal.GetReference loop.Bytes.Span
            let last = loop.Size - 'L.Count

            for s in 0 .. loop.Places.Length - 1 do
                if s + 1 < loop.Places.Length then
                    // A random sample is seldom in a cache.
                    Simd.prefetch (&bytes, loop.Places[s + 1] * loop.Size, loop.Size)

                let source = &Unsafe.Add(&bytes, loop.Places[s] * loop.Size)
                let scaled = &Unsafe.Add(&Simd.start loop.Scaled, s * loop.Size)
                let mutable i = 0

                while i < loop.Size do
                    // The last register overlaps the one before it.
                    let at = nativeint (min i last)
                    'L.Store('L.Divide('L.LoadBytes(&source, at), most), &scaled, at)
                    i <- i + 'L.Count

/// <summary>The samples that enter a layer: numbers, the pixels of images that are mostly blank, or rows with
/// categories.</summary>
/// <remarks>Either form gives the same bits: leaving out a zero changes no sum.</remarks>
[<RequireQualifiedAccess>]
type Inputs<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> =
    internal
    /// (inputs, batch), a sample a column.
    | Columns of Matrix<'T>
    /// Bytes, each standing for byte / 255.
    | Pairs of SparseBatch
    /// The same bytes, grouped by pair of inputs.
    | Buckets of BatchByInput
    /// Rows of a table most inputs of which are 0.
    | Rows of EncodedRows<'T>
    /// Numbers of samples side by side, as layers over images pass them on.
    | Lanes of LaneBlocks<'T>

    /// <summary>Samples given as numbers.</summary>
    /// <param name="numbers">(features, batch), a sample a column.</param>
    static member OfNumbers(numbers: Matrix<'T>) : Inputs<'T> = Columns numbers

    /// The samples as numbers: (features, batch), a sample a column.
    member inputs.Numbers: Matrix<'T> =
        match inputs with
        | Columns columns -> columns
        | Pairs batch
        | Buckets { Batch = batch } ->
            SparseBytes.dense ByteScale<'T>.Table batch
            |> Kernels.matrix batch.Source.Features batch.Samples.Length
        | Rows rows -> EncodedRows.expand [| 0 .. rows.Columns.ColumnCount - 1 |] rows
        | Lanes lanes -> SampleLanes.toColumns lanes |> Kernels.matrix lanes.Features lanes.Samples

    /// The number of numbers in a sample, and of samples.
    member internal inputs.Size: struct (int * int) =
        match inputs with
        | Columns columns -> struct (columns.RowCount, columns.ColumnCount)
        | Pairs batch
        | Buckets { Batch = batch } -> struct (batch.Source.Features, batch.Samples.Length)
        | Rows rows -> struct (EncodedRows.features rows, rows.Columns.ColumnCount)
        | Lanes lanes -> struct (lanes.Features, lanes.Samples)

    /// The samples side by side.
    member internal inputs.SideBySide: LaneBlocks<'T> =
        match inputs with
        | Lanes lanes -> lanes
        | Pairs batch
        | Buckets { Batch = batch } -> SparseBytes.sideBySide ByteScale<'T>.Table batch
        | Columns columns ->
            Kernels.values columns
            |> SampleLanes.ofColumns columns.RowCount columns.ColumnCount
        | Rows _ ->
            let columns = inputs.Numbers
            let values = Kernels.values columns
            let lanes = SampleLanes.ofColumns columns.RowCount columns.ColumnCount values
            ArrayReuse.Return values
            lanes

    /// The array of the numbers; nothing in other forms.
    member internal inputs.Array: 'T[] voption =
        match inputs with
        | Columns columns -> ValueSome(Kernels.values columns)
        | Lanes lanes -> ValueSome lanes.Values
        | Pairs _
        | Buckets _
        | Rows _ -> ValueNone

[<RequireQualifiedAccess>]
module internal Inputs =
    /// Samples in the form of others: side by side, or by columns.
    let inFormOf (others: Inputs<'T>) (inputs: Inputs<'T>) : Inputs<'T> =
        match others, inputs with
        | Inputs.Lanes _, Inputs.Lanes _ -> inputs
        | Inputs.Lanes _, _ -> Inputs.Lanes inputs.SideBySide
        | _, Inputs.Lanes _ -> Inputs.Columns inputs.Numbers
        | _ -> inputs

    /// The same numbers in an array of their own.
    let copy (inputs: Inputs<'T>) : Inputs<'T> =
        let copy (values: 'T[]) =
            let result = ArrayReuse<'T>.Rent values.Length
            Array.Copy(values, result, values.Length)
            result

        match inputs with
        | Inputs.Lanes lanes ->
            Inputs.Lanes {
                lanes with
                    Values = copy lanes.Values
            }
        | inputs ->
            let numbers = inputs.Numbers

            Kernels.values numbers
            |> copy
            |> Kernels.matrix numbers.RowCount numbers.ColumnCount
            |> Inputs.Columns

    /// The number of numbers once one more is taken, unless it is 0.
    let private append
        (places: int[])
        (values: 'T[])
        (count: int)
        (place: int)
        (value: 'T :> IBinaryFloatingPointIeee754<'T>)
        : int =
        if 'T.IsZero value then
            count
        else
            places[count] <- place
            values[count] <- value
            count + 1

    /// The samples without their zeros.
    let nonZeros (inputs: Inputs<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : FewNumbers<'T> =
        let samples, most =
            match inputs with
            | Inputs.Lanes lanes -> lanes.Samples, lanes.Features * lanes.Samples
            | Inputs.Columns columns -> columns.ColumnCount, columns.RowCount * columns.ColumnCount
            | Inputs.Pairs batch
            | Inputs.Buckets { Batch = batch } ->
                let counts =
                    batch.Samples
                    |> Array.sumBy (fun s -> batch.Source.Starts[s + 1] - batch.Source.Starts[s])

                batch.Samples.Length, 2 * counts
            | Inputs.Rows rows ->
                rows.Columns.ColumnCount, rows.Columns.RowCount * rows.Columns.ColumnCount

        let starts = Array.zeroCreate (samples + 1)
        let places = GC.AllocateUninitializedArray<int> most
        let values = GC.AllocateUninitializedArray<'T> most
        let table = ByteScale<'T>.Table
        let mutable count = 0

        for s in 0 .. samples - 1 do
            match inputs with
            | Inputs.Rows rows -> count <- EncodedRows.writeNonZeros places values count s rows
            | Inputs.Columns columns ->
                let x = Kernels.values columns

                for i in 0 .. columns.RowCount - 1 do
                    count <- append places values count i x[s * columns.RowCount + i]
            | Inputs.Lanes lanes ->
                for i in 0 .. lanes.Features - 1 do
                    count <- append places values count i (SampleLanes.number lanes i s)
            | Inputs.Pairs batch
            | Inputs.Buckets { Batch = batch } ->
                let source, sample = batch.Source, batch.Samples[s]

                for n in source.Starts[sample] .. source.Starts[sample + 1] - 1 do
                    let pair = source.Pairs[n]

                    if pair.First <> 0 then
                        places[count] <- 2 * pair.Key
                        values[count] <- table[pair.First]
                        count <- count + 1

                    if pair.Second <> 0 then
                        places[count] <- 2 * pair.Key + 1
                        values[count] <- table[pair.Second]
                        count <- count + 1

            starts[s + 1] <- count

        {
            Starts = starts
            Places = places
            Values = Array.sub values 0 count
        }

    /// The result of `act` on the inputs in the form that a layer and its gradient take. They are valid only while
    /// `act` runs.
    let withBatchByInput (act: Inputs<'T> -> 'R) (inputs: Inputs<'T>) : 'R =
        match inputs with
        | Inputs.Pairs batch -> SparseBytes.withBatchByInput (Inputs.Buckets >> act) batch
        | inputs -> act inputs

    let private fits (weights: Matrix<'T>) (biases: Vector<'T>) (batch: SparseBatch) : bool =
        weights.ColumnCount = batch.Source.Features && weights.RowCount = biases.Count

    let private fitsRows (weights: Matrix<'T>) (biases: Vector<'T>) (rows: EncodedRows<'T>) : bool =
        weights.ColumnCount = EncodedRows.features rows
        && weights.RowCount = biases.Count

    /// For more rows than a band has, dealing pairs out pays even if they enter one product only.
    [<Literal>]
    let private FewRows = 64

    /// <c>Kernels.affine</c>.
    let rec affine (weights: Matrix<'T>) (biases: Vector<'T>) (inputs: Inputs<'T>) : Matrix<'T> =
        let rows = weights.RowCount

        match inputs with
        | Inputs.Buckets buckets when fits weights biases buckets.Batch ->
            let result = Kernels.newArray rows buckets.Batch.Samples.Length

            Simd.runBands rows {
                W = Kernels.values weights
                Biases = Kernels.elements biases
                Table = ByteScale<'T>.Table
                Inputs = buckets
                Z = result
            }

            Kernels.matrix rows buckets.Batch.Samples.Length result
        | Inputs.Pairs batch when fits weights biases batch && rows > FewRows ->
            batch |> SparseBytes.withBatchByInput (Inputs.Buckets >> affine weights biases)
        | Inputs.Pairs batch when fits weights biases batch ->
            let result = Kernels.newArray rows batch.Samples.Length

            Simd.runBands rows {
                ColumnsOfW = Kernels.values weights
                InitialSums = Kernels.elements biases
                Bytes = ByteScale<'T>.Table
                Batch = batch
                Sums = result
            }

            Kernels.matrix rows batch.Samples.Length result
        | Inputs.Rows encoded when fitsRows weights biases encoded ->
            let samples = encoded.Columns.ColumnCount
            let result = Kernels.newArray rows samples

            Simd.run rows {
                FewAffineLoop.ColumnsOfW = Kernels.values weights
                InitialSums = Kernels.elements biases
                Inputs = nonZeros inputs
                Sums = result
            }

            Kernels.matrix rows samples result
        | _ -> Kernels.affine weights biases inputs.Numbers

    let private pairGradient
        (op: 'Op :> IMap2<'T>)
        (weights: 'T[])
        (upstream: Matrix<'T>)
        (buckets: BatchByInput)
        (result: 'T[])
        : Matrix<'T> =
        let rows = upstream.RowCount

        Simd.runBands rows {
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
    let weightGradient (upstream: Matrix<'T>) (inputs: Inputs<'T>) : Matrix<'T> =
        match inputs with
        | Inputs.Buckets buckets when upstream.ColumnCount = buckets.Batch.Samples.Length ->
            let result = Kernels.newArray upstream.RowCount buckets.Batch.Source.Features
            pairGradient (First<'T>()) result upstream buckets result
        | Inputs.Rows encoded when upstream.ColumnCount = encoded.Columns.ColumnCount ->
            let rows, features = upstream.RowCount, EncodedRows.features encoded
            let result = Kernels.newArray rows features
            Array.Clear result

            Simd.run rows {
                FewGradientLoop.Deltas = Kernels.values upstream
                Rows = rows
                Inputs = nonZeros inputs
                Gradient = result
            }

            Kernels.matrix rows features result
        | _ -> Kernels.weightGradient upstream inputs.Numbers

    /// The weights less η times their gradient: <c>Kernels.subtractScaled</c> of
    /// <c>weightGradient</c>, without a gradient in between where that is quicker.
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (weights: Matrix<'T>)
        (upstream: Matrix<'T>)
        (inputs: Inputs<'T>)
        : Matrix<'T> =
        match inputs with
        | Inputs.Buckets buckets when
            upstream.ColumnCount = buckets.Batch.Samples.Length
            && weights.RowCount = upstream.RowCount
            && weights.ColumnCount = buckets.Batch.Source.Features
            ->
            let result = Kernels.newArray weights.RowCount weights.ColumnCount
            let op: SubtractScaled<'T> = { NegativeRate = -rate }
            pairGradient op (Kernels.values weights) upstream buckets result
        | _ ->
            let gradient = weightGradient upstream inputs
            let next = Kernels.subtractScaled rate gradient weights
            ArrayReuse.Return(Kernels.values gradient)
            next
