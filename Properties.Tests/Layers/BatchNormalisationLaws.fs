/// BatchNormalisation.fs: layers normalised over the mini-batch, in training and after.
module Pipeline.Properties.BatchNormalisationLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private step = { Seed = 0UL; Iteration = 0L }

/// A network with normalised layers, gains and running moments of its own.
let private normalisedWith dropout (seed: uint64) (activation: Activation) : Network<float> =
    let layer width isNormalised = {
        Width = width
        Normalised = isNormalised
        Activation = activation
        Dropout = dropout
    }

    let architecture =
        Architecture.ofHidden Head.Softmax 3 [ layer 4 true; layer 3 false; layer 5 true ] 2
        |> orFail

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.8) seed architecture

    let number place i =
        RandomNumbers.normal seed RandomStream.GradientCheck place i

    {
        network with
            Parameters =
                network.Parameters
                |> mapTensors (fun name values ->
                    if name[0] = 'W' then
                        values
                    else
                        values |> Array.mapi (fun i x -> x + 0.5 * number (int64 name[1]) i))
            Running =
                network.Running
                |> List.mapi (fun k ->
                    LayerParameters.map (fun _ matrix -> matrix) (fun name vector ->
                        vector.MapIndexed(fun i _ ->
                            if name = "mean" then
                                number (int64 k + 100L) i
                            else
                                0.1 + abs (number (int64 k + 200L) i))))
    }

let private normalised = normalisedWith 0.0

let private meanOf (running: LayerParameters<float>) = (running.Vector "mean").ToArray()
let private varianceOf (running: LayerParameters<float>) = (running.Vector "variance").ToArray()

let private batch (seed: uint64) (count: int) : MiniBatch<float> =
    let x =
        Array.init (3 * count) (RandomNumbers.normal seed RandomStream.GradientCheck 7L)

    MiniBatch.create (Kernels.matrix 3 count x) (Targets.Labels(Array.init count (fun s -> s % 2)))

/// The last sums and every normalised layer's mean and variance, written a second time.
let private reference inTraining (network: Network<float>) (inputs: Matrix<float>) =
    let mutable x = inputs.ToArray()
    let count = inputs.ColumnCount
    let running = ResizeArray(network.Running)
    let moments = ResizeArray()

    let parameters = System.Collections.Generic.Queue(network.Parameters.Layers)

    for layer in network.Architecture.Layers do
        match layer.Name, Activation.parse layer.Name with
        | _, Ok activation -> x <- x |> Array2D.map (Reference.activate activation)
        | "batchnorm", _ ->
            let own = parameters.Dequeue()
            let gain, shift = own.Vector "g", own.Vector "b"
            let rows = Array2D.length1 x
            let row r = Array.init count (fun s -> x[r, s])
            let given = running[0]
            running.RemoveAt 0

            let mean, variance =
                if inTraining then
                    let mean = Array.init rows (fun r -> Array.average (row r))

                    mean,
                    Array.init rows (fun r ->
                        row r |> Array.averageBy (fun u -> (u - mean[r]) ** 2.0))
                else
                    meanOf given, varianceOf given

            moments.Add((mean, variance))

            x <-
                x
                |> Array2D.mapi (fun r _ u ->
                    gain[r] * (u - mean[r]) / Math.Sqrt(variance[r] + 1e-5) + shift[r])
        | _ ->
            let own = parameters.Dequeue()
            let w, inputs = own.Weights, x

            x <-
                Array2D.init w.RowCount count (fun r s ->
                    let sum = Seq.sum [ for c in 0 .. w.ColumnCount - 1 -> w[r, c] * inputs[c, s] ]
                    if own.Vectors.IsEmpty then sum else sum + own.Biases[r])

    x, List.ofSeq moments

let private columnMajor (m: float[,]) =
    Array.init m.Length (fun i -> m[i % Array2D.length1 m, i / Array2D.length1 m])

/// A gradient by definition, of the fourth order: standardised sums are strongly curved where they
/// vary little.
let private byDefinition loss (network: Network<float>) : float[] =
    let at step =
        Gradient.numericalOf step loss network |> flat

    Array.map2 (fun coarse fine -> (4.0 * fine - coarse) / 3.0) (at 1e-4) (at 5e-5)

let private activations = [ Activation.Tanh; Activation.Relu; Activation.Gelu ]

[<Law>]
let ``in training and after, the sums are the paper's`` (Seed seed) (FsCheck.PositiveInt count) =
    let batch = batch seed (2 + count % 6)

    for activation in activations do
        let network = normalised seed activation
        let struct (loss, _, _) = Gradient.backwardInTraining step network batch
        let sums, _ = reference true network batch.Inputs

        let expected =
            Loss.crossEntropy
                batch.Targets
                (Kernels.matrix 2 batch.Count (columnMajor sums): Matrix<float>)

        Approximately.equal Approximately.rounding [| expected |] [| loss |]

        let sums, _ = reference false network batch.Inputs

        (Network.forward network batch.Inputs).ToColumnMajorArray()
        |> Approximately.equal Approximately.rounding (columnMajor sums)

[<Law>]
let ``both gradients are by definition, of evaluation and of training`` (Seed seed) =
    let batch = batch seed 5

    for activation in activations do
        let network = normalised seed activation
        let check = GradientCheck.ofNetwork network batch
        Assert.True(check.Passed, $"{activation}: {check}")
        Assert.Contains("g3", check.Tensors |> List.map _.Name)

        if activation <> Activation.Relu then
            let struct (loss, gradient) = Gradient.backward network batch
            Exactly.bits [| Network.loss network batch |] [| loss |]

            byDefinition (fun moved -> Network.loss moved batch) network
            |> Approximately.equal 1e-6 (flat gradient)

            let struct (_, gradient, _) = Gradient.backwardInTraining step network batch

            let struct (_, next) =
                Gradient.updateLayers (LayerGradient.descend 0.1) step network batch

            Exactly.bits
                (Optimizer.descend 0.1 gradient network.Parameters |> flat)
                (flat next.Parameters)

[<Law>]
let ``with dropout besides, the gradient is by definition`` (Seed seed) =
    let network, batch = normalisedWith 0.3 seed Activation.Tanh, batch seed 6
    let step = { Seed = seed; Iteration = 0L }
    let struct (loss, gradient, _) = Gradient.backwardInTraining step network batch
    Exactly.bits [| Network.lossInTraining step network batch |] [| loss |]

    byDefinition (fun moved -> Network.lossInTraining step moved batch) network
    |> Approximately.equal 1e-6 (flat gradient)

[<Law>]
let ``running moments follow by a tenth, the variance as a sample's`` (Seed seed) =
    let network, batch = normalised seed Activation.Tanh, batch seed 5
    let struct (_, _, followed) = Gradient.backwardInTraining step network batch
    let _, own = reference true network batch.Inputs

    for (mean, variance), before, after in List.zip3 own network.Running followed.Running do
        meanOf after
        |> Approximately.equal
            Approximately.rounding
            (Array.map2 (fun old own -> 0.9 * old + 0.1 * own) (meanOf before) mean)

        varianceOf after
        |> Approximately.equal
            Approximately.rounding
            (Array.map2
                (fun old own -> 0.9 * old + 0.1 * own * 5.0 / 4.0)
                (varianceOf before)
                variance)

    Exactly.bits (flat network.Parameters) (flat followed.Parameters)

    Assert.Empty(
        Network.initialise
            (Initialiser.Fixed 0.1)
            seed
            (Architecture.dense Activation.Tanh [ 2; 3; 2 ])
        |> fun (n: Network<float>) -> n.Running
    )

[<Law>]
let ``after training a network is affine layers, and says the same`` (Seed seed) =
    for activation in activations do
        let network, batch = normalised seed activation, batch seed 9
        let plain = ForwardPass.folded network
        Assert.Empty plain.Running
        Assert.DoesNotContain(Layers.batchNormalisation, plain.Architecture.Layers)
        Assert.True(plain.Parameters.Layers |> List.forall (fun layer -> layer.Matrices.Length = 1))

        (Network.forward plain batch.Inputs).ToColumnMajorArray()
        |> Approximately.equal
            Approximately.rounding
            ((Network.forward network batch.Inputs).ToColumnMajorArray())

        // That is what is written, and read back.
        let file = Safetensors.write (Model.ofNetwork network)
        let back: Model<float> = Safetensors.read (ReadOnlyMemory file) |> orFail
        Exactly.bits (flat plain.Parameters) (flat back.Network.Parameters)

[<Law>]
let ``a gain of any size and a shift of the sums change nothing that follows`` (Seed seed) =
    let network, batch = normalised seed Activation.Tanh, batch seed 7
    let first = network.Parameters.Layers.Head

    // Weights k times as large are standardised away, up to ε.
    let scaled = {
        network with
            Parameters = {
                Layers =
                    (first |> LayerParameters.withMatrix "W" (first.Weights * 1000.0))
                    :: network.Parameters.Layers.Tail
            }
    }

    let loss network =
        Network.lossInTraining step network batch

    Assert.InRange(abs (loss scaled - loss network), 0.0, 1e-2)

[<Law(MaxTest = 20)>]
let ``a run with normalised layers is the same whole or by steps, for any threads`` (Seed seed) =
    let data =
        let batch = batch seed 40
        Dataset.ofColumns 2 batch.Inputs batch.Targets

    let architecture = (normalised seed Activation.Relu).Architecture

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 12L
                BatchSize = 8
                Optimizer = OptimizerSpec.create (OptimizerSpec.named "Adam") |> orFail
        }
        |> orFail

    let start: TrainingState<float> = Trainer.start settings architecture
    let stepped = List.fold (fun s _ -> Trainer.step settings data s) start [ 1..12 ]
    let whole = Trainer.advance settings data 12L (fun _ _ -> true) start
    Exactly.bits (flat stepped.Network.Parameters) (flat whole.Network.Parameters)

    for one, other in List.zip stepped.Network.Running whole.Network.Running do
        Exactly.bits (meanOf one) (meanOf other)
        Exactly.bits (varianceOf one) (varianceOf other)

    Assert.Empty (Trainer.currentNetwork whole).Running

[<Fact>]
let ``mini-batches of one sample are refused where a layer is normalised over them`` () =
    let architecture = (normalised 1UL Activation.Relu).Architecture

    Trainer.checkBatch 1 architecture
    |> Exactly.faulted [ "BatchSize"; "2 samples" ]

    Trainer.checkBatch 2 architecture |> orFail |> Exactly.equal 2

[<Fact>]
let ``one sample left for a mini-batch gives a warning, where a layer is normalised over it`` () =
    let said sampling batchSize samples architecture =
        let settings =
            Hyperparameters.create {
                Hyperparameters.Default.Options with
                    Length = RunLength.Iterations 12L
                    BatchSize = batchSize
                    Sampling = sampling
            }
            |> orFail

        Trainer.warnings settings samples architecture

    let normalised = (normalised 1UL Activation.Relu).Architecture

    for samples in [ 9; 17; 81 ] do
        let warning = Assert.Single(said Sampling.Epoch 8 samples normalised)
        Assert.Contains($"one sample (%d{samples} by 8)", warning)
        Assert.Empty(said Sampling.Replacement 8 samples normalised)
        Assert.Empty(said Sampling.Epoch 8 (samples + 1) normalised)
        Assert.Empty(said Sampling.Epoch 8 samples (Architecture.dense Activation.Relu [ 2; 3; 2 ]))
