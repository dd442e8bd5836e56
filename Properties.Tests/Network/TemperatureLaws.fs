/// Temperature.fs: probabilities as confident as they are right, with the same classes.
module Pipeline.Properties.TemperatureLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private classes = 3

/// Samples whose inputs are the logits of a network that passes them on, and whose classes are drawn with the
/// probabilities of these logits.
let private samples (seed: uint64) (count: int) : Dataset<float> =
    let logits =
        Matrix<float>
            .Build.Dense(
                classes,
                count,
                fun k s ->
                    2.0 * RandomNumbers.normal seed RandomStream.InitialWeights 0L (s * classes + k)
            )

    let labels =
        Array.init count (fun s ->
            let weights = logits.Column(s).ToArray() |> Array.map Math.Exp
            let u = RandomNumbers.uniform seed RandomStream.Test 0L s * Array.sum weights

            if u < weights[0] then 0
            elif u < weights[0] + weights[1] then 1
            else 2)

    Dataset.ofColumns classes logits (Targets.Labels labels)

/// A network whose logits are its inputs times a factor.
let private network (head: Head) (factor: float) : Network<float> =
    let architecture =
        Architecture.create head (Shape.Vector classes) [ Layers.dense classes ]
        |> orFail

    {
        Network.initialise (Initialiser.Fixed 1.0) 1UL architecture with
            Parameters = {
                Layers = [
                    LayerParameters.dense
                        (factor * Matrix<float>.Build.DenseIdentity classes)
                        (Vector<float>.Build.Dense classes)
                ]
            }
    }

let private lossAt temperature network data =
    (Network.evaluate (Temperature.apply temperature network) data).Loss

[<Law>]
let ``no temperature has a lower loss than the fitted one`` (Seed seed) =
    let data = samples seed 60

    for head in [ Head.Softmax; Head.Sigmoid ] do
        let network = network head 1.7
        let fitted = Temperature.fit network data
        Assert.True(fitted >= Temperature.Lowest && fitted <= Temperature.Highest)
        let least = lossAt fitted network data

        for step in [ 0.5; 0.9; 0.999; 1.001; 1.1; 2.0 ] do
            let other = Math.Clamp(fitted * step, Temperature.Lowest, Temperature.Highest)

            Assert.True(
                lossAt other network data >= least - 1e-12,
                $"T = {other} has a lower loss than T = {fitted}"
            )

[<Law>]
let ``multiplying the logits by a factor multiplies the fitted temperature by it`` (Seed seed) =
    let data = samples seed 200
    let fitted = Temperature.fit (network Head.Softmax 1.0) data

    for factor in [ 0.5; 3.0 ] do
        let scaled = Temperature.fit (network Head.Softmax factor) data

        if factor * fitted < 9.9 && factor * fitted > 0.11 then
            Approximately.equal 1e-6 [| factor * fitted |] [| scaled |]

[<Fact>]
let ``the temperature of probabilities that are right is 1, of those three times too confident 3``
    ()
    =
    let data = samples 5UL 20000

    Approximately.equal 0.05 [| 1.0; 3.0 |] [|
        Temperature.fit (network Head.Softmax 1.0) data
        Temperature.fit (network Head.Softmax 3.0) data
    |]

[<Law>]
let ``classes stay, and so does the accuracy`` (Seed seed) =
    let data = samples seed 100

    for head in [ Head.Softmax; Head.Sigmoid ] do
        let before = network head 2.5
        let after = Temperature.apply (Temperature.fit before data) before

        Exactly.equal
            (Network.classify (Network.probabilities before data))
            (Network.classify (Network.probabilities after data))

        Exactly.equal (Network.evaluate before data).Accuracy (Network.evaluate after data).Accuracy

[<Fact>]
let ``a network that cannot take a temperature over is refused`` () =
    let create head layers =
        Architecture.create head (Shape.Vector 2) layers |> orFail

    Assert.False(Temperature.applies (create Head.Identity [ Layers.dense 1 ]))

    let activated =
        create Head.Softmax [ Layers.dense 2; Layers.activation Activation.Tanh ]

    Assert.False(Temperature.applies activated)
    Assert.True(Temperature.applies (create Head.Softmax [ Layers.dense 2 ]))

    Assert.Throws<ArgumentException>(fun () ->
        Network.initialise (Initialiser.Fixed 1.0) 1UL activated
        |> Temperature.apply 2.0
        |> fun (_: Network<float>) -> ())
    |> ignore
