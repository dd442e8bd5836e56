/// Calls of the public functions of Layers and Losses that are given something changeable.
module internal Pipeline.Properties.LayersCalls

open Pipeline.Learning

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let batch = given.Batch
    let one = given.One
    let other = given.Other
    let v = given.Vector
    let targets = batch.Targets
    let answers = Targets.Columns given.Answers
    let logits () = Network.forward network batch.Inputs
    let heads = [ Head.Softmax; Head.Sigmoid; Head.Identity ]

    [
        "Activation.Apply", fun () -> [ for f in Activation.all -> Activation.apply f one ]
        "Activation.Derivative",
        fun () -> [ for f in Activation.all -> Activation.derivative f one ]
        "Softmax.Apply", fun () -> Softmax.apply one
        "Loss.SumSquaredError", fun () -> Loss.sumSquaredError v (one.Column 0)
        "Loss.CrossEntropyError", fun () -> Loss.crossEntropyError v ((one.Column 0).PointwiseAbs())
        "Loss.OfBatch", fun () -> Loss.ofBatch Loss.sumSquaredError targets (logits ())
        "Loss.CrossEntropyWithGradient",
        fun () -> Loss.crossEntropyWithGradient (Targets.Columns one) other
        "Loss.CrossEntropy", fun () -> Loss.crossEntropy (Targets.Columns one) other
        "Loss.OfHead", fun () -> [ for head in heads -> Loss.ofHead head answers other ]
        "Loss.OfHeadWithGradient",
        fun () -> [ for head in heads -> Loss.ofHeadWithGradient head answers other ]
        "Loss.SquaredErrorWithGradient",
        fun () -> Loss.squaredErrorWithGradient (Targets.Columns one) other
        "Loss.BinaryCrossEntropyWithGradient",
        fun () -> Loss.binaryCrossEntropyWithGradient answers other
        "Head.Apply", fun () -> [ for head in heads -> Head.apply head one ]
        "Metrics.RootMeanSquaredError",
        fun () -> Metrics.rootMeanSquaredError (Targets.Columns one) other
        "Metrics.MeanAbsoluteError", fun () -> Metrics.meanAbsoluteError (Targets.Columns one) other
        "Metrics.BaselineError", fun () -> Metrics.baselineError (Targets.Columns one) one.RowCount
        "Metrics.AreaUnderRoc",
        fun () -> Metrics.areaUnderRoc (given.Numbers |> Array.map (fun x -> x > 2.0)) given.Numbers
        "Metrics.RSquared", fun () -> Metrics.rSquared (Targets.Columns one) other
    ]
