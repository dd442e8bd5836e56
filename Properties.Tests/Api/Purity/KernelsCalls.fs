/// Calls of the public functions of Kernels that are given something changeable.
module internal Pipeline.Properties.KernelsCalls

open Pipeline.Learning

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let batch = given.Batch
    let one = given.One
    let other = given.Other
    let v = given.Vector
    let layer = network.Parameters.Layers.Head
    let upstream = one.Append other

    [
        "Kernels.Affine", fun () -> box (Kernels.affine layer.Weights layer.Biases batch.Inputs)
        "Kernels.WeightGradient", fun () -> Kernels.weightGradient one other
        "Kernels.InputGradient", fun () -> Kernels.inputGradient one upstream
        "Kernels.BiasGradient", fun () -> Kernels.biasGradient one
        "Kernels.SubtractScaled", fun () -> Kernels.subtractScaled 0.1 one other
        "Kernels.SubtractScaledVector", fun () -> Kernels.subtractScaledVector 0.1 v v
    ]
