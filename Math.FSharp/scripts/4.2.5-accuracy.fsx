// Why accuracy is no objective: dotnet fsi 4.2.5-accuracy.fsx
// Accuracy goes up and down in steps: between them its slope is 0, and says nothing of where to go.
#load "load.fsx"

open Pipeline.Learning
open Pipeline.Pictures

let batch: MiniBatch<float> = Load.mnist "train" |> Dataset.take [| 0..99 |]

/// Softmax regression: 784 × 10 weights and 10 biases.
let start =
    Architecture.dense Activation.Sigmoid [ 784; 10 ]
    |> Network.initialise (Initialiser.Fixed 0.01) 1UL

let descend (rate: float) gradient (network: Network<float>) = {
    network with
        Parameters = Optimizer.descend rate gradient network.Parameters
}

let slopeOfLoss network =
    let struct (_, gradient) = Gradient.backward network batch
    gradient

let slopeOfAccuracy network =
    network |> Gradient.numericalOf 1e-4 (fun moved -> Network.accuracy moved batch)

let byLoss =
    List.scan (fun network _ -> descend 0.1 (slopeOfLoss network) network) start [ 1..10 ]

/// Accuracy is to rise, so its slope is followed upwards.
let byAccuracy =
    List.scan (fun network _ -> descend -0.1 (slopeOfAccuracy network) network) start [ 1..3 ]

let slope = Parameters.toVector (slopeOfAccuracy start)

printfn
    $"slope of accuracy: {slope.Count} numbers, {slope |> Seq.filter ((<>) 0.0) |> Seq.length} of them not 0"

printfn $"slope of loss: length {Parameters.norm (slopeOfLoss start):F4}"

let ways = [
    for name, path in [ "the loss", byLoss; "accuracy", byAccuracy ] do
        let accuracies = [ for network in path -> Network.accuracy network batch ]
        printfn $"accuracy following %-8s{name} %A{accuracies}"

        $"following {name}, {path.Length - 1} steps",
        [ for i, a in List.indexed accuracies -> struct (float i, a) ]
]

/// Against the slope of the loss, from the place after the first step.
let along t =
    descend t (slopeOfLoss byLoss[1]) byLoss[1]

let places = [ for i in -300 .. 700 -> float i / 2000.0 ]
let over f = [ for t in places -> struct (t, f (along t) batch) ]

let step = Axis.Linear("step against the slope of the loss").Within(-0.15, 0.35)

Load.save "4.2.5-accuracy" 300 [
    {
        Title = "100 digits along a line through the weights: accuracy …"
        X = step
        Y = Axis.Linear "accuracy (share right)"
        Marks = [ Mark.Line("", over Network.accuracy) ]
    }
    {
        Title = "… and loss"
        X = step
        Y = Axis.Linear "cross entropy (nats)"
        Marks = [ Mark.Line("", over Network.loss) ]
    }
    {
        Title = "Accuracy over the steps, following either slope"
        X = Axis.Linear("steps").Within(0.0, 10.0)
        Y = Axis.Linear("accuracy (share right)").Within(0.0, 1.0)
        Marks = [ for name, points in ways -> Mark.Line(name, points) ]
    }
]
