/// The numbers printed in chapters 3 and 4 of Deep Learning from Scratch.
module Pipeline.Properties.BookFigures

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// The right answer is 2.
let private target = vector [ 0.0; 0.0; 1.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0 ]
/// The network says 2 …
let private right = vector [ 0.1; 0.05; 0.6; 0.0; 0.05; 0.1; 0.0; 0.1; 0.0; 0.0 ]
/// … or 7.
let private wrong = vector [ 0.1; 0.05; 0.1; 0.0; 0.05; 0.1; 0.0; 0.6; 0.0; 0.0 ]

/// The last digits printed hold the rounding of NumPy's own order of operations.
let private printed expected actual =
    [| actual |] |> Approximately.equal 1e-15 [| expected |]

[<Fact>]
let ``squared error: 0.0975 and 0.5975`` () =
    Loss.sumSquaredError target right |> printed 0.0975
    Loss.sumSquaredError target wrong |> printed 0.5975

[<Fact>]
let ``cross entropy: 0.5108 and 2.3026`` () =
    Loss.crossEntropyError target right |> printed 0.510825457099338
    Loss.crossEntropyError target wrong |> printed 2.302584092994546

[<Fact>]
let ``cross entropy of a batch is the mean, from labels or one-hot`` () =
    let y: Matrix<float> = Matrix<float>.Build.DenseOfColumnVectors(right, wrong)
    let t: Matrix<float> = Matrix<float>.Build.DenseOfColumnVectors(target, target)
    let mean = (0.510825457099338 + 2.302584092994546) / 2.0

    Loss.ofBatch Loss.crossEntropyError (Targets.Labels [| 2; 2 |]) y
    |> printed mean

    Loss.ofBatch Loss.crossEntropyError (Targets.Columns t) y |> printed mean

[<Fact>]
let ``numerical derivatives of 0.01x² + 0.1x at 5 and 10, to the last digit`` () =
    let slope at =
        (Gradient.numerical 1e-4 (fun x -> 0.01 * (x[0] * x[0]) + 0.1 * x[0]) (vector [ at ]))[0]

    Exactly.equal 0.1999999999990898 (slope 5.0)
    Exactly.equal 0.2999999999986347 (slope 10.0)

let private squares (x: Vector<float>) = x[0] * x[0] + x[1] * x[1]

[<Fact>]
let ``partial derivatives of x0² + x1² at (3, 4), to the last digit`` () =
    let gradient = Gradient.numerical 1e-4 squares (vector [ 3.0; 4.0 ])
    Exactly.equal 6.00000000000378 gradient[0]
    Exactly.equal 7.999999999999119 gradient[1]

[<Theory>]
[<InlineData(3.0, 4.0, 6.0, 8.0)>]
[<InlineData(0.0, 2.0, 0.0, 4.0)>]
[<InlineData(3.0, 0.0, 6.0, 0.0)>]
let ``gradients of x0² + x1²`` (x0: float) (x1: float) (g0: float) (g1: float) =
    (Gradient.numerical 1e-4 squares (vector [ x0; x1 ])).ToArray()
    |> Approximately.equal 1e-11 [| g0; g1 |]

/// The chapter's simplest network: two inputs, three classes, no hidden layer.
let private simpleNet: Network<float> = {
    Architecture = Architecture.dense Activation.Sigmoid [ 2; 3 ]
    Parameters = {
        Layers = [
            LayerParameters.dense
                // The book's (inputs, outputs), row by row.
                (Matrix<float>
                    .Build.Dense(
                        3,
                        2,
                        [| 0.47355232; 0.9977393; 0.84668094; 0.85557411; 0.03563661; 0.69422093 |]
                    ))
                (Vector<float>.Build.Dense 3)
        ]
    }
    Running = []
}

let private simpleBatch =
    MiniBatch.create
        (Matrix<float>.Build.Dense(2, 1, [| 0.6; 0.9 |]))
        (Targets.Columns(Matrix<float>.Build.Dense(3, 1, [| 0.0; 0.0; 1.0 |])))

/// Printed to eight digits, from weights printed to eight digits.
let private eightDigits = Approximately.equal 2e-8

[<Fact>]
let ``the simple network predicts class 2`` () =
    let z = Network.forward simpleNet simpleBatch.Inputs
    z.ToColumnMajorArray() |> eightDigits [| 1.05414809; 0.63071653; 1.1328074 |]
    Exactly.equal [| 2 |] (Network.classify z)
    Exactly.equal 1.0 (Network.accuracy simpleNet simpleBatch)

[<Fact>]
let ``the simple network's loss: 0.9281`` () =
    [| Network.loss simpleNet simpleBatch |]
    |> eightDigits [| 0.92806853663411326 |]

    let y = Network.predict simpleNet simpleBatch.Inputs

    // 1e-7 inside the logarithm takes 1e-7 / y away.
    [| Loss.ofBatch Loss.crossEntropyError simpleBatch.Targets y |]
    |> eightDigits [| 0.92806853663411326 - 1e-7 / y[2, 0] |]

[<Fact>]
let ``the simple network's gradient, by both methods`` () =
    let expected = [| 0.21924763; 0.14356247; -0.36281009; 0.32887144; 0.2153437; -0.54421514 |]

    let struct (_, backward) = Gradient.backward simpleNet simpleBatch

    let numerical =
        Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved simpleBatch) simpleNet

    for gradient in [ backward; numerical ] do
        gradient.Layers.Head.Weights.ToColumnMajorArray() |> eightDigits expected

    Assert.True((GradientCheck.ofNetwork simpleNet simpleBatch).Passed)

[<Fact>]
let ``chapter 3's softmax of (0.3, 2.9, 4.0)`` () =
    (Softmax.apply (Matrix<float>.Build.Dense(3, 1, [| 0.3; 2.9; 4.0 |]))).ToColumnMajorArray()
    |> eightDigits [| 0.01821127; 0.24519181; 0.73659691 |]

[<Fact>]
let ``chapter 3's sigmoid of (−1, 1, 2)`` () =
    (Activation.apply Activation.Sigmoid (Matrix<float>.Build.Dense(3, 1, [| -1.0; 1.0; 2.0 |])))
        .ToColumnMajorArray()
    |> eightDigits [| 0.26894142; 0.73105858; 0.88079708 |]

[<Fact>]
let ``the two-layer network's shapes: (784, 100), (100,), (100, 10), (10,)`` () =
    let network: Network<float32> =
        Network.initialise
            (Initialiser.Fixed 0.01)
            1UL
            (Architecture.dense Activation.Sigmoid [ 784; 100; 10 ])

    Exactly.equal [ 784, 100, 100; 100, 10, 10 ] [
        for layer in network.Parameters.Layers ->
            layer.Weights.ColumnCount, layer.Weights.RowCount, layer.Biases.Count
    ]

    let y = Network.predict network (Matrix<float32>.Build.Dense(784, 100, 0.5f))
    Exactly.equal (10, 100) (y.RowCount, y.ColumnCount)
    // Weights of 0.01 tell nothing yet.
    Assert.All(y.ToColumnMajorArray(), (fun y -> Assert.InRange(float y, 0.05, 0.2)))

[<Fact>]
let ``an untrained network's loss is about ln 10`` () =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.01)
            1UL
            (Architecture.dense Activation.Sigmoid [ 784; 50; 10 ])

    let batch =
        MiniBatch.create (Matrix<float>.Build.Dense(784, 10, 0.1)) (Targets.Labels [| 0..9 |])

    Assert.InRange(Network.loss network batch, Math.Log 10.0 - 0.05, Math.Log 10.0 + 0.05)
