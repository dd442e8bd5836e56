// The chapter's program, a two-layer network trained by numerical gradients:
// dotnet fsi 4.5.1-two-layer-net.fsx
#load "load.fsx"

open Pipeline.Learning
open Pipeline.Pictures

let train: Dataset<float> = Load.mnist "train"
let test: Dataset<float> = Load.mnist "t10k"
let epochs, batchSize, learningRate, seed = 3, 100, 0.1, 1UL
let iterationsPerEpoch = Batch.iterationsPerEpoch train.Count batchSize

let untrained: Network<float> =
    Architecture.dense Activation.Sigmoid [ 784; 50; 10 ]
    |> Network.initialise (Initialiser.Fixed 0.01) seed

let count = Parameters.count untrained.Parameters
printfn $"{count} parameters, so {2L * count} losses for a gradient"

/// The loss of an iteration's mini-batch, and the network after the step.
let step network i =
    let batch = train |> Dataset.take (Batch.draw seed train.Count batchSize i)

    let struct (loss, gradient) =
        Gradient.numericalOfLoss Gradient.DefaultStep network batch

    let parameters = Optimizer.descend learningRate gradient network.Parameters
    loss, { network with Parameters = parameters }

let report i network =
    let train, test = Network.evaluate network train, Network.evaluate network test
    printfn $"iteration %4d{i} | train acc: {train.Accuracy:F4}, test acc: {test.Accuracy:F4}"
    float i / float iterationsPerEpoch, train, test

let learn (network, losses, scores) part =
    let found, network = List.mapFold step network part
    network, losses @ found, scores @ [ report (List.last part + 1L) network ]

let _, losses, scores =
    [ 0L .. int64 (epochs * iterationsPerEpoch - 1) ]
    |> List.chunkBySize (iterationsPerEpoch / 3)
    |> List.fold learn (untrained, [], [ report 0L untrained ])

let axis = Axis.Linear("epoch").Within(0.0, float epochs)
let over f = [ for epoch, train, test in scores -> struct (epoch, f train test) ]

Load.save "4.5.1-two-layer-net" 350 [
    {
        Title = "Training by numerical gradients: loss …"
        X = axis
        Y = Axis.Linear("cross entropy (nats)").Within(0.0, 2.5)
        Marks = [
            Mark.Faint(
                "mini-batches",
                [
                    for i, loss in List.indexed losses ->
                        struct (float i / float iterationsPerEpoch, loss)
                ]
            )
            Mark.Line("training set", over (fun train _ -> train.Loss))
            Mark.Line("test set", over (fun _ test -> test.Loss))
        ]
    }
    {
        Title = "… and accuracy"
        X = axis
        Y = Axis.Linear("accuracy (share right)").Within(0.0, 1.0)
        Marks = [
            Mark.Line("training set", over (fun train _ -> train.Accuracy))
            Mark.Line("test set", over (fun _ test -> test.Accuracy))
        ]
    }
]
