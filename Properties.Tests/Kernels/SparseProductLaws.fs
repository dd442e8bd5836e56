/// SparseBytes.fs, SparseProduct.fs and Inputs.fs: leaving out blank pairs changes no bit.
module Pipeline.Properties.SparseProductLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

/// Bytes of which a third are not 0, sample after sample, and the mini-batch of some of the samples.
let private bytes seed features samples =
    KernelLaws.drawn seed 0L features samples
    |> cells
    |> Array.map (fun x -> if x < 3.0 then 0uy else byte (25.0 * x))

let private batchOf (features: int) (pixels: byte[]) (places: int[]) : SparseBatch =
    match SparseBytes.create features (ReadOnlyMemory pixels) with
    | ValueSome pairs -> { Source = pairs; Samples = places }
    | ValueNone -> failwith "expected samples blank enough for pairs"

/// As blank as pairs take them, and more: whole columns of 0 beside the drawn ones.
let private blankEnough seed features samples =
    let drawn = bytes seed features samples
    let wide = 4 * features + 1

    wide,
    Array.init (wide * samples) (fun n ->
        let s, i = n / wide, n % wide
        if i < features then drawn[s * features + i] else 0uy)

let private numbers features (pixels: byte[]) (places: int[]) : Matrix<float> =
    Matrix<float>
        .Build
        .Dense(features, places.Length, fun i s -> float pixels[places[s] * features + i] / 255.0)

[<Law>]
let ``pairs of bytes give the bits of the same numbers in dense columns``
    (ProductShape(rows, features, samples))
    seed
    =
    let features, pixels = blankEnough seed features samples
    // More samples than a chunk holds, some of them twice.
    let places =
        Array.init (SparseBytes.LargestChunk + 2 * samples) (fun i -> i * i % samples)

    let count = places.Length
    let batch = batchOf features pixels places
    let x = numbers features pixels places
    Exactly.bits (cells x) (cells (Inputs.Pairs batch).Numbers)

    let w, b, upstream =
        KernelLaws.drawn seed 1L rows features,
        (KernelLaws.drawn seed 2L rows 1).Column 0,
        KernelLaws.drawn seed 3L rows count

    let z, gradient = Kernels.affine w b x, Kernels.weightGradient upstream x
    let asTheyCome: Inputs<float> = Inputs.Pairs batch
    Exactly.bits (cells z) (cells (Inputs.affine w b asTheyCome))
    Exactly.bits (cells gradient) (cells (Inputs.weightGradient upstream asTheyCome))
    let descended = Kernels.subtractScaled 0.3 gradient w

    batch
    |> SparseBytes.withBatchByInput (fun buckets ->
        let inputs: Inputs<float> = Inputs.Buckets buckets
        Exactly.bits (cells z) (cells (Inputs.affine w b inputs))
        Exactly.bits (cells gradient) (cells (Inputs.weightGradient upstream inputs))
        Exactly.bits (cells descended) (cells (Inputs.descend 0.3 w upstream inputs))

        for run in Registers.bandsForDouble rows do
            let result = Array.zeroCreate (rows * count)

            run {
                W = cells w
                Biases = b.ToArray()
                Table = ByteScale<float>.Table
                Inputs = buckets
                Z = result
            }

            Exactly.bits (cells z) result
            let result = Array.zeroCreate (rows * count)

            run {
                ColumnsOfW = cells w
                InitialSums = b.ToArray()
                Bytes = ByteScale<float>.Table
                Batch = batch
                Sums = result
            }

            Exactly.bits (cells z) result
            let result = Array.zeroCreate (rows * features)
            let op: SubtractScaled<float> = { NegativeRate = -0.3 }

            run {
                Op = op
                Weights = cells w
                Upstream = cells upstream
                Rows = rows
                Table = ByteScale<float>.Table
                Inputs = buckets
                Result = result
            }

            Exactly.bits (cells descended) result)

/// Images of a few bytes that are not 0 among many that are.
let private mostlyEmpty seed count =
    let pixels =
        KernelLaws.drawn seed 0L 16 count
        |> cells
        |> Array.map (fun x -> if x < 7.0 then 0uy else byte (25.0 * x))

    {
        Count = count
        Size = ImageSize.Grey(4, 4)
        Pixels = ReadOnlyMemory pixels
    }

[<Law>]
let ``blank images train as the same numbers do in dense columns``
    seed
    (count: FsCheck.PositiveInt)
    =
    let count = 40 + count.Get % 20
    let images = mostlyEmpty seed count
    let labels = Array.init count (fun s -> s % 3)
    let compressed: Dataset<float32> = Dataset.ofIdx 3 images labels |> orFail
    let all = Dataset.take [| 0 .. count - 1 |] compressed
    Assert.True all.FirstInputs.IsPairs

    let numbers =
        images.Pixels.ToArray() |> Array.map (fun pixel -> float32 pixel / 255.0f)

    Exactly.bits numbers (all.Inputs.ToColumnMajorArray())

    let dense =
        Dataset.ofColumns 3 (Matrix<float32>.Build.Dense(16, count, numbers)) all.Targets

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 12L
                BatchSize = 7
                LearningRate = 0.5
                Initialiser = Initialiser.Fixed 0.1
                Sampling = Sampling.Epoch
                Seed = 5UL
        }
        |> orFail

    let hash data =
        Seq.fold
            (fun state _ -> Trainer.step settings data state)
            (Trainer.start settings (Architecture.dense Activation.Sigmoid [ 16; 21; 3 ]))
            [ 1..12 ]
        |> fun state -> Parameters.toBytes state.Network.Parameters

    Exactly.bits (hash dense) (hash compressed)

[<Fact>]
let ``images with few blank pairs stay dense`` () =
    let images = {
        Count = 2
        Size = ImageSize.Grey(1, 4)
        Pixels = ReadOnlyMemory [| 1uy; 2uy; 0uy; 4uy; 0uy; 6uy; 0uy; 0uy |]
    }

    let data: Dataset<float> = Dataset.ofIdx 2 images [| 0; 1 |] |> orFail
    let batch = Dataset.take [| 1; 0 |] data
    Assert.False batch.FirstInputs.IsPairs

    Exactly.bits
        [| 0.0; 6.0 / 255.0; 0.0; 0.0; 1.0 / 255.0; 2.0 / 255.0; 0.0; 4.0 / 255.0 |]
        (batch.Inputs.ToColumnMajorArray())
