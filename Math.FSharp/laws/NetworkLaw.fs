namespace Pipeline.Learning.Laws

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Laws of the way back through a whole network: a function of network and mini-batch that gives the loss and
/// its gradient in every parameter.
[<AbstractClass; Sealed>]
type NetworkLaw =
    /// A mini-batch's loss and gradient as numbers.
    static member private Flat
        (
            backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>,
            network: Network<float>
        ) : MiniBatch<float> -> float[] =
        fun batch ->
            let struct (loss, gradient) = backward.Invoke(network, batch)
            Array.append [| loss |] (Laws.flat gradient)

    /// <summary>The gradient is the definition's in every parameter, at any depth.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member GradientIsDefinition
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law =
        Laws.create
            "the gradient is the definition's"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                let struct (_, gradient) = backward.Invoke(network, batch)

                GradientCheck.ofFunction
                    (fun moved ->
                        let struct (loss, _) = backward.Invoke(moved, batch)
                        loss)
                    gradient
                    network
                |> Laws.requireRight)

    /// <summary>Nothing is written to, and the same network and batch give the same bits.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member IsPure
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law =
        Laws.create "it is pure" (Arbitraries.Trainable()) (fun (Trainable(network, batch)) ->
            Laws.requirePure
                (fun () -> [
                    Laws.flat network.Parameters
                    Laws.cells batch.Inputs
                    Laws.cells (Targets.columns network.Architecture.Outputs batch.Targets)
                ])
                (fun () ->
                    let struct (loss, gradient) = backward.Invoke(network, batch)
                    [ [| loss |]; Laws.flat gradient ]))

    /// <summary>Loss and gradient of a batch are the means of those of its equal parts.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member IsMeanOfParts
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law =
        Laws.create
            "loss and gradient of a batch are the means of its equal parts'"
            (Arbitraries.SplitBatch())
            (fun (SplitBatch(parts, network, batch)) ->
                let each = batch.Count / parts

                let flat = NetworkLaw.Flat(backward, network)

                let ofParts = [
                    for p in 0 .. parts - 1 -> flat (Laws.sampleOf (p * each) batch each)
                ]

                let mean =
                    ofParts
                    |> List.reduce (Array.map2 (+))
                    |> Array.map (fun sum -> sum / float parts)

                flat batch |> Approximately.equal Approximately.rounding mean)

    /// <summary>The order of the samples changes nothing but rounding.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member IgnoresOrderOfSamples
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law =
        Laws.create
            "the order of the samples changes nothing"
            (FsCheck.FSharp.Arb.zip (Arbitraries.SplitBatch(), Arbitraries.Seed()))
            (fun (SplitBatch(_, network, batch), Seed seed) ->
                let order = RandomNumbers.permutation batch.Count seed RandomStream.EpochOrder 0L
                let parts = order |> Array.map (fun s -> Laws.sampleOf s batch 1)

                let ofColumns (columns: Vector<float> seq) =
                    Matrix<float>.Build.DenseOfColumnVectors columns

                let shuffled =
                    MiniBatch.create
                        (parts |> Seq.map (fun p -> p.Inputs.Column 0) |> ofColumns)
                        (parts
                         |> Seq.map (fun p ->
                             (Targets.columns network.Architecture.Outputs p.Targets).Column 0)
                         |> ofColumns
                         |> Targets.Columns)

                let flat = NetworkLaw.Flat(backward, network)

                flat shuffled |> Approximately.equal Approximately.rounding (flat batch))

    /// <summary>A small enough step against the gradient lowers the loss.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member SmallStepLowersLoss
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law =
        Laws.create
            "a small enough step against the gradient lowers the loss"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                let struct (loss, gradient) = backward.Invoke(network, batch)
                let size = (Parameters.toVector gradient).L2Norm()

                // A step of 10⁻³ in length (no ReLU unit reaches its kink), shorter where the slope is
                // steep.
                let rate = 1e-3 / max 1.0 size

                let lower = {
                    network with
                        Parameters = Optimizer.descend rate gradient network.Parameters
                }

                let struct (after, _) = backward.Invoke(lower, batch)

                // Where the slope is that small, rounding hides the step.
                if rate * size * size > 1e-12 && size > 1e-3 then
                    Laws.require
                        (after < loss)
                        $"expected less than {string loss}, found {string after}")

    /// <summary>A network that leans to a sample's own class has a lower loss than one that leans to another:
    /// the last layer's bias of that output is raised by 20.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member PrefersTargets
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law =
        Laws.create
            "a network that leans to the right class has the lower loss"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                let classes = network.Architecture.Outputs
                let labels = Targets.columns classes batch.Targets |> Network.classify

                let one =
                    MiniBatch.create
                        (batch.Inputs.SubMatrix(0, batch.Inputs.RowCount, 0, 1))
                        (Targets.Labels [| labels[0] |])

                let leaningTo (k: int) =
                    let lean l (layer: LayerParameters<float>) =
                        if l < network.Parameters.Layers.Length - 1 then
                            layer
                        else
                            layer
                            |> LayerParameters.withVector
                                "b"
                                (layer.Biases.MapIndexed(fun i b -> if i = k then b + 20.0 else b))

                    let struct (loss, _) =
                        backward.Invoke(
                            {
                                network with
                                    Parameters = {
                                        Layers = List.mapi lean network.Parameters.Layers
                                    }
                            },
                            one
                        )

                    loss

                let right, wrong = leaningTo labels[0], leaningTo ((labels[0] + 1) % classes)

                Laws.require
                    (right < wrong)
                    $"expected less than {string wrong}, the loss of a network that leans to the wrong class, found {string right}")

    /// <summary>All of these laws.</summary>
    /// <param name="backward">The loss and its gradient.</param>
    static member All
        (backward: Func<Network<float>, MiniBatch<float>, struct (float * Parameters<float>)>)
        : Law list = [
        NetworkLaw.GradientIsDefinition backward
        NetworkLaw.IsPure backward
        NetworkLaw.IsMeanOfParts backward
        NetworkLaw.IgnoresOrderOfSamples backward
        NetworkLaw.SmallStepLowersLoss backward
        NetworkLaw.PrefersTargets backward
    ]
