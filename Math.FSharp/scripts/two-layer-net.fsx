// The chapter's two-layer network, trained on MNIST: dotnet fsi two-layer-net.fsx
#load "load.fsx"

open Pipeline.Learning

let train, test = Load.mnist "train", Load.mnist "t10k"

let iterations, batchSize, learningRate, weightInitStd, seed =
    10000, 100, 0.1f, 0.01, 1UL

let iterationsPerEpoch = Batch.iterationsPerEpoch train.Count batchSize

let untrained: Network<float32> =
    [ 784; 50; 10 ]
    |> Architecture.dense Activation.Sigmoid
    |> Network.initialise (Initialiser.Fixed weightInitStd) seed

let step network i =
    if i % iterationsPerEpoch = 0 then
        let score data =
            (Network.evaluate network data).Accuracy

        printfn
            $"epoch {i / iterationsPerEpoch} | train acc: {score train:F4}, test acc: {score test:F4}"

    let batch = train |> Dataset.take (Batch.draw seed train.Count batchSize (int64 i))
    let struct (_, gradient) = Gradient.backward network batch

    {
        network with
            Parameters = network.Parameters |> Optimizer.descend learningRate gradient
    }

let trained = Seq.fold step untrained [ 0 .. iterations - 1 ]
printfn $"after {iterations} iterations: test acc: {(Network.evaluate trained test).Accuracy:F4}"
