namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra

/// The last register of a run is moved back to end where the run ends: its overlap computes the same
/// values again, and no remainder needs code of its own.
[<Struct>]
type internal MapLoop<'T, 'Op when 'Op :> IMap<'T>> = {
    Op: 'Op
    X: 'T[]
    Result: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = &Simd.start loop.X
            let result = &Simd.start loop.Result
            let last = loop.Result.Length - 'L.Count
            // Before its overlap is written, should the result be x itself.
            let final = loop.Op.Apply<'V, 'L>('L.Load(&x, nativeint last))
            let mutable i = 0

            while i < last do
                'L.Store(loop.Op.Apply<'V, 'L>('L.Load(&x, nativeint i)), &result, nativeint i)
                i <- i + 'L.Count

            'L.Store(final, &result, nativeint last)

[<Struct>]
type internal Map2Loop<'T, 'Op when 'Op :> IMap2<'T>> = {
    Op2: 'Op
    First: 'T[]
    Second: 'T[]
    Result2: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = &Simd.start loop.First
            let y = &Simd.start loop.Second
            let result = &Simd.start loop.Result2
            let last = loop.Result2.Length - 'L.Count

            let final =
                loop.Op2.Apply<'V, 'L>('L.Load(&x, nativeint last), 'L.Load(&y, nativeint last))

            let mutable i = 0

            while i < last do
                let at = nativeint i
                'L.Store(loop.Op2.Apply<'V, 'L>('L.Load(&x, at), 'L.Load(&y, at)), &result, at)
                i <- i + 'L.Count

            'L.Store(final, &result, nativeint last)

/// An optimizer's update of some parameters and of the two memories beside them.
[<Struct>]
type internal UpdateLoop<'T, 'Op when 'Op :> IUpdate<'T>> = {
    Update: 'Op
    Gradient: 'T[]
    Parameters: 'T[]
    FirstMemory: 'T[]
    SecondMemory: 'T[]
    NextParameters: 'T[]
    NextFirstMemory: 'T[]
    NextSecondMemory: 'T[]
} with

    /// The elements first … finish − 1, and those that fill the last register before `finish`.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Share<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>
        (first: int, finish: int)
        : unit =
        let gradient = &Simd.start loop.Gradient
        let parameters = &Simd.start loop.Parameters
        let firstMemory = &Simd.start loop.FirstMemory
        let secondMemory = &Simd.start loop.SecondMemory
        let nextParameters = &Simd.start loop.NextParameters
        let nextFirstMemory = &Simd.start loop.NextFirstMemory
        let nextSecondMemory = &Simd.start loop.NextSecondMemory
        let last = finish - 'L.Count
        let mutable i = first

        while i < finish do
            let at = nativeint (min i last)

            let struct (parameter, one, other) =
                loop.Update.Apply<'V, 'L>(
                    'L.Load(&gradient, at),
                    'L.Load(&parameters, at),
                    'L.Load(&firstMemory, at),
                    'L.Load(&secondMemory, at)
                )

            'L.Store(parameter, &nextParameters, at)
            'L.Store(one, &nextFirstMemory, at)
            'L.Store(other, &nextSecondMemory, at)
            i <- i + 'L.Count

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let loop = loop
            let length = loop.Gradient.Length
            // Memory is what it waits for: each element weighs as much as several multiplications.
            let work = 16L * int64 length
            let shares = if ThreadTeam.workers work > 1 then 16 else 1

            ThreadTeam.run work shares (fun i ->
                let first = int (int64 i * int64 length / int64 shares)
                let finish = int (int64 (i + 1) * int64 length / int64 shares)
                loop.Share<'V, 'L>(first, finish))

/// Row sums of a matrix: each row's elements added from the first column to the last.
[<Struct>]
type internal RowSumsLoop<'T> = {
    Matrix: 'T[]
    Sums: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let matrix = &Simd.start loop.Matrix
            let sums = &Simd.start loop.Sums
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

/// Σ x·0: 0 where every number is finite, else not a number.
[<Struct>]
type internal FiniteLoop<'T> = {
    Numbers: 'T[]
    /// For a register of sums: the widest has 16.
    Found: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let numbers = &Simd.start loop.Numbers
            let last = loop.Numbers.Length - 'L.Count
            let zero = 'L.Create Unchecked.defaultof<'T>
            let mutable sum = zero
            let mutable i = 0

            while i < loop.Numbers.Length do
                sum <- 'L.MultiplyAdd('L.Load(&numbers, nativeint (min i last)), zero, sum)
                i <- i + 'L.Count

            'L.Store(sum, &Simd.start loop.Found, 0n)

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

    /// The vector's elements: the very array where it is dense, else a copy.
    let internal elements (vector: Vector<'T>) : 'T[] =
        match vector.AsArray() with
        | null -> vector.ToArray()
        | array -> array

    /// An array for so many rows and columns, its numbers yet to be written.
    let internal newArray (rows: int) (columns: int) : 'T[] =
        let length = int64 rows * int64 columns

        if length > int64 System.Array.MaxLength then
            invalidArg
                (nameof rows)
                $"expected a result of at most %d{System.Array.MaxLength} numbers, found (%d{rows}, %d{columns})"

        ArrayReuse<'T>.Rent(int length)

    /// A dense matrix around an array just made.
    let internal matrix (rows: int) (columns: int) (values: 'T[]) : Matrix<'T> =
        Matrix<'T>.Build.Dense(rows, columns, values)

    /// A dense vector around an array just made.
    let internal vector (values: 'T[]) : Vector<'T> = Vector<'T>.Build.Dense values

    /// (rows, columns), for messages.
    let internal shape (matrix: Matrix<'T>) : string =
        $"(%d{matrix.RowCount}, %d{matrix.ColumnCount})"

    let internal requireSameShape (name: string) (one: Matrix<'T>) (other: Matrix<'T>) : unit =
        if one.RowCount <> other.RowCount || one.ColumnCount <> other.ColumnCount then
            invalidArg
                name
                $"expected two matrices of one shape, found {shape one} and {shape other}"

    /// The function's value at every element, into an array made for it: x itself may be one.
    let internal mapInto (result: 'T[]) (op: 'Op :> IMap<'T>) (x: 'T[]) : unit =
        Simd.run x.Length { Op = op; X = x; Result = result }

    /// The function's value at every pair of elements, into an array made for it: x or y may be one.
    let internal map2Into (result: 'T[]) (op: 'Op :> IMap2<'T>) (x: 'T[]) (y: 'T[]) : unit =
        Simd.run x.Length {
            Op2 = op
            First = x
            Second = y
            Result2 = result
        }

    /// The next parameters and memories, in arrays of their own. A rule with one memory is given it
    /// as both.
    let internal update
        (op: 'Op :> IUpdate<'T>)
        (gradient: 'T[])
        (parameters: 'T[])
        (memories: 'T[] list)
        : struct ('T[] * 'T[] list) =
        let next = ArrayReuse<'T>.Rent gradient.Length

        let nextMemories =
            memories |> List.map (fun _ -> ArrayReuse<'T>.Rent gradient.Length)

        Simd.run gradient.Length {
            Update = op
            Gradient = gradient
            Parameters = parameters
            FirstMemory = List.head memories
            SecondMemory = List.last memories
            NextParameters = next
            NextFirstMemory = List.head nextMemories
            NextSecondMemory = List.last nextMemories
        }

        struct (next, nextMemories)

    /// Σx² in double: sums of every eighth element, then of those eight.
    let internal sumOfSquares (values: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>) : float =
        let sums: float[] = Array.zeroCreate 8

        for i in 0 .. values.Length - 1 do
            let x = Double.CreateTruncating values[i]
            sums[i &&& 7] <- Math.FusedMultiplyAdd(x, x, sums[i &&& 7])

        Array.fold (+) 0.0 sums

    /// Whether every number is finite.
    let internal areFinite (numbers: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>) : bool =
        let found = Array.zeroCreate<'T> 16
        Simd.run numbers.Length { Numbers = numbers; Found = found }
        Array.forall 'T.IsFinite found

    /// The function's value at every element.
    let internal map (op: 'Op :> IMap<'T>) (x: Matrix<'T>) : Matrix<'T> =
        let result = newArray x.RowCount x.ColumnCount
        mapInto result op (values x)
        matrix x.RowCount x.ColumnCount result

    /// The function's value at every pair of elements.
    let internal map2 (op: 'Op :> IMap2<'T>) (x: Matrix<'T>) (y: Matrix<'T>) : Matrix<'T> =
        requireSameShape (nameof y) x y
        let result = newArray x.RowCount x.ColumnCount
        map2Into result op (values x) (values y)
        matrix x.RowCount x.ColumnCount result

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
                $"expected weights (m, n), m biases and inputs (n, batch), found {shape weights}, %d{biases.Count} and {shape inputs}"

        let rows, depth = weights.RowCount, weights.ColumnCount
        let result = newArray rows inputs.ColumnCount

        Simd.runBands rows {
            A = values weights
            ARowStep = 1
            AStep = rows
            B = values inputs
            BStep = 1
            ColumnStep = depth
            Initial = elements biases
            C = result
            Depth = depth
        }

        matrix rows inputs.ColumnCount result

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

        let rows = upstream.RowCount
        let result = newArray rows inputs.RowCount

        Simd.runBands rows {
            A = values upstream
            ARowStep = 1
            AStep = rows
            B = values inputs
            BStep = inputs.RowCount
            ColumnStep = 1
            Initial = Array.zeroCreate rows
            C = result
            Depth = upstream.ColumnCount
        }

        matrix rows inputs.RowCount result

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
        let result = newArray inputs upstream.ColumnCount

        Simd.runBands inputs {
            A = values weights
            ARowStep = outputs
            AStep = 1
            B = values upstream
            BStep = 1
            ColumnStep = outputs
            Initial = Array.zeroCreate inputs
            C = result
            Depth = outputs
        }

        matrix inputs upstream.ColumnCount result

    /// <summary>The gradient of an affine map in its biases: ∂L/∂b = Σₛ δ(·, s), in the order of the
    /// samples.</summary>
    /// <param name="upstream">δ = ∂L/∂Z: (outputs, batch).</param>
    /// <returns>A vector of as many elements as δ has rows.</returns>
    [<CompiledName("BiasGradient")>]
    let biasGradient (upstream: Matrix<'T>) : Vector<'T> =
        let sums = Array.zeroCreate upstream.RowCount

        Simd.run sums.Length {
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

    /// <summary>θ − η·g for vectors, element by element, rounded once.</summary>
    /// <param name="rate">η.</param>
    /// <param name="gradient">g.</param>
    /// <param name="parameters">θ, as long as g; left as it was.</param>
    /// <returns>A vector as long as θ.</returns>
    /// <exception cref="T:System.ArgumentException">The lengths differ.</exception>
    [<CompiledName("SubtractScaledVector")>]
    let subtractScaledVector
        (rate: 'T)
        (gradient: Vector<'T>)
        (parameters: Vector<'T>)
        : Vector<'T> =
        if gradient.Count <> parameters.Count then
            invalidArg
                (nameof parameters)
                $"expected two vectors of one length, found %d{gradient.Count} and %d{parameters.Count}"

        let result = ArrayReuse<'T>.Rent gradient.Count
        map2Into result { NegativeRate = -rate } (elements gradient) (elements parameters)
        vector result

    /// The sum of every column, from the first row to the last.
    let internal columnSums (matrix: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : 'T[] =
        let values = values matrix
        let rows = matrix.RowCount

        Array.init matrix.ColumnCount (fun s ->
            let mutable sum = values[s * rows]

            for i in s * rows + 1 .. s * rows + rows - 1 do
                sum <- sum + values[i]

            sum)
