/// Attribution.fs: what inputs add to a prediction sums up to it, and an input that changes nothing adds nothing.
module Pipeline.Properties.AttributionLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private network (seed: uint64) (head: Head) (activation: Activation) : Network<float> =
    Architecture.create head (Shape.Vector 4) [
        Layers.dense 6
        Layers.activation activation
        Layers.dense 5
        Layers.activation activation
        Layers.dense 3
    ]
    |> orFail
    |> Network.initialise (Initialiser.Fixed 0.8) seed

let private sample (seed: uint64) : Vector<float> =
    Vector<float>.Build.Dense(4, fun i -> RandomNumbers.normal seed RandomStream.GradientCheck 0L i)

let private sum (attribution: Attribution) = attribution.Parts |> List.sumBy snd

/// f of the output, computed by the network itself.
let private predicted (network: Network<float>) output (inputs: Vector<float>) =
    let data = Dataset.ofColumns 3 (inputs.ToColumnMatrix()) (Targets.Labels [| 0 |])

    (Network.probabilities network data)[output, 0]

[<Law>]
let ``the parts sum up to the prediction less that for the baseline`` (Seed seed) =
    for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
        for activation, tolerance in
            [
                Activation.Tanh, 1e-4
                Activation.Sigmoid, 1e-4
                Activation.Silu, 1e-4
                Activation.Relu, 0.05
            ] do
            let network = network seed head activation
            let x = sample seed

            for output in 0..2 do
                let found = Attribution.ofInputs output network x
                Approximately.equal 1e-12 [| predicted network output x |] [| found.Prediction |]

                Approximately.equal 1e-12 [|
                    predicted network output (Vector<float>.Build.Dense 4)
                |] [| found.Baseline |]

                Assert.True(
                    abs (sum found - (found.Prediction - found.Baseline))
                    <= tolerance * (1.0 + abs found.Prediction),
                    $"{head} {activation}: {sum found} for {found.Prediction} less {found.Baseline}"
                )

[<Law>]
let ``of a linear network, each part is its weight times the input`` (Seed seed) =
    let network: Network<float> =
        Architecture.create Head.Identity (Shape.Vector 4) [ Layers.dense 3 ]
        |> orFail
        |> Network.initialise (Initialiser.Fixed 0.8) seed

    let x = sample seed
    let weights = network.Parameters.Layers.Head.Weights

    for output in 0..2 do
        Approximately.equal 1e-12 [| for i in 0..3 -> weights[output, i] * x[i] |] [|
            for _, part in (Attribution.ofInputs output network x).Parts do
                part
        |]

[<Law>]
let ``an input that the network does not use, or that is 0, adds nothing`` (Seed seed) =
    let network = network seed Head.Softmax Activation.Tanh
    let first = network.Parameters.Layers.Head
    let weights = first.Weights.Clone()
    weights.SetColumn(2, Array.zeroCreate 6)

    let without = {
        network with
            Parameters = {
                Layers =
                    (first |> LayerParameters.withMatrix "W" weights)
                    :: network.Parameters.Layers.Tail
            }
    }

    let x = sample seed
    x[1] <- 0.0
    let parts = (Attribution.ofInputs 0 without x).Parts
    Exactly.equal 0.0 (abs (snd parts[2]))
    Exactly.equal 0.0 (abs (snd parts[1]))

[<Law>]
let ``a column adds what its inputs add, in single precision too`` (Seed seed) =
    let network = network seed Head.Softmax Activation.Relu
    let x = sample seed
    let each = (Attribution.ofInputs 1 network x).Parts |> List.map snd

    let columns =
        Attribution.ofColumns 1 [ "a", [ 0; 2 ]; "b", [ 1 ]; "c", [ 3 ] ] network x

    Approximately.equal 1e-15 [| each[0] + each[2]; each[1]; each[3] |] [|
        for _, part in columns.Parts do
            part
    |]

    let single: Network<float32> = Network.convert network

    let found = Attribution.ofInputs 1 single (x.Map(Func<float, float32> float32))

    Approximately.equal 1e-5 (Array.ofList each) [|
        for _, part in found.Parts do
            part
    |]

[<Fact>]
let ``another output or number of inputs is refused`` () =
    let network = network 1UL Head.Softmax Activation.Tanh

    for output, inputs in [ 3, 4; -1, 4; 0, 3 ] do
        Assert.Throws<ArgumentException>(fun () ->
            Attribution.ofInputs output network (Vector<float>.Build.Dense inputs) |> ignore)
        |> ignore
