// A convolution by hand beside the layer, and what filters learn:
// dotnet fsi 7.2-convolution.fsx
#load "load.fsx"

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

let train: Dataset<float32> = Load.mnist "train"
let test: Dataset<float32> = Load.mnist "t10k"
let window = Window.Of(Extent.Square 3)

let networkOf layers : Network<float32> =
    Architecture.create Head.Softmax train.Shape layers
    |> Load.orFail
    |> Network.initialise Initialiser.HeNormal 1UL

/// What the first layer gives for the first sample: channels of rows and columns.
let firstOutput (network: Network<float32>) =
    (Network.forward network (Dataset.take [| 0 |] train).Inputs).Column 0

// An edge filter: left minus right.
let filter = array2D [ [ 1f; 0f; -1f ]; [ 2f; 0f; -2f ]; [ 1f; 0f; -1f ] ]
let digit = (Dataset.take [| 0 |] train).Inputs.Column 0

/// The sum of the window at a place times the filter.
let byHand row column =
    Seq.sum [
        for r in 0..2 do
            for c in 0..2 -> filter[r, c] * digit[(row + r) * 28 + column + c]
    ]

let edges =
    let network = networkOf [ Layers.convolution 1 window 1 ]

    let weights =
        Matrix<float32>.Build.Dense(1, 9, fun _ tap -> filter[tap / 3, tap % 3])

    let layer = LayerParameters.dense weights (Vector<float32>.Build.Dense 1)

    firstOutput {
        network with
            Parameters = { Layers = [ layer ] }
    }

let difference =
    Seq.max [
        for row in 0..25 do
            for column in 0..25 -> abs (byHand row column - edges[row * 26 + column])
    ]

printfn $"by hand and by the layer: the greatest difference of 26 x 26 numbers is %g{difference}"

// What four filters learn from the digits.
let network =
    networkOf [
        Layers.convolution 4 (Window.Of(Extent.Square 5)) 1
        Layers.activation Activation.Relu
        Layers.maxPooling {
            Window.Of(Extent.Square 2) with
                Stride = Extent.Square 2
        }
        Layers.dense 10
    ]

let steps, rate = 300, 0.2f

let step network i =
    let batch = Dataset.take (Batch.draw 1UL train.Count 100 i) train
    let struct (loss, gradient) = Gradient.backward network batch
    let parameters = Optimizer.descend rate gradient network.Parameters
    float loss, { network with Parameters = parameters }

let losses, learned = List.mapFold step network [ 0L .. int64 steps - 1L ]
printfn $"test accuracy after {steps} steps: {(Network.evaluate learned test).Accuracy:F4}"
let shades = " .:-=+*#%@"

for unit in 0..3 do
    let weights = learned.Parameters.Layers.Head.Weights.Row unit
    let greatest = weights.AbsoluteMaximum()
    printfn $"filter {unit + 1}, from {weights.Minimum():F2} to {weights.Maximum():F2}"

    for row in 0..4 do
        let shade column =
            shades[int ((weights[row * 5 + column] / greatest + 1f) * 4.5f)]

        printfn
            "  %s"
            (System.String [|
                for column in 0..4 do
                    shade column
                    shade column
            |])

Load.save "7.2-convolution" 300 [
    {
        Title = "An edge filter along row 14 of the first digit"
        X = Axis.Linear("column").Within(0.0, 25.0)
        Y = Axis.Linear "number"
        Marks = [
            Mark.Line(
                "pixels",
                [
                    for column in 0..25 -> struct (float column, float digit[14 * 28 + column + 1])
                ]
            )
            Mark.Line(
                "left minus right",
                [ for column in 0..25 -> struct (float column, float edges[13 * 26 + column]) ]
            )
        ]
    }
    {
        Title = "The loss of four learned filters below a dense layer"
        X = Axis.Linear("step").Within(0.0, float steps)
        Y = Axis.Linear("cross entropy (nats)").Within(0.0, 2.5)
        Marks = [
            Mark.Line(
                "mini-batches",
                [ for i, loss in List.indexed losses -> struct (float i, loss) ]
            )
        ]
    }
]
