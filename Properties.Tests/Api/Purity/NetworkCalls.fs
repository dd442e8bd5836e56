/// Calls of the public functions of Network and Gradients that are given something changeable.
module internal Pipeline.Properties.NetworkCalls

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Interop
open Pipeline.Learning.Laws

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

    let layer = network.Parameters.Layers.Head
    let step = { Seed = 7UL; Iteration = 3L }

    let gradientOf (layer: LayerParameters<float>) : LayerGradient<float> = {
        Inputs = ValueNone
        Matrices = layer.Matrices |> List.map (snd >> MatrixGradient.Value)
        Vectors = layer.Vectors |> List.map snd
    }

    let numbers = Dataset.ofColumns one.RowCount one (Targets.Columns one)

    let scaling = {
        Centres = Array.create one.RowCount 1.0
        Scales = Array.create one.RowCount 2.0
    }

    let predictor: Network<float> =
        Architecture.create Head.Identity (Shape.Vector 2) [ Layers.dense one.RowCount ]
        |> orFail
        |> Network.initialise (Initialiser.Fixed 0.1) 1UL

    [
        "Temperature.Fit", fun () -> Temperature.fit state.Network data
        "Temperature.Apply", fun () -> Temperature.apply 2.0 network
        "Temperatures.Fit", fun () -> Temperatures.Fit(state.Network, data)
        "Temperatures.Apply", fun () -> Temperatures.Apply(2.0, network)
        "TargetScaling.Fit", fun () -> TargetScaling.fit Scaling.Standard numbers
        "TargetScaling.Apply", fun () -> TargetScaling.apply scaling numbers
        "TargetScaling.Restore", fun () -> TargetScaling.restore scaling predictor
        "TargetScalings.Fit", fun () -> TargetScalings.Fit(Scaling.Standard, numbers)
        "TargetScalings.Apply", fun () -> TargetScalings.Apply(scaling, numbers)
        "TargetScalings.Restore", fun () -> TargetScalings.Restore(scaling, predictor)
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
        "Gradient.BackwardInTraining", fun () -> Gradient.backwardInTraining step network batch
        "LayerGradient.OfInputs", fun () -> LayerGradient.ofInputs given.One
        "LayerGradient.Values", fun () -> LayerGradient.values layer (gradientOf layer)
        "LayerGradient.Descend", fun () -> LayerGradient.descend 0.1 layer (gradientOf layer)
        "LayerOutput.Create", fun () -> LayerOutput.create given.One LayerGradient.ofInputs
        "LayerParameters.Dense", fun () -> LayerParameters.dense given.One given.Vector
        "LayerParameters.WithMatrix", fun () -> LayerParameters.withMatrix "W" given.One layer
        "LayerParameters.WithVector", fun () -> LayerParameters.withVector "b" given.Vector layer
        "LayerParameters.Map",
        fun () -> LayerParameters.map (fun _ m -> m + m) (fun _ v -> v + v) layer
        "LayerParameters.Shapes", fun () -> LayerParameters.shapes layer
        "Parameters.Map",
        fun () -> Parameters.map (fun m -> m + m) (fun v -> v + v) network.Parameters
        "Parameters.Zeros", fun () -> Parameters.zeros network.Parameters
        "Parameters.Fold", fun () -> box (Parameters.fold (+) 0.0 network.Parameters)
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
