/// Calls of the public functions of Network and Gradients that are given something changeable.
module internal Pipeline.Properties.NetworkCalls

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let batch = given.Batch
    let data = given.Data
    let state = given.State
    let one = given.One
    let other = given.Other
    let v = given.Vector
    let parameters = network.Parameters
    let loss (moved: Network<float>) = Network.loss moved batch
    let logits () = Network.forward network batch.Inputs
    let square (x: Vector<float>) = x * x

    let dropout = {
        Share = 0.4
        Seed = 7UL
        Iteration = 3L
    }

    [
        "Parameters.Map2",
        fun () ->
            Parameters.map2
                (Kernels.subtractScaled 0.1)
                (Kernels.subtractScaledVector 0.1)
                parameters
                parameters
        "Parameters.Count", fun () -> Parameters.count parameters
        "Parameters.ToVector",
        fun () ->
            // What comes out is the caller's own, even to write to.
            let vector = Parameters.toVector parameters
            vector.Clear()
            vector
        "Parameters.Convert",
        fun () ->
            let copy: Parameters<float> = Parameters.convert parameters
            copy.Layers.Head.Weights.Clear()
            copy
        "Parameters.ToBytes", fun () -> Parameters.toBytes parameters
        "Network.Convert", fun () -> (Network.convert network: Network<float32>)
        "Network.Forward", logits >> box
        "Network.Predict", fun () -> Network.predict network batch.Inputs
        "Network.Probabilities", fun () -> Network.probabilities state.Network data
        "Network.Classify", fun () -> Network.classify one
        "Network.Loss", fun () -> loss network
        "Network.Accuracy", fun () -> Network.accuracy network batch
        "Network.Evaluate", fun () -> Network.evaluate state.Network data
        "Gradient.Backward", fun () -> Gradient.backward network batch
        "Gradient.BackwardInTraining", fun () -> Gradient.backwardInTraining dropout network batch
        "Network.LossInTraining", fun () -> Network.lossInTraining dropout network batch
        "Gradient.Descend", fun () -> Gradient.descend 0.1 network batch
        "Gradient.Numerical",
        fun () ->
            // Even where the function writes to the vector that it is handed.
            Gradient.numerical
                1e-4
                (fun x ->
                    let value = square x
                    x.Clear()
                    value)
                v
        "Gradient.NumericalOfLoss", fun () -> Gradient.numericalOfLoss 1e-4 network batch
        "Gradient.NumericalOf", fun () -> Gradient.numericalOf 1e-4 loss network
        "GradientCheck.OfFunction", fun () -> GradientCheck.ofFunction loss parameters network
        "GradientCheck.OfMatrix", fun () -> GradientCheck.ofMatrix (fun m -> m[0, 0]) other one
        "GradientCheck.OfNetwork", fun () -> GradientCheck.ofNetwork network batch
    ]
