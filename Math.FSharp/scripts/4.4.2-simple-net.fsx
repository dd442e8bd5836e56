// The gradient of a network in its weights: dotnet fsi 4.4.2-simple-net.fsx
// The book's simpleNet: x (2) times W (2, 3) gives three scores; softmax and cross entropy make the loss.
#load "load.fsx"

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

/// The book's W, row by row. Column by column those are the bytes of W : (outputs, inputs) here.
let book = [| 0.47355232; 0.9977393; 0.84668094; 0.85557411; 0.03563661; 0.69422093 |]

let network weights : Network<float> = {
    Network.initialise (Initialiser.Fixed 0.01) 1UL (Architecture.dense Activation.Sigmoid [ 2; 3 ]) with
        Parameters = {
            Layers = [
                LayerParameters.dense
                    (Matrix<float>.Build.Dense(3, 2, Array.copy weights))
                    (Vector<float>.Build.Dense 3)
            ]
        }
}

let simpleNet = network book
let x = Matrix<float>.Build.Dense(2, 1, [| 0.6; 0.9 |])
let batch = MiniBatch.create x (Targets.Labels [| 2 |])
/// np.dot(x, W)
let scores = Network.forward simpleNet x

printfn
    $"prediction: %A{scores.ToColumnMajorArray()}, the greatest is that of class {(Network.classify scores)[0]}"

printfn $"loss: {Network.loss simpleNet batch:F8}"

/// numerical_gradient(f, net.W)
let gradient =
    simpleNet |> Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved batch)

/// One step of every weight against its slope.
let descend rate (net: Network<float>) =
    let struct (_, gradient) = Gradient.backward net batch

    {
        net with
            Parameters = Optimizer.descend rate gradient net.Parameters
    }

let dW = gradient.Layers.Head.Weights

for input in 0..1 do
    printfn "dW[%d]: % .8f % .8f % .8f" input dW[0, input] dW[1, input] dW[2, input]

/// The loss with the weight from the second input to a class moved by so much.
let moved k step =
    let weights = Array.copy book
    weights[3 + k] <- weights[3 + k] + step
    Network.loss (network weights) batch

let steps = [ for i in -50 .. 50 -> float i / 50.0 ]
let path = List.scan (fun net _ -> descend 1.0 net) simpleNet [ 1..20 ]

Load.save "4.4.2-simple-net" 400 [
    {
        Title = "The loss as one weight of the second input moves: its slope at 0 is dW"
        X = Axis.Linear("the weight less what it is").Within(-1.0, 1.0)
        Y = Axis.Linear "cross entropy (nats)"
        Marks = [
            for k in 0..2 ->
                Mark.Line(
                    $"class {k}: dW = {dW[k, 1]:F3}",
                    [ for s in steps -> struct (s, moved k s) ]
                )
        ]
    }
    {
        Title = "20 steps of η = 1 against the gradient"
        X = Axis.Linear("steps").Within(0.0, 20.0)
        Y = Axis.Linear("cross entropy (nats)").Within(0.0, 1.0)
        Marks = [
            Mark.Line(
                "",
                [ for i, net in List.indexed path -> struct (float i, Network.loss net batch) ]
            )
        ]
    }
]
