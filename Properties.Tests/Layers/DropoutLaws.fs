/// Dropout.fs: which units are left out, and the gradient without them.
module Pipeline.Properties.DropoutLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private dropout share seed iteration = {
    Share = share
    Seed = seed
    Iteration = iteration
}

let private masked share seed iteration layer length : float[] =
    dropout share seed iteration |> Dropout.mask layer length

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
        (dropout 0.5 seed iteration |> Dropout.mask 1 1003: float32[])

/// The network without kinks: those left in move units that Trainable keeps away from theirs.
let private smooth (network: Network<float>) : Network<float> =
    let architecture = network.Architecture

    let hidden =
        architecture.Hidden
        |> List.map (fun layer ->
            match layer.Activation with
            | Activation.Relu
            | Activation.LeakyRelu -> {
                layer with
                    Activation = Activation.Tanh
              }
            | _ -> layer)

    {
        network with
            Architecture =
                Architecture.create
                    architecture.Head
                    architecture.Inputs
                    hidden
                    architecture.Outputs
                |> orFail
    }

[<Law>]
let ``with the mask fixed, backward is its loss's gradient by definition``
    (Trainable(network, batch))
    (Seed seed)
    =
    let network = smooth network
    let dropout = dropout 0.4 seed 3L
    let struct (loss, gradient, _) = Gradient.backwardInTraining dropout network batch
    Exactly.equal (Network.lossInTraining dropout network batch) loss

    Gradient.numericalOf 1e-4 (fun moved -> Network.lossInTraining dropout moved batch) network
    |> flat
    |> Approximately.equal 1e-6 (flat gradient)

[<Law>]
let ``leaving out nobody changes no bit`` (Trainable(network, batch)) (Seed seed) =
    let dropout = dropout 0.0 seed 3L
    let struct (expectedLoss, expected) = Gradient.backward network batch
    let struct (loss, gradient, _) = Gradient.backwardInTraining dropout network batch
    Exactly.bits [| expectedLoss |] [| loss |]
    Exactly.bits (flat expected) (flat gradient)

[<Law>]
let ``a unit that is left out of every sample learns nothing`` (Seed seed) =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.5)
            seed
            (Architecture.dense Activation.Tanh [ 3; 40; 2 ])

    let batch =
        MiniBatch.create
            (Kernels.matrix 3 2 [| 0.1; -0.7; 0.4; 0.9; 0.2; -0.5 |])
            (Targets.Labels [| 0; 0 |])

    let dropout = dropout 0.7 seed 0L
    let mask: float[] = Dropout.mask 0 80 dropout
    let struct (_, gradient, _) = Gradient.backwardInTraining dropout network batch
    let layer = gradient.Layers.Head

    for unit in 0..39 do
        let isOut = mask[unit] = 0.0 && mask[40 + unit] = 0.0
        Exactly.equal isOut (layer.Biases[unit] = 0.0)

        if isOut then
            Assert.True((layer.Weights.Row unit).ForAll(fun g -> g = 0.0))
