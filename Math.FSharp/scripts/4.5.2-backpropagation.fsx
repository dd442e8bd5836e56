// The same network by backpropagation, and how far apart the two stay:
// dotnet fsi 4.5.2-backpropagation.fsx
#load "load.fsx"

open Pipeline.Learning
open Pipeline.Pictures

let train: Dataset<float32> = Load.mnist "train"
let test: Dataset<float32> = Load.mnist "t10k"
let iterations, batchSize, seed = 10000, 100, 1UL
let iterationsPerEpoch = Batch.iterationsPerEpoch train.Count batchSize

let batch i =
    train |> Dataset.take (Batch.draw seed train.Count batchSize (int64 i))

let untrained: Network<float32> =
    Architecture.dense Activation.Sigmoid [ 784; 50; 10 ]
    |> Network.initialise (Initialiser.Fixed 0.01) seed

let descend rate gradient (network: Network<'T>) = {
    network with
        Parameters = Optimizer.descend rate gradient network.Parameters
}

let step (network, scores) i =
    let struct (_, gradient) = Gradient.backward network (batch i)
    let next = descend 0.1f gradient network
    let epoch = (i + 1) / iterationsPerEpoch

    if (i + 1) % iterationsPerEpoch > 0 then
        next, scores
    else
        let train, test = Network.evaluate next train, Network.evaluate next test
        printfn $"epoch {epoch} | train acc: {train.Accuracy:F4}, test acc: {test.Accuracy:F4}"
        next, (float epoch, train.Accuracy, test.Accuracy) :: scores

let trained, scores = Seq.fold step (untrained, []) [ 0 .. iterations - 1 ]
printfn $"after {iterations} iterations: test acc: {(Network.evaluate trained test).Accuracy:F4}"

Load.save "4.5.2-backpropagation" 420 [
    {
        Title = "Ten thousand iterations by backpropagation"
        X = Axis.Linear "epoch"
        Y = Axis.Linear "accuracy (share right)"
        Marks = [
            Mark.Line("training set", [ for epoch, train, _ in scores -> struct (epoch, train) ])
            Mark.Line("test set", [ for epoch, _, test in scores -> struct (epoch, test) ])
        ]
    }
]

/// A step each way, on the same mini-batch and in double precision, and how far they are apart.
let both (byRule: Network<float>, byDefinition) i =
    let batch = MiniBatch.convert (batch i)
    let struct (_, rule) = Gradient.backward byRule batch

    let struct (_, definition) =
        Gradient.numericalOfLoss Gradient.DefaultStep byDefinition batch

    let one, other = descend 0.1 rule byRule, descend 0.1 definition byDefinition
    let apart = Parameters.map2 (-) (-) one.Parameters other.Parameters
    Parameters.norm apart / Parameters.norm one.Parameters, (one, other)

let start = Network.convert untrained
let distances, _ = List.mapFold both (start, start) [ 0 .. iterationsPerEpoch - 1 ]
printfn $"apart after an epoch: {List.last distances:E1} of the parameters' length"

Load.save "4.5.2-apart" 420 [
    {
        Title = "Backpropagation and numerical gradients (h = 0.0001): how far apart"
        X = Axis.Linear "iteration"
        Y = Axis.Logarithmic "distance / length of all parameters"
        Marks = [
            Mark.Line("", [ for i, d in List.indexed distances -> struct (float (i + 1), d) ])
        ]
    }
]
