namespace Pipeline.Learning

open System
open System.Buffers
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra

/// <summary>The numerical gradient of the chapter's network, two losses a parameter, where one weight
/// of the first layer moves one unit and one of the second moves one logit.</summary>
[<RequireQualifiedAccess>]
module internal TwoLayerNumericalGradient =
    /// Whether the network is the chapter's: one hidden layer, of sigmoids.
    let private isTwoLayer (network: Network<float>) =
        match network.Architecture.Layers |> List.map box with
        | [ :? Dense; :? ActivationLayer as hidden; :? Dense ] ->
            hidden.Activation = Activation.Sigmoid
            && network.Architecture.Head = Head.Softmax
        | _ -> false

    let private largest (values: float[]) =
        let mutable top = 0.0

        for value in values do
            top <- Math.Max(top, Math.Abs value)

        top

    /// The loss, and what the loop needs, its sums still to be found.
    let loop
        (step: float)
        (network: Network<float>)
        (batch: MiniBatch<float>)
        (labels: int[])
        : struct (float * TwoLayerLoop) =
        let outputs =
            ForwardPass.trace ValueNone network batch.FirstInputs
            |> List.map _.Output.Numbers

        let logits, hidden = outputs[0], outputs[1]

        let samples = Inputs.nonZeros batch.FirstInputs
        let units, classes = hidden.RowCount, logits.RowCount
        let inputs = network.Architecture.Inputs
        let w = Kernels.values network.Parameters.Layers[1].Weights

        let relative t =
            let differences = GC.AllocateUninitializedArray<float>(classes * units)

            for j in 0 .. units - 1 do
                for k in 0 .. classes - 1 do
                    differences[k * units + j] <- w[j * classes + k] - w[j * classes + t]

            differences

        let loop = {
            Step = step
            InputCount = inputs
            Starts = samples.Starts
            Places = samples.Places
            Values = samples.Values
            Hidden = Kernels.values hidden
            Units = units
            Probabilities = Kernels.values (Softmax.apply logits)
            Classes = classes
            Labels = labels
            Relative = Array.init classes relative
            Weights1 = Kernels.newArray units inputs
            Biases1 = Kernels.newArray units 1
            Weights2 = Kernels.newArray classes units
            Biases2 = Kernels.newArray classes 1
        }

        struct (Loss.crossEntropy batch.Targets logits, loop)

    /// Whether no step moves an exponent further than the series reach.
    let private isSmall (loop: TwoLayerLoop) =
        let reach = loop.Step * max 1.0 (largest loop.Values)
        // The sigmoid's slope is at most ¼.
        let furthest = max 1.0 (0.25 * (loop.Relative |> Array.map largest |> Array.max))
        reach * furthest <= SmallStep.Largest

    /// <summary>(L(θ + h) − L(θ − h)) / 2h for every parameter, every point evaluated.</summary>
    /// <returns>The loss and its gradient, or nothing where the network or its targets are of another
    /// kind, or where a step is not small for such weights or inputs.</returns>
    let tryFind
        (step: float)
        (network: Network<float>)
        (batch: MiniBatch<float>)
        : struct (float * Parameters<float>) voption =
        match batch.Targets with
        | Targets.Labels labels when isTwoLayer network && batch.Weights.IsNone ->
            let struct (loss, loop) = loop step network batch labels

            if not (isSmall loop) then
                ValueNone
            else
                Simd.run loop.Units loop
                let scale = 1.0 / (2.0 * step * float labels.Length)

                // Arrays just made: they become the gradient.
                let scaled (sums: float[]) =
                    for i in 0 .. sums.Length - 1 do
                        sums[i] <- sums[i] * scale

                    sums

                let gradient = {
                    Layers = [
                        LayerParameters.dense
                            (scaled loop.Weights1 |> Kernels.matrix loop.Units loop.InputCount)
                            (scaled loop.Biases1 |> Kernels.vector)
                        // The sums lie class by class.
                        LayerParameters.dense
                            ((scaled loop.Weights2 |> Kernels.matrix loop.Units loop.Classes)
                                .Transpose())
                            (scaled loop.Biases2 |> Kernels.vector)
                    ]
                }

                ValueSome(struct (loss, gradient))
        | _ -> ValueNone
