// Over-fitting, and what regularisers do about it: dotnet fsi 4.5.3-over-fitting.fsx
#load "load.fsx"

open Pipeline.Learning
open Pipeline.Pictures

let train: Dataset<float32> = Load.mnist "train" |> Dataset.select [| 0..299 |]
let test: Dataset<float32> = Load.mnist "t10k" |> Dataset.select [| 0..1999 |]
let epochs, batchSize, seed = 50L, 50, 1UL

/// Wide enough to learn 300 digits by heart.
let untrained dropped : Network<float32> =
    [
        Layers.dense 500
        Layers.activation Activation.Relu
        Layers.dropout dropped
        Layers.dense 10
    ]
    |> Architecture.create Head.Softmax (Shape.Vector 784)
    |> Load.orFail
    |> Network.initialise Initialiser.HeNormal seed

/// Loss and accuracy on both sets, at the start and after each epoch.
let run (optimizer: Optimizer<float32>) dropped =
    let step (network, state) i =
        let batch = train |> Dataset.take (Batch.draw seed train.Count batchSize i)

        let struct (_, slope, _) =
            Gradient.backwardInTraining { Seed = seed; Iteration = i } network batch

        let struct (next, state) = optimizer.Update 0.001f slope state network.Parameters
        { network with Parameters = next }, state

    let each = Batch.iterations train.Count batchSize 1
    let start = untrained dropped

    [ 1L .. epochs ]
    |> List.scan
        (fun learned epoch -> Seq.fold step learned [ (epoch - 1L) * each .. epoch * each - 1L ])
        (start, optimizer.Init start.Parameters)
    |> List.map (fun (network, _) -> Network.evaluate network train, Network.evaluate network test)

let adam: Optimizer<float32> = Optimizer.adam 0.9 0.999 1e-8

let runs = [
    "no regulariser", run adam 0.0
    "L2 penalty 0.01", run (Transform.penaltyL2 0.01 adam) 0.0
    "dropout 0.7", run adam 0.7
]

printfn "                 loss: train   test | accuracy: train   test"

for name, scores in runs do
    let train, test = List.last scores

    printfn
        $"%-16s{name} %11.4f{train.Loss} %6.3f{test.Loss} %17.3f{train.Accuracy} %6.3f{test.Accuracy}"

let chart title least greatest marks = {
    Title = title
    X = Axis.Linear "epoch"
    Y = Axis.Linear("cross entropy (nats)").Within(least, greatest)
    Marks = marks
}

let over f scores = [
    for epoch, score in Seq.indexed scores -> struct (float epoch, (f score).Loss)
]

let _, plain = runs.Head

Load.save "4.5.3-over-fitting" 350 [
    chart "784-500-10 on 300 digits learns them by heart …" 0.0 1.5 [
        Mark.Line("300 digits of training", over fst plain)
        Mark.Line("2,000 others", over snd plain)
    ]
    chart "… and the loss on the 2,000 others by regulariser" 0.65 0.95 [
        for name, scores in runs do
            Mark.Line(name, over snd scores)
    ]
]
