/// Head.fs, Metrics.fs and the losses that go with heads: formulas, gradients, figures.
module Pipeline.Properties.HeadLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private heads = [ Head.Softmax; Head.Sigmoid; Head.Identity ]

/// The network with that head, and the batch with columns of 0 to 1 as targets.
let private under head (network: Network<float>) (batch: MiniBatch<float>) =
    let a = network.Architecture
    let columns = Targets.columns a.Outputs batch.Targets

    {
        network with
            Architecture = Architecture.create head a.Shape a.Layers |> orFail
    },
    MiniBatch.create batch.Inputs (Targets.Columns columns)

/// The loss of one sample, from its formula.
let private lossOf head (t: float[]) (z: float[]) : float =
    match head with
    | Head.Softmax -> Reference.crossEntropy t z
    | Head.Identity -> Array.fold2 (fun sum t z -> sum + (z - t) * (z - t) / 2.0) 0.0 t z
    | Head.Sigmoid ->
        Array.fold2
            (fun sum t z ->
                let y = 1.0 / (1.0 + Math.Exp -z)
                sum - (t * Math.Log y + (1.0 - t) * Math.Log(1.0 - y)))
            0.0
            t
            z

let private columnsOf (matrix: Matrix<float>) : float[] list = [
    for column in matrix.EnumerateColumns() -> column.ToArray()
]

[<Law>]
let ``every head's loss is its formula, the mean over samples`` (Trainable(network, batch)) =
    for head in heads do
        let network, batch = under head network batch
        let z = Network.forward network batch.Inputs |> columnsOf
        let t = Targets.columns network.Architecture.Outputs batch.Targets |> columnsOf

        Approximately.equal Approximately.rounding [| List.map2 (lossOf head) t z |> List.average |] [|
            Network.loss network batch
        |]

[<Law>]
let ``under every head backward is the loss's gradient by definition`` (Trainable(network, batch)) =
    for head in heads do
        let network, batch = under head network batch
        let check = GradientCheck.ofNetwork network batch
        Assert.True(check.Passed, $"{head}: {check}")
        let struct (loss, gradient) = Gradient.backward network batch
        Exactly.bits [| Network.loss network batch |] [| loss |]

        let struct (_, next) =
            Gradient.updateLayers
                (LayerGradient.descend 0.5)
                { Seed = 1UL; Iteration = 0L }
                network
                batch

        Exactly.bits
            (Optimizer.descend 0.5 gradient network.Parameters |> flat)
            (flat next.Parameters)

[<Fact>]
let ``binary cross entropy is finite and exact at logits far out`` () =
    let z = Kernels.matrix 1 4 [| 1000.0; -1000.0; 1000.0; -1000.0 |]
    let t = Targets.Columns(Kernels.matrix 1 4 [| 1.0; 0.0; 0.0; 1.0 |])
    let struct (loss, gradient) = Loss.binaryCrossEntropyWithGradient t z
    Exactly.equal 500.0 loss
    Exactly.bits [| 0.0; 0.0; 0.25; -0.25 |] (gradient.ToColumnMajorArray())
    let struct (broken, _) = Loss.binaryCrossEntropyWithGradient t (z * nan)
    Assert.True(Double.IsNaN broken)

/// PyTorch 1.13: BCEWithLogitsLoss(reduction='sum') / 2 and MSELoss(reduction='sum') / 4 of these.
[<Fact>]
let ``binary cross entropy and squared error are PyTorch's`` () =
    let z = Kernels.matrix 3 2 [| 0.5; -1.0; 2.0; -0.3; 0.0; 1.5 |]
    let t = Targets.Columns(Kernels.matrix 3 2 [| 1.0; 0.0; 1.0; 0.0; 1.0; 0.2 |])
    Approximately.equal 1e-7 [| 1.78159119288 |] [| Loss.ofHead Head.Sigmoid t z |]
    Approximately.equal 1e-7 [| 1.2575 |] [| Loss.ofHead Head.Identity t z |]

[<Fact>]
let ``labels stand for one-hot columns, of a single output for themselves`` () =
    let labels: Targets<float> = Targets.Labels [| 0; 1; 1 |]
    let z2 = Kernels.matrix 2 3 [| 0.1; 0.4; -0.2; 0.8; 0.9; -0.7 |]
    let z1 = Kernels.matrix 1 3 [| 0.1; 0.4; -0.2 |]

    for head in [ Head.Sigmoid; Head.Identity ] do
        Exactly.equal
            (Loss.ofHead head (Targets.Columns(Targets.oneHot 2 [| 0; 1; 1 |])) z2)
            (Loss.ofHead head labels z2)

        Exactly.equal
            (Loss.ofHead head (Targets.Columns(Kernels.matrix 1 3 [| 0.0; 1.0; 1.0 |])) z1)
            (Loss.ofHead head labels z1)

[<Law>]
let ``what a network says follows its head`` (Trainable(network, batch)) =
    let z = Network.forward network batch.Inputs

    let says head =
        Network.predict (fst (under head network batch)) batch.Inputs

    Exactly.bits (z.ToColumnMajorArray()) ((says Head.Identity).ToColumnMajorArray())

    (says Head.Sigmoid).ToColumnMajorArray()
    |> Approximately.equal
        Approximately.rounding
        (z.ToColumnMajorArray() |> Array.map (fun z -> 1.0 / (1.0 + Math.Exp -z)))

    for column in (says Head.Softmax).EnumerateColumns() do
        Approximately.equal Approximately.rounding [| 1.0 |] [| column.Sum() |]

    // One sample at a time says the same bits.
    for head in heads do
        let network, _ = under head network batch
        let all = Network.predict network batch.Inputs
        let predictor = Predictor<float> network

        for s in 0 .. batch.Count - 1 do
            let one = Array.zeroCreate network.Architecture.Outputs
            predictor.Predict(ReadOnlySpan((batch.Inputs.Column s).ToArray()), Span one)
            Exactly.bits ((all.Column s).ToArray()) one

[<Fact>]
let ``what is right: the greatest of classes, each answer of yes and no, nothing of numbers`` () =
    let z = Kernels.matrix 2 3 [| 0.5; 0.2; -0.5; 0.3; 0.1; -0.2 |]
    let t = Targets.Columns(Kernels.matrix 2 3 [| 1.0; 0.0; 1.0; 0.0; 0.0; 0.0 |])
    let labels: Targets<float> = Targets.Labels [| 0; 0; 1 |]
    // Columns: (+,+) of (1,0), (−,+) of (1,0), (+,−) of (0,0).
    Exactly.equal 1.0 (Metrics.correct Head.Sigmoid t z)
    Exactly.equal 2.0 (Metrics.correct Head.Softmax t z)

    for head in heads do
        Exactly.equal 1.0 (Metrics.correct head labels z)

    Assert.True(Double.IsNaN(Metrics.correct Head.Identity t z))

    Exactly.equal
        2.0
        (Metrics.correct
            Head.Sigmoid
            (Targets.Labels [| 1; 1; 0 |])
            (Kernels.matrix 1 3 [| 2.0; -1.0; -3.0 |]))

[<Law>]
let ``root mean squared error and R² are their formulas`` (SameShape(targets, predictions)) =
    let t, y = targets.ToColumnMajorArray(), predictions.ToColumnMajorArray()
    let squares = Array.map2 (fun t y -> (y - t) * (y - t)) t y
    let found = Metrics.rootMeanSquaredError (Targets.Columns targets) predictions
    Approximately.equal Approximately.rounding [| Math.Sqrt(Array.average squares) |] [| found |]

    let variation =
        Seq.sum [
            for row in targets.EnumerateRows() do
                let mean = Seq.average row
                yield! row |> Seq.map (fun x -> (x - mean) * (x - mean))
        ]

    if variation > 1e-9 then
        Approximately.equal 1e-9 [| 1.0 - Array.sum squares / variation |] [|
            Metrics.rSquared (Targets.Columns targets) predictions
        |]

        Exactly.equal 1.0 (Metrics.rSquared (Targets.Columns targets) targets)

[<Fact>]
let ``a straight line is learned, and R² says so`` () =
    let x = Array.init 50 (fun i -> float i / 25.0 - 1.0)
    let t = x |> Array.map (fun x -> 3.0 * x - 0.5)

    let data =
        Dataset.ofColumns 1 (Kernels.matrix 1 50 x) (Targets.Columns(Kernels.matrix 1 50 t))

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 2000L
                BatchSize = 50
                Sampling = Sampling.Epoch
        }
        |> orFail

    let start: TrainingState<float> =
        Architecture.ofHidden Head.Identity 1 [] 1 |> orFail |> Trainer.start settings

    let ended = Trainer.advance settings data 2000L (fun _ _ -> true) start
    let said = Network.probabilities ended.Network data
    Assert.InRange(Metrics.rSquared data.Targets said, 0.999999, 1.0)
    Assert.InRange(Metrics.rootMeanSquaredError data.Targets said, 0.0, 1e-3)
    Assert.True(Double.IsNaN (Network.evaluate ended.Network data).Accuracy)

[<Theory>]
[<InlineData("softmax")>]
[<InlineData("Sigmoid")>]
[<InlineData("IDENTITY")>]
let ``heads are found by name in any case`` (name: string) =
    Assert.Equal(name, string (Head.parse name |> orFail), ignoreCase = true)

[<Fact>]
let ``softmax of one class is refused, one number or answer is not`` () =
    Assert.True((Architecture.ofHidden Head.Softmax 3 [] 1).IsError)
    Assert.True((Architecture.ofHidden Head.Sigmoid 3 [] 1).IsOk)
    Assert.True((Architecture.ofHidden Head.Identity 3 [] 1).IsOk)
    Assert.True((Architecture.ofHidden Head.Identity 3 [] 0).IsError)
