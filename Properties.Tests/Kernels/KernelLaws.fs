/// Kernels.fs: the products, their exact sums, and the bits that threads and registers may not change.
module Pipeline.Properties.KernelLaws

open System
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// A matrix of numbers within ±10 that follow from the seed, a seventh of them 0.
let internal drawn (Seed seed) (place: int64) (rows: int) (columns: int) : Matrix<float> =
    Matrix<float>
        .Build.Dense(
            rows,
            columns,
            fun i j ->
                let u = RandomNumbers.uniform seed RandomStream.GradientCheck place (j * rows + i)
                if u < 0.14 then 0.0 else 20.0 * u - 10.0
        )

let private drawnVector seed place length : Vector<float> = (drawn seed place length 1).Column 0

/// One element: from the first number on, a chain of fused multiply-adds.
let private chain (first: float) (terms: (float * float) seq) : float =
    Seq.fold (fun sum (a: float, b: float) -> Math.FusedMultiplyAdd(a, b, sum)) first terms

let private chainSingle (first: float32) (terms: (float32 * float32) seq) : float32 =
    Seq.fold (fun sum (a: float32, b: float32) -> MathF.FusedMultiplyAdd(a, b, sum)) first terms

/// How far two right ways to sum the products may lie apart: n + 1 roundings of the sizes' sum.
let private spread (unit: float) (depth: int) (a: Matrix<float>) (b: Matrix<float>) =
    a.PointwiseAbs().Multiply(b.PointwiseAbs())
    |> cells
    |> Array.map (fun size -> 2.0 * float (depth + 2) * unit * (size + 10.0))

[<Law>]
let ``affine is Math.NET's product and sum, within rounding``
    (ProductShape(rows, depth, columns))
    seed
    =
    let w, b, x =
        drawn seed 0L rows depth, drawnVector seed 1L rows, drawn seed 2L depth columns

    let expected =
        w.Multiply x + Matrix<float>.Build.DenseOfColumnVectors(Seq.replicate columns b)

    Kernels.affine w b x
    |> cells
    |> Approximately.within (spread Approximately.doubleRounding depth w x) (cells expected)

    Kernels.affine (single w) (singleVector b) (single x)
    |> cells
    |> Array.map float
    |> Approximately.within (spread (4.0 * Approximately.singleRounding) depth w x) (cells expected)

[<Law>]
let ``weight and input gradients are Math.NET's products, within rounding``
    (ProductShape(outputs, inputs, count))
    seed
    =
    let w, x, upstream =
        drawn seed 0L outputs inputs, drawn seed 1L inputs count, drawn seed 2L outputs count

    Kernels.weightGradient upstream x
    |> cells
    |> Approximately.within
        (spread Approximately.doubleRounding count upstream (x.Transpose()))
        (cells (upstream.TransposeAndMultiply x))

    Kernels.inputGradient w upstream
    |> cells
    |> Approximately.within
        (spread Approximately.doubleRounding outputs (w.Transpose()) upstream)
        (cells (w.TransposeThisAndMultiply upstream))

[<Law>]
let ``every element is one chain of fused multiply-adds, the inner index ascending``
    (ProductShape(rows, depth, columns))
    seed
    =
    let w, b, x =
        drawn seed 0L rows depth, drawnVector seed 1L rows, drawn seed 2L depth columns

    let upstream = drawn seed 3L rows columns

    Kernels.affine w b x
    |> cells
    |> Exactly.bits [|
        for j in 0 .. columns - 1 do
            for i in 0 .. rows - 1 do
                chain b[i] (seq { for k in 0 .. depth - 1 -> w[i, k], x[k, j] })
    |]

    Kernels.weightGradient upstream x
    |> cells
    |> Exactly.bits [|
        for k in 0 .. depth - 1 do
            for i in 0 .. rows - 1 do
                chain 0.0 (seq { for s in 0 .. columns - 1 -> upstream[i, s], x[k, s] })
    |]

    Kernels.inputGradient w upstream
    |> cells
    |> Exactly.bits [|
        for s in 0 .. columns - 1 do
            for k in 0 .. depth - 1 do
                chain 0.0 (seq { for i in 0 .. rows - 1 -> w[i, k], upstream[i, s] })
    |]

    (Kernels.biasGradient upstream).ToArray()
    |> Exactly.bits [|
        for i in 0 .. rows - 1 ->
            Seq.fold (+) 0.0 (seq { for s in 0 .. columns - 1 -> upstream[i, s] })
    |]

[<Law>]
let ``in single precision too, every element is one chain of fused multiply-adds``
    (ProductShape(rows, depth, columns))
    seed
    =
    let w = drawn seed 0L rows depth |> single
    let b = drawnVector seed 1L rows |> singleVector
    let x = drawn seed 2L depth columns |> single
    let upstream = drawn seed 3L rows columns |> single

    Kernels.affine w b x
    |> cells
    |> Exactly.bits [|
        for j in 0 .. columns - 1 do
            for i in 0 .. rows - 1 do
                chainSingle b[i] (seq { for k in 0 .. depth - 1 -> w[i, k], x[k, j] })
    |]

    Kernels.weightGradient upstream x
    |> cells
    |> Exactly.bits [|
        for k in 0 .. depth - 1 do
            for i in 0 .. rows - 1 do
                chainSingle 0.0f (seq { for s in 0 .. columns - 1 -> upstream[i, s], x[k, s] })
    |]

    Kernels.inputGradient w upstream
    |> cells
    |> Exactly.bits [|
        for s in 0 .. columns - 1 do
            for k in 0 .. depth - 1 do
                chainSingle 0.0f (seq { for i in 0 .. rows - 1 -> w[i, k], upstream[i, s] })
    |]

    (Kernels.biasGradient upstream).ToArray()
    |> Exactly.bits [|
        for i in 0 .. rows - 1 ->
            Seq.fold (+) 0.0f (seq { for s in 0 .. columns - 1 -> upstream[i, s] })
    |]

[<Law>]
let ``every width of register gives the same bits of a product``
    (ProductShape(rows, depth, columns))
    seed
    =
    let w, b, x =
        drawn seed 0L rows depth, drawnVector seed 1L rows, drawn seed 2L depth columns

    let expected = Kernels.affine w b x |> cells

    for run in Registers.bandsForDouble rows do
        let result = Array.zeroCreate (rows * columns)

        run {
            A = cells w
            ARowStep = 1
            AStep = rows
            B = cells x
            BStep = 1
            ColumnStep = depth
            Initial = b.ToArray()
            C = result
            Depth = depth
        }

        Exactly.bits expected result

[<Law>]
let ``in single too, every width of register gives the same bits of a product``
    (ProductShape(rows, depth, columns))
    seed
    =
    // δ·Xᵀ, whose second factor is read across.
    let upstream = drawn seed 0L rows columns |> single
    let x = drawn seed 1L depth columns |> single
    let expected = Kernels.weightGradient upstream x |> cells

    for run in Registers.bandsForSingle rows do
        let result = Array.zeroCreate (rows * depth)

        run {
            A = cells upstream
            ARowStep = 1
            AStep = rows
            B = cells x
            BStep = depth
            ColumnStep = 1
            Initial = Array.zeroCreate rows
            C = result
            Depth = columns
        }

        Exactly.bits expected result

/// Products of several panels of rows, of more products than one block holds, of columns that no tile
/// divides.
[<Theory>]
[<InlineData(70, 1030, 30)>]
[<InlineData(64, 513, 24)>]
[<InlineData(129, 600, 49)>]
[<InlineData(33, 1, 25)>]
[<InlineData(200, 520, 50)>]
[<InlineData(17, 1100, 7)>]
let ``a product too large for the caches is the same chains in registers of every width``
    (rows: int)
    (depth: int)
    (columns: int)
    =
    let seed = Seed 7UL
    let w, x = drawn seed 0L rows depth, drawn seed 1L depth columns
    let b = (drawnVector seed 2L rows).ToArray()
    let a, factors = cells w, cells x

    let expected = [|
        for j in 0 .. columns - 1 do
            for i in 0 .. rows - 1 do
                let mutable sum = b[i]

                for k in 0 .. depth - 1 do
                    sum <- Math.FusedMultiplyAdd(a[k * rows + i], factors[j * depth + k], sum)

                sum
    |]

    let transposed (matrix: Matrix<float>) = cells (matrix.Transpose())

    for run in Registers.bandsForDouble rows do
        for rowStep, step, left in [ 1, rows, a; depth, 1, transposed w ] do
            for factorStep, columnStep, right in [ 1, depth, factors; columns, 1, transposed x ] do
                let result = Array.zeroCreate (rows * columns)

                run {
                    A = left
                    ARowStep = rowStep
                    AStep = step
                    B = right
                    BStep = factorStep
                    ColumnStep = columnStep
                    Initial = b
                    C = result
                    Depth = depth
                }

                Exactly.bits expected result

/// What the call gives with so many threads. The setting belongs to the whole process; others see no
/// bit of it.
let internal withThreads (threads: int) (call: unit -> 'V) : 'V =
    let before = Control.MaxDegreeOfParallelism

    try
        Control.MaxDegreeOfParallelism <- threads
        call ()
    finally
        Control.MaxDegreeOfParallelism <- before

[<Theory>]
[<InlineData(257, 512, 131)>]
[<InlineData(1031, 5, 4099)>]
[<InlineData(300, 20000, 5)>]
[<InlineData(9, 400000, 7)>]
let ``any number of threads gives the same bits of a large product`` rows depth columns =
    let a = drawn (Seed 7UL) 0L rows depth
    let b = drawn (Seed 7UL) 1L depth columns
    let biases = drawnVector (Seed 7UL) 2L rows

    let results () =
        Array.append
            (cells (Kernels.affine a biases b))
            (Array.append
                (cells (Kernels.weightGradient a (b.Transpose())))
                (cells (Kernels.inputGradient (a.Transpose()) b)))

    let alone = withThreads 1 results

    for threads in [ 2; 3; 8 ] do
        withThreads threads results |> Exactly.bits alone

[<Law>]
let ``a sparse or diagonal matrix gives the bits of the dense one``
    (Affine(weights, biases, inputs, upstream))
    =
    let sparse (m: Matrix<float>) : Matrix<float> = Matrix<float>.Build.SparseOfMatrix m

    Kernels.affine (sparse weights) biases (sparse inputs)
    |> cells
    |> Exactly.bits (cells (Kernels.affine weights biases inputs))

    Kernels.weightGradient (sparse upstream) (sparse inputs)
    |> cells
    |> Exactly.bits (cells (Kernels.weightGradient upstream inputs))

    Kernels.inputGradient (sparse weights) (sparse upstream)
    |> cells
    |> Exactly.bits (cells (Kernels.inputGradient weights upstream))

    let diagonal: Matrix<float> =
        Matrix<float>.Build.Diagonal(inputs.RowCount, inputs.RowCount, 2.5)

    Kernels.affine weights biases diagonal
    |> cells
    |> Exactly.bits (
        cells (Kernels.affine weights biases (Matrix<float>.Build.DenseOfMatrix diagonal))
    )

[<Law>]
let ``the adjoints are the derivatives of ⟨δ, W·X + b⟩``
    (Affine(weights, biases, inputs, upstream))
    =
    let value (w: Matrix<float>) (b: Vector<float>) (x: Matrix<float>) =
        Array.fold2 (fun sum d z -> sum + d * z) 0.0 (cells upstream) (cells (Kernels.affine w b x))

    let like (m: Matrix<float>) (values: float[]) =
        Matrix<float>.Build.Dense(m.RowCount, m.ColumnCount, values)

    Kernels.weightGradient upstream inputs
    |> cells
    |> Approximately.equal
        Approximately.definition
        (Reference.gradient (fun w -> value (like weights w) biases inputs) (cells weights))

    Kernels.inputGradient weights upstream
    |> cells
    |> Approximately.equal
        Approximately.definition
        (Reference.gradient (fun x -> value weights biases (like inputs x)) (cells inputs))

    (Kernels.biasGradient upstream).ToArray()
    |> Approximately.equal
        Approximately.definition
        (Reference.gradient
            (fun b -> value weights (Vector<float>.Build.Dense b) inputs)
            (biases.ToArray()))

[<Fact>]
let ``shapes that do not fit are refused with both in the message`` () =
    let m rows columns =
        Matrix<float>.Build.Dense(rows, columns)

    let v length = Vector<float>.Build.Dense(length: int)

    Exactly.refused [ "(2, 3)"; "(4, 1)" ] (fun () -> Kernels.affine (m 2 3) (v 2) (m 4 1))
    Exactly.refused [ "(2, 3)"; "5" ] (fun () -> Kernels.affine (m 2 3) (v 5) (m 3 1))
    Exactly.refused [ "(2, 3)"; "(4, 2)" ] (fun () -> Kernels.weightGradient (m 2 3) (m 4 2))
    Exactly.refused [ "(2, 3)"; "(3, 2)" ] (fun () -> Kernels.inputGradient (m 2 3) (m 3 2))
    Exactly.refused [ "(2, 3)"; "(3, 2)" ] (fun () -> Kernels.subtractScaled 0.1 (m 2 3) (m 3 2))
    Exactly.refused [ "2"; "3" ] (fun () -> Kernels.subtractScaledVector 0.1 (v 2) (v 3))
