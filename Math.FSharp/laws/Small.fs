namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Generators of small values, to build one's own from: small enough to read a counterexample, and enough
/// for every index, shape and sum to go wrong in.
[<RequireQualifiedAccess>]
module Small =
    /// <summary>Numbers within ± a limit, a millionth of it apart.</summary>
    [<CompiledName("Number")>]
    let number (limit: float) : Gen<float> =
        Gen.choose (-1000000, 1000000) |> Gen.map (fun n -> limit * float n / 1000000.0)

    /// <summary>Numbers within ±10: 0, sixteenths, and any.</summary>
    [<CompiledName("Cell")>]
    let cell: Gen<float> =
        Gen.frequency [
            1, Gen.constant 0.0
            3, Gen.choose (-160, 160) |> Gen.map (fun n -> float n / 16.0)
            6, number 10.0
        ]

    /// <summary>Sizes of 1 to 4.</summary>
    [<CompiledName("Size")>]
    let size: Gen<int> = Gen.choose (1, 4)

    /// <summary>Matrices of a shape.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="cell">What the cells are drawn from.</param>
    [<CompiledName("Matrix")>]
    let matrix (rows: int) (columns: int) (cell: Gen<float>) : Gen<Matrix<float>> =
        Gen.arrayOfLength (rows * columns) cell
        |> Gen.map (fun values -> Matrix<float>.Build.Dense(rows, columns, values))

    /// <summary>Vectors of a length.</summary>
    /// <param name="length">How many elements.</param>
    /// <param name="cell">What the elements are drawn from.</param>
    [<CompiledName("Vector")>]
    let vector (length: int) (cell: Gen<float>) : Gen<Vector<float>> =
        Gen.arrayOfLength length cell |> Gen.map Vector<float>.Build.Dense

    /// <summary>Labels, each a class from 0.</summary>
    [<CompiledName("Labels")>]
    let labels (classes: int) (count: int) : Gen<int[]> =
        Gen.arrayOfLength count (Gen.choose (0, classes - 1))

    /// <summary>Columns of eighths and the like, 0 or greater, that sum to 1: (classes, count).</summary>
    [<CompiledName("Distributions")>]
    let distributions (classes: int) (count: int) : Gen<Matrix<float>> =
        Gen.arrayOfLength (classes * count) (Gen.choose (0, 8))
        |> Gen.map (fun parts ->
            let part k s =
                // One part more for the first class, so that no column is empty.
                parts[s * classes + k] + (if k = 0 then 1 else 0)

            Matrix<float>
                .Build.Dense(
                    classes,
                    count,
                    fun k s ->
                        float (part k s)
                        / float (List.sum [ for j in 0 .. classes - 1 -> part j s ])
                ))

    /// <summary>Labels or distributions.</summary>
    [<CompiledName("Targets")>]
    let targets (classes: int) (count: int) : Gen<Targets<float>> =
        Gen.oneof [
            labels classes count |> Gen.map Targets.Labels
            distributions classes count |> Gen.map Targets.Columns
        ]

    /// <summary>Any 64 bits.</summary>
    [<CompiledName("Bits")>]
    let bits: Gen<uint64> =
        Gen.arrayOfLength 8 (Gen.choose (0, 255))
        |> Gen.map (fun bytes -> BitConverter.ToUInt64(Array.map byte bytes, 0))

    /// <summary>Architectures under softmax: 1–4 inputs, 0–3 hidden layers of 1–4 units, 2–5
    /// classes.</summary>
    /// <param name="activations">What the layers' activations are drawn from.</param>
    [<CompiledName("Architecture")>]
    let architecture (activations: Gen<Activation>) : Gen<Architecture> = gen {
        let! inputs = size
        let! classes = Gen.choose (2, 5)
        let! depth = Gen.choose (0, 3)

        let! hidden =
            Gen.listOfLength
                depth
                (Gen.map2
                    (fun width activation -> {
                        Width = width
                        Normalised = false
                        Activation = activation
                        Dropout = 0.0
                    })
                    size
                    activations)

        return
            match Architecture.ofHidden Head.Softmax inputs hidden classes with
            | Ok architecture -> architecture
            | Error faults -> failwith (faults |> List.map string |> String.concat " ")
    }

    /// <summary>Networks of an architecture: a row of weights sums to at most 1.5 in size, biases are
    /// within ±1.</summary>
    [<CompiledName("Network")>]
    let network (architecture: Architecture) : Gen<Network<float>> = gen {
        let! layers =
            architecture.Sizes
            |> List.pairwise
            |> List.map (fun (inputs, outputs) -> gen {
                let! weights = matrix outputs inputs (number (1.5 / float inputs))
                let! biases = vector outputs (number 1.0)

                return LayerParameters.dense weights biases
            })
            |> Gen.sequenceToList

        return {
            Architecture = architecture
            Parameters = { Layers = layers }
            Running = []
        }
    }

    /// <summary>Mini-batches for a network: inputs within ±2.</summary>
    /// <param name="architecture">The network's.</param>
    /// <param name="count">Samples.</param>
    [<CompiledName("Batch")>]
    let batch (architecture: Architecture) (count: int) : Gen<MiniBatch<float>> = gen {
        let! inputs = matrix architecture.Inputs count (number 2.0)
        let! targets = targets architecture.Outputs count
        return MiniBatch.create inputs targets
    }

    /// <summary>Whether every sum of every ReLU and leaky ReLU unit is farther from 0 than a margin, for
    /// every sample: then small steps see a smooth loss.</summary>
    [<CompiledName("IsAwayFromKinks")>]
    let isAwayFromKinks (margin: float) (network: Network<float>) (batch: MiniBatch<float>) : bool =
        let layers = Reference.ofNetwork network

        Reference.samples network.Architecture.Outputs batch
        |> List.forall (fun (sample, _) ->
            List.forall2
                (fun (layer: Reference.Layer) z ->
                    (layer.Activation <> Activation.Relu
                     && layer.Activation <> Activation.LeakyRelu)
                    || z |> Array.forall (fun z -> abs z > margin))
                layers
                (Reference.sums layers sample))

    /// <summary>Networks with mini-batches of so many samples, away from kinks by 0.02.</summary>
    [<CompiledName("Trainable")>]
    let trainable (count: int) : Gen<struct (Network<float> * MiniBatch<float>)> =
        gen {
            let! architecture =
                architecture (
                    Gen.elements [
                        Activation.Sigmoid
                        Activation.Tanh
                        Activation.Relu
                        Activation.Identity
                    ]
                )

            let! network = network architecture
            let! batch = batch architecture count
            return struct (network, batch)
        }
        |> Gen.where (fun (struct (network, batch)) -> isAwayFromKinks 0.02 network batch)

    /// <summary>A gradient of the parameters' shape, some of its numbers much smaller than others, some
    /// 0. All 53 bits of the others are drawn, so that no two cancel.</summary>
    [<CompiledName("Gradient")>]
    let gradient (parameters: Parameters<float>) : Gen<Parameters<float>> =
        bits
        |> Gen.map (fun seed ->
            let slope layer place =
                let uniform = RandomNumbers.uniform seed RandomStream.GradientCheck
                let kind = uniform (2L * int64 layer) place

                if kind < 0.05 then
                    0.0
                else
                    let size = 1.0 / float (pown 10 (int (kind * 5.0)))
                    size * (6.0 * uniform (2L * int64 layer + 1L) place - 3.0)

            {
                Layers =
                    parameters.Layers
                    |> List.mapi (fun l layer ->
                        layer
                        |> LayerParameters.map
                            (fun _ matrix ->
                                matrix.MapIndexed(fun o i _ -> slope l (o + i * matrix.RowCount)))
                            (fun name vector ->
                                // Vectors of one layer have numbers of their own.
                                let first = -1 - 100000 * int name[0]
                                vector.MapIndexed(fun o _ -> slope l (first - o))))
            })

    let private extent (least: int) (most: int) : Gen<Extent> =
        Gen.map2
            (fun rows columns -> { Rows = rows; Columns = columns })
            (Gen.choose (least, most))
            (Gen.choose (least, most))

    /// <summary>Windows of 1 to 3 rows and columns with any stride, padding and dilation, and images that they fit
    /// in.</summary>
    /// <param name="channels">What the number of channels is drawn from.</param>
    [<CompiledName("Window")>]
    let window (channels: Gen<int>) : Gen<WindowShape> =
        gen {
            let! channels = channels
            let! image = extent 1 5
            let! size = extent 1 3
            let! stride = extent 1 3
            let! padding = extent 0 2
            let! dilation = extent 1 2

            return {
                Channels = channels
                Image = image
                Window = {
                    Size = size
                    Stride = stride
                    Padding = padding
                    Dilation = dilation
                }
            }
        }
        |> Gen.where (fun shape -> shape.Places.Rows >= 1 && shape.Places.Columns >= 1)

    /// <summary>Windows for pooling: their padding is at most half of them, and they see a number at every
    /// place.</summary>
    [<CompiledName("Pooling")>]
    let pooling: Gen<WindowShape> =
        window (Gen.choose (1, 3))
        |> Gen.where (fun shape ->
            let { Size = size; Padding = padding } = shape.Window

            2 * padding.Rows <= size.Rows
            && 2 * padding.Columns <= size.Columns
            && ImageReference.seen shape
               |> Array.groupBy _.Place
               |> Array.forall (fun (_, numbers) -> numbers |> Array.exists _.Inside.IsSome))

    /// <summary>Convolutions of 1 to 3 groups.</summary>
    [<CompiledName("Convolution")>]
    let convolution: Gen<ConvolutionShape> = gen {
        let! groups = Gen.frequency [ 2, Gen.constant 1; 1, Gen.choose (2, 3) ]
        let! outputs = Gen.frequency [ 3, Gen.choose (1, 3); 1, Gen.choose (4, 8) ]
        let! input = window (Gen.choose (1, 2) |> Gen.map ((*) groups))

        return {
            Input = input
            Outputs = outputs * groups
            Groups = groups
        }
    }
