/// SampleWeights.fs, Dataset.fs, MiniBatch.fs, Loss.fs: a sample of weight k is k samples.
module Pipeline.Properties.SampleWeightsLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private heads = [ Head.Softmax; Head.Sigmoid; Head.Identity ]

/// Samples with targets that fit a head, and how often each counts.
let private samples (head: Head) (Seed seed) : Dataset<float> * int[] =
    let count = 7

    let random draw i =
        RandomNumbers.uniform seed RandomStream.GradientCheck draw i

    let matrix draw rows =
        Matrix<float>.Build.Dense(rows, count, fun i s -> random draw (rows * s + i))

    let targets =
        if head = Head.Identity then
            Targets.Columns(4.0 * matrix 0L 2)
        else
            Targets.Labels(Array.init count (fun s -> int (2.0 * random 0L s)))

    Dataset.ofColumns 2 (matrix 1L 3 - 0.5) targets,
    // Some samples do not count at all.
    Array.init count (fun s -> if s = 0 then 2 else int (4.0 * random 2L s))

let private network (head: Head) (Seed seed) : Network<float> =
    Architecture.create
        head
        (Shape.Vector 3)
        (LayerKinds.parse [] [ "dense 4"; "tanh"; "dense 2" ] |> orFail)
    |> orFail
    |> Network.initialise (Initialiser.Fixed 0.5) seed

let private whole (data: Dataset<'T>) =
    Dataset.take [| 0 .. data.Count - 1 |] data

let private repeated (times: int[]) = [|
    for s, count in Array.indexed times do
        yield! Array.replicate count s
|]

let private vector (parameters: Parameters<'T>) =
    (Parameters.toVector parameters).ToArray()

[<Law>]
let ``a sample of weight k has the loss and the gradient of k equal samples`` seed =
    for head in heads do
        let data, times = samples head seed
        let network = network head seed
        let weighted = Dataset.withWeights (Array.map float times) data

        let struct (loss, gradient) = Gradient.backward network (whole weighted)

        let struct (expected, expectedGradient) =
            Gradient.backward network (Dataset.take (repeated times) data)

        Approximately.equal 1e-12 [| expected |] [| loss |]
        Approximately.equal 1e-12 [| loss |] [| Network.loss network (whole weighted) |]
        Approximately.equal 1e-12 [| loss |] [| (Network.evaluate network weighted).Loss |]
        Approximately.equal 1e-12 (vector expectedGradient) (vector gradient)

        let struct (_, numerical) =
            Gradient.numericalOfLoss Gradient.DefaultStep network (whole weighted)

        Approximately.equal 1e-6 (vector numerical) (vector gradient)

[<Law>]
let ``the chapter's numerical gradient has the weights too`` seed =
    let data, times = samples Head.Softmax seed
    let weighted = Dataset.withWeights (Array.map float times) data |> whole

    let network =
        Architecture.dense Activation.Sigmoid [ 3; 4; 2 ]
        |> Network.initialise (Initialiser.Fixed 0.5) 1UL

    let struct (_, gradient) = Gradient.backward network weighted

    let struct (_, numerical) =
        Gradient.numericalOfLoss Gradient.DefaultStep network weighted

    Approximately.equal 1e-6 (vector numerical) (vector gradient)

[<Law>]
let ``a mini-batch keeps the weights of its samples, in either precision`` seed =
    let data, times = samples Head.Identity seed
    let network = network Head.Identity seed
    let times = Array.map float times
    let order = [| 3; 0; 0; 6 |]
    let batch = Dataset.take order (Dataset.withWeights times data)

    let given =
        let mean = Array.average times

        Dataset.take order data
        |> MiniBatch.withWeights (order |> Array.map (fun s -> times[s] / mean))

    Exactly.bits [| Network.loss network given |] [| Network.loss network batch |]

    Exactly.bits [| Network.loss network batch |] [|
        Network.loss network (Dataset.withWeights times data |> Dataset.select order |> whole)
    |]

    let single: Network<float32> = Network.convert network

    Approximately.equal 1e-5 [| Network.loss network batch |] [|
        float (Network.loss single (MiniBatch.convert batch))
    |]

[<Law>]
let ``samples that all count once have the bits of samples without weights`` seed =
    for head in [ Head.Sigmoid; Head.Identity ] do
        let data, _ = samples head seed
        let network = network head seed
        let weighted = Dataset.withWeights (Array.create data.Count 3.0) data
        let struct (loss, gradient) = Gradient.backward network (whole weighted)
        let struct (expected, expectedGradient) = Gradient.backward network (whole data)
        Exactly.bits [| expected |] [| loss |]
        Exactly.bits (vector expectedGradient) (vector gradient)

        Exactly.bits [| expected |] [|
            Network.loss network (whole (Dataset.withoutWeights weighted))
        |]

[<Fact>]
let ``weights that do not fit are refused`` () =
    let data, _ = samples Head.Softmax (Seed 1UL)

    let weigh weights =
        Dataset.withWeights weights data |> ignore

    Exactly.refused [ "7 weights"; "found 1" ] (fun () -> weigh [| 1.0 |])
    Exactly.refused [ "greater than 0"; "zeros only" ] (fun () -> weigh (Array.zeroCreate 7))

    for wrong in [ -1.0; nan; infinity ] do
        Exactly.refused [ "0 or greater"; string wrong ] (fun () ->
            weigh (Array.init 7 (fun s -> if s = 3 then wrong else 1.0)))

        Exactly.refused [ "0 or greater"; string wrong ] (fun () ->
            MiniBatch.withWeights (Array.create 7 wrong) (whole data) |> ignore)
