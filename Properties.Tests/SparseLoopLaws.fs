/// SparseLoops.fs and CompressedBytes.fs: leaving out zeros changes no bit.
module Pipeline.Properties.SparseLoopLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning

/// A matrix of numbers within ±10 of which two thirds are 0; whole rows too.
let private sparse seed place rows columns : Matrix<float> =
    (KernelLaws.drawn seed place rows columns)
        .MapIndexed(fun i _ x -> if i % 4 = 3 || x < 3.0 then 0.0 else x)

let private rowsOf (x: Matrix<'T>) =
    match Kernels.compressedRows (Matrix<'T>.Build.SparseOfMatrix x) with
    | ValueSome rows -> rows
    | ValueNone -> failwith "Math.NET's sparse matrices are no longer stored by compressed rows"

[<Law>]
let ``a sparse input gives the bits of the same input, dense``
    (ProductShape(rows, depth, columns))
    seed
    =
    let w, x, upstream =
        KernelLaws.drawn seed 0L rows depth,
        sparse seed 1L depth columns,
        KernelLaws.drawn seed 2L rows columns

    let b = (KernelLaws.drawn seed 3L rows 1).Column 0
    let xs = Matrix<float>.Build.SparseOfMatrix x
    Exactly.bits (cells (Kernels.affine w b x)) (cells (Kernels.affine w b xs))

    Exactly.bits
        (cells (Kernels.weightGradient upstream x))
        (cells (Kernels.weightGradient upstream xs))

[<Law>]
let ``every width of register gives the same bits of a sparse product``
    (ProductShape(rows, depth, columns))
    seed
    =
    let w, x = KernelLaws.drawn seed 0L rows depth, sparse seed 1L depth columns
    let b = (KernelLaws.drawn seed 2L rows 1).Column 0
    let upstream = KernelLaws.drawn seed 3L rows columns

    for run in Registers.forDouble rows do
        let result = Array.zeroCreate (rows * columns)

        run {
            W = cells w
            Biases = b.ToArray()
            X = rowsOf x
            Batch = columns
            Z = result
        }

        Exactly.bits (cells (Kernels.affine w b x)) result
        let gradient = Array.zeroCreate (rows * depth)

        run {
            Upstream = cells upstream
            Rows = rows
            Inputs = rowsOf x
            Gradient = gradient
        }

        Exactly.bits (cells (Kernels.weightGradient upstream x)) gradient

/// Images of a few bytes that are not 0 among many that are.
let private mostlyEmpty seed count =
    let pixels =
        KernelLaws.drawn seed 0L 16 count
        |> cells
        |> Array.map (fun x -> if x < 4.0 then 0uy else byte (25.0 * x))

    {
        Count = count
        Rows = 4
        Columns = 4
        Pixels = ReadOnlyMemory pixels
    }

[<Law>]
let ``images of few pixels train as the same numbers do in dense columns``
    seed
    (count: FsCheck.PositiveInt)
    =
    let count = 40 + count.Get % 20
    let images = mostlyEmpty seed count
    let labels = Array.init count (fun s -> s % 3)
    let compressed: Dataset<float32> = Dataset.ofIdx 3 images labels |> orFail
    let all = Dataset.take [| 0 .. count - 1 |] compressed
    Assert.True((Kernels.compressedRows all.Inputs).IsSome)

    let numbers =
        images.Pixels.ToArray() |> Array.map (fun pixel -> float32 pixel / 255.0f)

    Exactly.bits numbers (all.Inputs.ToColumnMajorArray())

    let dense =
        Dataset.ofColumns 3 (Matrix<float32>.Build.Dense(16, count, numbers)) all.Targets

    let settings =
        Hyperparameters.create
            (RunLength.Iterations 12L)
            7
            0.5
            0.1
            Sampling.Epoch
            GradientMethod.Backpropagation
            5UL
        |> orFail

    let hash data =
        Seq.fold
            (fun state _ -> Trainer.step settings data state)
            (Trainer.start settings (Architecture.dense Activation.Sigmoid [ 16; 21; 3 ]))
            [ 1..12 ]
        |> fun state -> Parameters.toBytes state.Network.Parameters

    Exactly.bits (hash dense) (hash compressed)

[<Fact>]
let ``images of many pixels stay dense`` () =
    let images = {
        Count = 2
        Rows = 1
        Columns = 4
        Pixels = ReadOnlyMemory [| 1uy; 2uy; 0uy; 4uy; 0uy; 6uy; 0uy; 0uy |]
    }

    let data: Dataset<float> = Dataset.ofIdx 2 images [| 0; 1 |] |> orFail
    let inputs = (Dataset.take [| 1; 0 |] data).Inputs
    Assert.True((Kernels.compressedRows inputs).IsNone)

    Exactly.bits
        [| 0.0; 6.0 / 255.0; 0.0; 0.0; 1.0 / 255.0; 2.0 / 255.0; 0.0; 4.0 / 255.0 |]
        (inputs.ToColumnMajorArray())
