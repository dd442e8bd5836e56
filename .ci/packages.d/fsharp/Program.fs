module Program

open System.IO
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

/// Exclusive or: a sample is a column.
let data =
    let inputs =
        Matrix<float>.Build.DenseOfRowArrays([| 0.0; 0.0; 1.0; 1.0 |], [| 0.0; 1.0; 0.0; 1.0 |])

    Dataset.ofColumns 2 inputs (Targets.Labels [| 0; 1; 1; 0 |])

let batch = Dataset.take [| 0..3 |] data

let step (network: Network<float>, _) _ =
    let struct (loss, gradient) = Gradient.backward network batch

    {
        network with
            Parameters = Optimizer.descend 0.5 gradient network.Parameters
    },
    loss

let start =
    Network.initialise Initialiser.HeNormal 1UL (Architecture.dense Activation.Tanh [ 2; 8; 2 ])

let steps = [ 1..500 ] |> List.scan step (start, 0.0) |> List.tail
let trained, loss = List.last steps

let chart: Chart = {
    Title = "Exclusive or"
    X = Axis.Linear "step"
    Y = Axis.Logarithmic "loss"
    Marks = [
        Mark.Line("loss", [ for i, (_, loss) in List.indexed steps -> struct (float i, loss) ])
    ]
}

let isRight =
    loss < 0.05
    && Network.accuracy trained batch = 1.0
    && (GradientCheck.ofNetwork start batch).Passed

[<EntryPoint>]
let main _ =
    File.WriteAllText("loss.svg", Picture.toSvg "loss" 720 400 [ chart ])
    printfn $"loss {loss}"
    if isRight then 0 else 1
