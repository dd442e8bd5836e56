namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// <summary>The loops under every layer: matrix products with a fixed order of every sum, and
/// elementwise functions.</summary>
/// <remarks>
/// Math.NET's matrices go in and new ones come out. An element of a product is one chain of fused
/// multiply-adds over the inner index, ascending; threads and registers divide elements among them and never
/// split a sum. The bits therefore do not depend on the number of threads or the width of registers. A
/// product uses at most <c>MathNet.Numerics.Control.MaxDegreeOfParallelism</c> threads, and more than one
/// only if it is large enough to be faster.
/// </remarks>
[<RequireQualifiedAccess>]
module internal Kernels =
    /// The matrix's elements by columns: the array of a dense matrix itself, a copy of any other.
    let internal values (matrix: Matrix<'T>) : 'T[] =
        match matrix.AsColumnMajorArray() with
        | null -> matrix.ToColumnMajorArray()
        | array -> array

    /// The vector's elements: the array of a dense vector itself, a copy of any other.
    let internal elements (vector: Vector<'T>) : 'T[] =
        match vector.AsArray() with
        | null -> vector.ToArray()
        | array -> array

    /// An array for a matrix of that size; its elements are undefined.
    let internal newArray (rows: int) (columns: int) : 'T[] =
        let length = int64 rows * int64 columns

        if length > int64 System.Array.MaxLength then
            invalidArg
                (nameof rows)
                (invariant
                    $"expected a result of at most {System.Array.MaxLength} numbers, found ({rows}, {columns})")

        ArrayReuse<'T>.Rent(int length)

    /// A dense matrix that owns the array.
    let internal matrix (rows: int) (columns: int) (values: 'T[]) : Matrix<'T> =
        Matrix<'T>.Build.Dense(rows, columns, values)

    /// A dense vector that owns the array.
    let internal vector (values: 'T[]) : Vector<'T> = Vector<'T>.Build.Dense values

    /// (rows, columns), for messages.
    let internal shape (matrix: Matrix<'T>) : string =
        invariant $"({matrix.RowCount}, {matrix.ColumnCount})"

    let internal requireSameShape (name: string) (one: Matrix<'T>) (other: Matrix<'T>) : unit =
        if one.RowCount <> other.RowCount || one.ColumnCount <> other.ColumnCount then
            invalidArg
                name
                $"expected two matrices of one shape, found {shape one} and {shape other}"

    /// Writes the function's value at every element to the result, which may be x itself.
    let internal mapInto (result: 'T[]) (op: 'Op :> IMap<'T>) (x: 'T[]) : unit =
        Simd.run x.Length { Op = op; X = x; Result = result }

    /// Writes the function's value at every pair of elements to the result, which may be x or y.
    let internal map2Into (result: 'T[]) (op: 'Op :> IMap2<'T>) (x: 'T[]) (y: 'T[]) : unit =
        Simd.run x.Length {
            Op2 = op
            First = x
            Second = y
            Result2 = result
        }

    /// The next parameters and memories, in new arrays. A rule with one memory gets it twice.
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

    /// Σxy in double: sums of every eighth product, then of those eight.
    let internal dot (x: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>) (y: 'T[]) : float =
        let sums: float[] = Array.zeroCreate 8

        for i in 0 .. x.Length - 1 do
            let first = Double.CreateTruncating x[i]

            sums[i &&& 7] <-
                Math.FusedMultiplyAdd(first, Double.CreateTruncating y[i], sums[i &&& 7])

        Array.fold (+) 0.0 sums

    /// Σx² in double.
    let internal sumOfSquares (values: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>) : float =
        dot values values

    /// Whether every number is finite.
    let internal areFinite (numbers: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>) : bool =
        let found = Array.zeroCreate<'T> 16
        Simd.run numbers.Length { Numbers = numbers; Found = found }
        Array.forall 'T.IsFinite found

    /// The columns of matrices with that many rows, side by side.
    let internal joinColumns (rows: int) (parts: Matrix<'T>[]) : Matrix<'T> =
        let columns = parts |> Array.sumBy _.ColumnCount
        let joined = newArray rows columns
        let mutable first = 0

        for part in parts do
            let length = rows * part.ColumnCount
            Array.blit (values part) 0 joined first length
            first <- first + length

        matrix rows columns joined

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
        if
            weights.ColumnCount <> inputs.RowCount
            || weights.RowCount <> biases.Count
            || inputs.ColumnCount = 0
        then
            invalidArg
                (nameof inputs)
                (invariant
                    $"expected weights (m, n), m biases and inputs (n, batch) of a sample or more, found {shape weights}, {biases.Count} and {shape inputs}")

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
    /// <returns>One element for each row of δ.</returns>
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
                (invariant
                    $"expected two vectors of one length, found {gradient.Count} and {parameters.Count}")

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
