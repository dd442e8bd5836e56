/// Dropout.fs: which units are left out, and the gradient without them.
module Pipeline.Properties.DropoutLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private masked share seed iteration layer length : float[] =
    DropoutMask.create share { Seed = seed; Iteration = iteration } layer length

[<Law>]
let ``a mask is 0 or 1/(1 − share), in that share, and 1 in the mean``
    (Seed seed)
    (Fraction share)
    =
    let length = 20000
    let mask = masked share seed 5L 0 length
    let hidden = Math.Round(share * 65536.0) / 65536.0
    let kept = 1.0 / (1.0 - hidden)

    for value in mask do
        if value <> 0.0 then
            [| value |] |> Approximately.equal 1e-15 [| kept |]

    let found = mask |> Array.filter (fun value -> value = 0.0) |> Array.length
    let expected = hidden * float length
    // Six deviations of the binomial distribution.
    let slack = 6.0 * sqrt (expected * (1.0 - hidden)) + 1e-9
    Assert.InRange(float found, expected - slack, expected + slack)

[<Law>]
let ``another seed, iteration or layer leaves out others; the same ones the same``
    (Seed seed)
    (FsCheck.NonNegativeInt iteration)
    =
    let iteration = int64 iteration
    let mask = masked 0.5 seed iteration 1 1003
    Exactly.bits mask (masked 0.5 seed iteration 1 1003)
    // A longer layer begins as the shorter one.
    Exactly.bits mask (Array.take 1003 (masked 0.5 seed iteration 1 5000))
    Assert.NotEqual<float[]>(mask, masked 0.5 (seed + 1UL) iteration 1 1003)
    Assert.NotEqual<float[]>(mask, masked 0.5 seed (iteration + 1L) 1 1003)
    Assert.NotEqual<float[]>(mask, masked 0.5 seed iteration 2 1003)

    Exactly.bits
        (mask |> Array.map float32)
        (DropoutMask.create 0.5 { Seed = seed; Iteration = iteration } 1 1003: float32[])

/// The network without kinks, as the units that stay move others that Trainable keeps away from theirs, and with
/// dropout behind every activation.
let private withDropout fraction (network: Network<float>) : Network<float> =
    let architecture = network.Architecture

    let layers =
        architecture.Layers
        |> List.collect (fun layer ->
            match Activation.parse layer.Name with
            | Ok Activation.Relu
            | Ok Activation.LeakyRelu -> [
                Layers.activation Activation.Tanh
                Layers.dropout fraction
              ]
            | Ok _ -> [ layer; Layers.dropout fraction ]
            | Error _ -> [ layer ])

    {
        network with
            Architecture = Architecture.create architecture.Head architecture.Shape layers |> orFail
    }

[<Law>]
let ``with the mask fixed, backward is its loss's gradient by definition``
    (Trainable(network, batch))
    (Seed seed)
    =
    let network = withDropout 0.4 network
    let step = { Seed = seed; Iteration = 3L }
    let struct (loss, gradient, _) = Gradient.backwardInTraining step network batch
    Exactly.equal (Network.lossInTraining step network batch) loss

    Gradient.numericalOf 1e-4 (fun moved -> Network.lossInTraining step moved batch) network
    |> flat
    |> Approximately.equal 1e-6 (flat gradient)

[<Law>]
let ``a fraction of 0 changes no bit, and nothing is left out in evaluation``
    (Trainable(network, batch))
    (Seed seed)
    =
    let without = withDropout 0.0 network
    let step = { Seed = seed; Iteration = 3L }
    let struct (expectedLoss, expected) = Gradient.backward without batch
    let struct (loss, gradient, _) = Gradient.backwardInTraining step without batch
    Exactly.bits [| expectedLoss |] [| loss |]
    Exactly.bits (flat expected) (flat gradient)

    let struct (loss, gradient) = Gradient.backward (withDropout 0.5 network) batch
    Exactly.bits [| expectedLoss |] [| loss |]
    Exactly.bits (flat expected) (flat gradient)

[<Law>]
let ``a unit that is left out of every sample learns nothing`` (Seed seed) =
    let architecture =
        Architecture.ofHidden
            Head.Softmax
            3
            [
                {
                    Width = 40
                    Normalised = false
                    Activation = Activation.Tanh
                    Dropout = 0.7
                }
            ]
            2
        |> orFail

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.5) seed architecture

    let batch =
        MiniBatch.create
            (Kernels.matrix 3 2 [| 0.1; -0.7; 0.4; 0.9; 0.2; -0.5 |])
            (Targets.Labels [| 0; 0 |])

    let mask = masked 0.7 seed 0L 0 80

    let struct (_, gradient, _) =
        Gradient.backwardInTraining { Seed = seed; Iteration = 0L } network batch

    let layer = gradient.Layers.Head

    for unit in 0..39 do
        let isOut = mask[unit] = 0.0 && mask[40 + unit] = 0.0
        Exactly.equal isOut (layer.Biases[unit] = 0.0)

        if isOut then
            Assert.True((layer.Weights.Row unit).ForAll(fun g -> g = 0.0))

[<Fact>]
let ``a fraction near 1 keeps a unit now and then`` () =
    Assert.Contains(65536.0, masked 0.9999999 1UL 0L 0 2000000)
