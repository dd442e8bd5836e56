namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Threading.Tasks
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.LinearAlgebra.Storage

/// An elementwise function of one array, for registers of any width.
type internal IMap<'T> =
    abstract Apply<'V, 'L when 'L :> ILanes<'V, 'T>> : 'V -> 'V

/// An elementwise function of two arrays of one length.
type internal IMap2<'T> =
    abstract Apply<'V, 'L when 'L :> ILanes<'V, 'T>> : 'V * 'V -> 'V

/// The last register of a run is moved back to end where the run ends: its overlap computes the same
/// values again, and no remainder needs code of its own.
[<Struct>]
type internal MapLoop<'T, 'Op when 'Op :> IMap<'T>> = {
    Op: 'Op
    X: 'T[]
    Result: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let x = &Lanes.start loop.X
            let result = &Lanes.start loop.Result
            let last = loop.Result.Length - 'L.Count
            let mutable i = 0

            while i < loop.Result.Length do
                let at = nativeint (min i last)
                'L.Store(loop.Op.Apply<'V, 'L>('L.Load(&x, at)), &result, at)
                i <- i + 'L.Count

[<Struct>]
type internal Map2Loop<'T, 'Op when 'Op :> IMap2<'T>> = {
    Op2: 'Op
    First: 'T[]
    Second: 'T[]
    Result2: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let x = &Lanes.start loop.First
            let y = &Lanes.start loop.Second
            let result = &Lanes.start loop.Result2
            let last = loop.Result2.Length - 'L.Count
            let mutable i = 0

            while i < loop.Result2.Length do
                let at = nativeint (min i last)
                'L.Store(loop.Op2.Apply<'V, 'L>('L.Load(&x, at), 'L.Load(&y, at)), &result, at)
                i <- i + 'L.Count

/// Row sums of a matrix: each row's elements added from the first column to the last.
[<Struct>]
type internal RowSumsLoop<'T> = {
    Matrix: 'T[]
    Sums: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let matrix = &Lanes.start loop.Matrix
            let sums = &Lanes.start loop.Sums
            let rows = loop.Sums.Length
            let mutable i = 0

            while i < rows do
                let row = nativeint (min i (rows - 'L.Count))
                let mutable sum = 'L.Create Unchecked.defaultof<'T>
                let mutable at = row

                for _ in 1 .. loop.Matrix.Length / rows do
                    sum <- 'L.Add(sum, 'L.Load(&matrix, at))
                    at <- at + nativeint rows

                'L.Store(sum, &sums, row)
                i <- i + 'L.Count

/// C(i, j) = initial(i) + Σₖ A(i, k)·B(k, j) for the columns j of a range: one chain of fused
/// multiply-adds an element, k ascending. A and C are stored by columns; B(k, j) stands at
/// k·InnerStride + j·ColumnStride, so B or its transpose can be read in place.
[<Struct>]
type internal ProductLoop<'T> = {
    A: 'T[]
    B: 'T[]
    C: 'T[]
    Initial: 'T[]
    Depth: int
    InnerStride: nativeint
    ColumnStride: nativeint
    FirstColumn: int
    EndColumn: int
} with

    /// Two registers of rows by six columns.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private p.WideTile<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (r0: nativeint, r1: nativeint, column: int)
        : unit =
        let a = &Lanes.start p.A
        let b = &Lanes.start p.B
        let initial = &Lanes.start p.Initial
        let rows = nativeint p.Initial.Length
        let stride = p.ColumnStride
        let mutable c00 = 'L.Load(&initial, r0)
        let mutable c01 = c00
        let mutable c02 = c00
        let mutable c03 = c00
        let mutable c04 = c00
        let mutable c05 = c00
        let mutable c10 = 'L.Load(&initial, r1)
        let mutable c11 = c10
        let mutable c12 = c10
        let mutable c13 = c10
        let mutable c14 = c10
        let mutable c15 = c10
        let mutable ai = 0n
        let mutable bi = nativeint column * stride

        for _ in 1 .. p.Depth do
            let a0 = 'L.Load(&a, ai + r0)
            let a1 = 'L.Load(&a, ai + r1)
            let b0 = 'L.Create(Unsafe.Add(&b, bi))
            c00 <- 'L.MultiplyAdd(a0, b0, c00)
            c10 <- 'L.MultiplyAdd(a1, b0, c10)
            let b1 = 'L.Create(Unsafe.Add(&b, bi + stride))
            c01 <- 'L.MultiplyAdd(a0, b1, c01)
            c11 <- 'L.MultiplyAdd(a1, b1, c11)
            let b2 = 'L.Create(Unsafe.Add(&b, bi + 2n * stride))
            c02 <- 'L.MultiplyAdd(a0, b2, c02)
            c12 <- 'L.MultiplyAdd(a1, b2, c12)
            let b3 = 'L.Create(Unsafe.Add(&b, bi + 3n * stride))
            c03 <- 'L.MultiplyAdd(a0, b3, c03)
            c13 <- 'L.MultiplyAdd(a1, b3, c13)
            let b4 = 'L.Create(Unsafe.Add(&b, bi + 4n * stride))
            c04 <- 'L.MultiplyAdd(a0, b4, c04)
            c14 <- 'L.MultiplyAdd(a1, b4, c14)
            let b5 = 'L.Create(Unsafe.Add(&b, bi + 5n * stride))
            c05 <- 'L.MultiplyAdd(a0, b5, c05)
            c15 <- 'L.MultiplyAdd(a1, b5, c15)
            ai <- ai + rows
            bi <- bi + p.InnerStride

        let c = &Unsafe.Add(&Lanes.start p.C, nativeint column * rows)
        'L.Store(c00, &c, r0)
        'L.Store(c01, &c, r0 + rows)
        'L.Store(c02, &c, r0 + 2n * rows)
        'L.Store(c03, &c, r0 + 3n * rows)
        'L.Store(c04, &c, r0 + 4n * rows)
        'L.Store(c05, &c, r0 + 5n * rows)
        'L.Store(c10, &c, r1)
        'L.Store(c11, &c, r1 + rows)
        'L.Store(c12, &c, r1 + 2n * rows)
        'L.Store(c13, &c, r1 + 3n * rows)
        'L.Store(c14, &c, r1 + 4n * rows)
        'L.Store(c15, &c, r1 + 5n * rows)

    /// Two registers of rows in one column: for products of fewer than six columns.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private p.NarrowTile<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (r0: nativeint, r1: nativeint, column: int)
        : unit =
        let a = &Lanes.start p.A
        let b = &Lanes.start p.B
        let initial = &Lanes.start p.Initial
        let rows = nativeint p.Initial.Length
        let mutable c0 = 'L.Load(&initial, r0)
        let mutable c1 = 'L.Load(&initial, r1)
        let mutable ai = 0n
        let mutable bi = nativeint column * p.ColumnStride

        for _ in 1 .. p.Depth do
            let b0 = 'L.Create(Unsafe.Add(&b, bi))
            c0 <- 'L.MultiplyAdd('L.Load(&a, ai + r0), b0, c0)
            c1 <- 'L.MultiplyAdd('L.Load(&a, ai + r1), b0, c1)
            ai <- ai + rows
            bi <- bi + p.InnerStride

        let c = &Lanes.start p.C
        'L.Store(c0, &c, nativeint column * rows + r0)
        'L.Store(c1, &c, nativeint column * rows + r1)

    interface ILoop<'T> with
        member p.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let lastRow = p.Initial.Length - 'L.Count
            let columns = p.C.Length / p.Initial.Length
            let mutable j = p.FirstColumn

            while j < p.EndColumn do
                let mutable i = 0

                while i < p.Initial.Length do
                    let r0 = nativeint (min i lastRow)
                    let r1 = nativeint (min (i + 'L.Count) lastRow)

                    if columns >= 6 then
                        p.WideTile<'V, 'L>(r0, r1, min j (columns - 6))
                    else
                        p.NarrowTile<'V, 'L>(r0, r1, j)

                    i <- i + 2 * 'L.Count

                j <- j + (if columns >= 6 then 6 else 1)

/// θ − η·g, rounded once.
[<Struct>]
type internal SubtractScaled<'T> = {
    NegativeRate: 'T
} with

    interface IMap2<'T> with
        member op.Apply<'V, 'L when 'L :> ILanes<'V, 'T>>(gradient: 'V, parameter: 'V) =
            'L.MultiplyAdd('L.Create op.NegativeRate, gradient, parameter)

/// <summary>The loops under every layer: matrix products with a fixed order of every sum, and
/// elementwise functions.</summary>
/// <remarks>
/// Math.NET's matrices go in and new ones come out. An element of a product is one chain of fused
/// multiply-adds over the inner index, ascending; threads and registers share out elements and never
/// split a sum. So the same bits come from any number of threads and any width of register. A product
/// uses at most <c>MathNet.Numerics.Control.MaxDegreeOfParallelism</c> threads, and more than one only
/// where it is large enough to gain.
/// </remarks>
[<RequireQualifiedAccess>]
module Kernels =
    /// The matrix's elements by columns: the very array where it is dense, else a copy.
    let internal values (matrix: Matrix<'T>) : 'T[] =
        match matrix.AsColumnMajorArray() with
        | null -> matrix.ToColumnMajorArray()
        | array -> array

    /// The matrix by compressed rows, where it is stored so.
    let internal compressedRows (matrix: Matrix<'T>) : CompressedRows<'T> voption =
        match matrix.Storage with
        | :? SparseCompressedRowMatrixStorage<'T> as storage ->
            ValueSome {
                Starts = storage.RowPointers
                Columns = storage.ColumnIndices
                Values = storage.Values
            }
        | _ -> ValueNone

    /// The vector's elements: the very array where it is dense, else a copy.
    let internal elements (vector: Vector<'T>) : 'T[] =
        match vector.AsArray() with
        | null -> vector.ToArray()
        | array -> array

    /// An array for so many rows and columns.
    let private newArray (rows: int) (columns: int) : 'T[] =
        let length = int64 rows * int64 columns

        if length > int64 System.Array.MaxLength then
            invalidArg
                (nameof rows)
                $"expected a result of at most {System.Array.MaxLength} numbers, found ({rows}, {columns})"

        Array.zeroCreate (int length)

    /// A dense matrix around an array just made.
    let internal matrix (rows: int) (columns: int) (values: 'T[]) : Matrix<'T> =
        Matrix<'T>.Build.Dense(rows, columns, values)

    /// A sparse matrix around arrays just made.
    let internal sparse (columns: int) (entries: CompressedRows<'T>) : Matrix<'T> =
        let matrix = Matrix<'T>.Build.Sparse(entries.Count, columns)

        match matrix.Storage with
        | :? SparseCompressedRowMatrixStorage<'T> as storage ->
            entries.Starts.CopyTo(storage.RowPointers, 0)
            storage.ColumnIndices <- entries.Columns
            storage.Values <- entries.Values
        | _ -> ()

        matrix

    /// A dense vector around an array just made.
    let internal vector (values: 'T[]) : Vector<'T> = Vector<'T>.Build.Dense values

    /// (rows, columns), for messages.
    let internal shape (matrix: Matrix<'T>) : string =
        $"({matrix.RowCount}, {matrix.ColumnCount})"

    let internal requireSameShape (name: string) (one: Matrix<'T>) (other: Matrix<'T>) : unit =
        if one.RowCount <> other.RowCount || one.ColumnCount <> other.ColumnCount then
            invalidArg
                name
                $"expected two matrices of one shape, found {shape one} and {shape other}"

    let private mapArray (op: 'Op :> IMap<'T>) (x: 'T[]) : 'T[] =
        let result = Array.zeroCreate x.Length
        Lanes.run x.Length { Op = op; X = x; Result = result }
        result

    let private map2Array (op: 'Op :> IMap2<'T>) (x: 'T[]) (y: 'T[]) : 'T[] =
        let result = Array.zeroCreate x.Length

        Lanes.run x.Length {
            Op2 = op
            First = x
            Second = y
            Result2 = result
        }

        result

    /// The function's value at every element.
    let internal map (op: 'Op :> IMap<'T>) (x: Matrix<'T>) : Matrix<'T> =
        matrix x.RowCount x.ColumnCount (mapArray op (values x))

    /// The function's value at every pair of elements.
    let internal map2 (op: 'Op :> IMap2<'T>) (x: Matrix<'T>) (y: Matrix<'T>) : Matrix<'T> =
        requireSameShape (nameof y) x y
        matrix x.RowCount x.ColumnCount (map2Array op (values x) (values y))

    /// <summary>A number of threads that a product may be told to use, or what is wrong with
    /// it.</summary>
    [<CompiledName("CheckThreads")>]
    let checkThreads (threads: int) : Result<int, Fault list> =
        Fault.check
            [
                threads >= 1 && threads <= 1024, Fault.create "Threads" "1 to 1024" $"{threads}"
            ]
            (fun () -> threads)

    /// Below this many multiplications, waking a second thread costs more than it gains.
    let private worthSharing = 1L <<< 24

    let private product
        (rows: int)
        (depth: int)
        (columns: int)
        (a: 'T[])
        (b: 'T[])
        (innerStride: int)
        (columnStride: int)
        (initial: 'T[])
        : Matrix<'T> =
        let result = newArray rows columns

        let run first finish =
            Lanes.run rows {
                A = a
                B = b
                C = result
                Initial = initial
                Depth = depth
                InnerStride = nativeint innerStride
                ColumnStride = nativeint columnStride
                FirstColumn = first
                EndColumn = finish
            }

        let multiplications = int64 rows * int64 depth * int64 columns
        let threads = Control.MaxDegreeOfParallelism

        if threads = 1 || multiplications < worthSharing then
            run 0 columns
        else
            // Small shares, claimed one after the other, so that a busy core holds nobody up.
            let share = max 6 (columns / (8 * threads) / 6 * 6)

            Parallel.For(
                0,
                (columns + share - 1) / share,
                ParallelOptions(MaxDegreeOfParallelism = threads),
                fun i -> run (i * share) (min columns ((i + 1) * share))
            )
            |> ignore

        matrix rows columns result

    /// <summary>A layer's affine map: Z = W·X + b, b added to every column.</summary>
    /// <param name="weights">W: (outputs, inputs).</param>
    /// <param name="biases">b: outputs.</param>
    /// <param name="inputs">X: (inputs, batch), a sample a column.</param>
    /// <returns>Z: (outputs, batch).</returns>
    /// <exception cref="T:System.ArgumentException">The shapes do not fit each other.</exception>
    [<CompiledName("Affine")>]
    let affine (weights: Matrix<'T>) (biases: Vector<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        if weights.ColumnCount <> inputs.RowCount || weights.RowCount <> biases.Count then
            invalidArg
                (nameof inputs)
                $"expected weights (m, n), m biases and inputs (n, batch), found {shape weights}, {biases.Count} and {shape inputs}"

        match compressedRows inputs with
        | ValueSome x ->
            let result = newArray weights.RowCount inputs.ColumnCount

            Lanes.run weights.RowCount {
                W = values weights
                Biases = elements biases
                X = x
                Batch = inputs.ColumnCount
                Z = result
            }

            matrix weights.RowCount inputs.ColumnCount result
        | ValueNone ->
            product
                weights.RowCount
                weights.ColumnCount
                inputs.ColumnCount
                (values weights)
                (values inputs)
                1
                inputs.RowCount
                (elements biases)

    /// <summary>The gradient of an affine map in its weights: ∂L/∂W = δ·Xᵀ, summed in the order of the
    /// samples.</summary>
    /// <param name="upstream">δ = ∂L/∂Z: (outputs, batch).</param>
    /// <param name="inputs">X: (inputs, batch).</param>
    /// <returns>(outputs, inputs), shaped like W.</returns>
    /// <exception cref="T:System.ArgumentException">The batches differ in size.</exception>
    [<CompiledName("WeightGradient")>]
    let weightGradient (upstream: Matrix<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        if upstream.ColumnCount <> inputs.ColumnCount then
            invalidArg
                (nameof inputs)
                $"expected as many samples (columns) in both, found {shape upstream} and {shape inputs}"

        match compressedRows inputs with
        | ValueSome x ->
            let result = newArray upstream.RowCount inputs.RowCount

            Lanes.run upstream.RowCount {
                Upstream = values upstream
                Rows = upstream.RowCount
                Inputs = x
                Gradient = result
            }

            matrix upstream.RowCount inputs.RowCount result
        | ValueNone ->
            product
                upstream.RowCount
                upstream.ColumnCount
                inputs.RowCount
                (values upstream)
                (values inputs)
                inputs.RowCount
                1
                (Array.zeroCreate upstream.RowCount)

    /// <summary>The gradient of an affine map in its inputs: ∂L/∂X = Wᵀ·δ.</summary>
    /// <param name="weights">W: (outputs, inputs).</param>
    /// <param name="upstream">δ = ∂L/∂Z: (outputs, batch).</param>
    /// <returns>(inputs, batch), shaped like X.</returns>
    /// <exception cref="T:System.ArgumentException">The numbers of outputs differ.</exception>
    [<CompiledName("InputGradient")>]
    let inputGradient (weights: Matrix<'T>) (upstream: Matrix<'T>) : Matrix<'T> =
        if weights.RowCount <> upstream.RowCount then
            invalidArg
                (nameof upstream)
                $"expected as many outputs (rows) in both, found {shape weights} and {shape upstream}"

        let outputs, inputs = weights.RowCount, weights.ColumnCount
        let w = values weights
        // Lanes run along the rows of the result, so W must lie the other way round.
        let transposed = Array.zeroCreate w.Length

        for i in 0 .. inputs - 1 do
            for o in 0 .. outputs - 1 do
                transposed[o * inputs + i] <- w[i * outputs + o]

        product
            inputs
            outputs
            upstream.ColumnCount
            transposed
            (values upstream)
            1
            outputs
            (Array.zeroCreate inputs)

    /// <summary>The gradient of an affine map in its biases: ∂L/∂b = Σₛ δ(·, s), in the order of the
    /// samples.</summary>
    /// <param name="upstream">δ = ∂L/∂Z: (outputs, batch).</param>
    /// <returns>A vector of as many elements as δ has rows.</returns>
    [<CompiledName("BiasGradient")>]
    let biasGradient (upstream: Matrix<'T>) : Vector<'T> =
        let sums = Array.zeroCreate upstream.RowCount

        Lanes.run sums.Length {
            Matrix = values upstream
            Sums = sums
        }

        vector sums

    /// <summary>θ − η·g, element by element, rounded once.</summary>
    /// <param name="rate">η.</param>
    /// <param name="gradient">g.</param>
    /// <param name="parameters">θ, of g's shape.</param>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("SubtractScaled")>]
    let subtractScaled (rate: 'T) (gradient: Matrix<'T>) (parameters: Matrix<'T>) : Matrix<'T> =
        map2 { NegativeRate = -rate } gradient parameters

    /// <summary>θ − η·g for vectors.</summary>
    /// <inheritdoc cref="M:Pipeline.Learning.Kernels.SubtractScaled``1" />
    [<CompiledName("SubtractScaledVector")>]
    let subtractScaledVector
        (rate: 'T)
        (gradient: Vector<'T>)
        (parameters: Vector<'T>)
        : Vector<'T> =
        if gradient.Count <> parameters.Count then
            invalidArg
                (nameof parameters)
                $"expected two vectors of one length, found {gradient.Count} and {parameters.Count}"

        vector (map2Array { NegativeRate = -rate } (elements gradient) (elements parameters))
