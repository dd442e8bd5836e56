/// Gradient.fs: the chain rule held to the definition, in double, on the code that trains in single.
module Pipeline.Properties.GradientLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private backward network batch =
    let struct (_, gradient) = Gradient.backward network batch
    gradient

/// The network with one of its layers changed.
let private withLayer (network: Network<float>) l change = {
    network with
        Parameters = {
            Layers =
                network.Parameters.Layers
                |> List.mapi (fun i layer -> if i = l then change layer else layer)
        }
}

/// The derivative of the loss in every parameter by its definition, each parameter reached by its
/// layer, row and column.
let private byDefinition (loss: Network<float> -> float) (network: Network<float>) : float[] = [|
    for l, layer in List.indexed network.Parameters.Layers do
        for i in 0 .. layer.Weights.ColumnCount - 1 do
            for o in 0 .. layer.Weights.RowCount - 1 do
                Reference.slope (fun h ->
                    loss (
                        withLayer network l (fun layer ->
                            let moved = layer.Weights.Clone()
                            moved[o, i] <- moved[o, i] + h
                            layer |> LayerParameters.withMatrix "W" moved)
                    ))

        for o in 0 .. layer.Biases.Count - 1 do
            Reference.slope (fun h ->
                loss (
                    withLayer network l (fun layer ->
                        let moved = layer.Biases.Clone()
                        moved[o] <- moved[o] + h
                        layer |> LayerParameters.withVector "b" moved)
                ))
|]

[<Law>]
let ``backward is the definition's gradient in every parameter, at any depth``
    (Trainable(network, batch))
    =
    flat (backward network batch)
    |> Approximately.equal
        Approximately.definition
        (byDefinition (fun moved -> Network.loss moved batch) network)

[<Law>]
let ``backward is the plain implementation's`` (Trainable(network, batch)) =
    let loss, gradients =
        Reference.backward
            (Reference.ofNetwork network)
            (Reference.samples network.Architecture.Outputs batch)

    let expected = [|
        for weights, biases in gradients do
            for i in 0 .. Array2D.length2 weights - 1 do
                for o in 0 .. Array2D.length1 weights - 1 do
                    weights[o, i]

            yield! biases
    |]

    let struct (found, gradient) = Gradient.backward network batch
    [| found |] |> Approximately.equal Approximately.rounding [| loss |]
    flat gradient |> Approximately.equal Approximately.rounding expected
    Exactly.equal (Network.loss network batch) found

    let struct (found, gradient) =
        Gradient.backward (Network.convert network: Network<float32>) (MiniBatch.convert batch)

    [| float found |] |> Approximately.equal Approximately.followsDouble [| loss |]

    (Parameters.toVector gradient).ToArray()
    |> Array.map float
    |> Approximately.equal Approximately.followsDouble expected

[<Law>]
let ``backward keeps the laws of a network's gradient`` () =
    NetworkLaw.All(fun network batch -> Gradient.backward network batch)
    |> Law.Together

[<Law>]
let ``a step without a gradient in between gives the bits of gradient and step``
    (Trainable(network, batch))
    =
    let struct (loss, gradient) = Gradient.backward network batch
    let step = { Seed = 1UL; Iteration = 0L }

    let struct (same, descended) =
        Gradient.updateLayers (LayerGradient.descend 0.3) step network batch

    Exactly.bits [| loss |] [| same |]

    Exactly.bits
        (Parameters.toBytes (Optimizer.descend 0.3 gradient network.Parameters))
        (Parameters.toBytes descended.Parameters)

[<Law>]
let ``numerical is the definition: (f(x + h) − f(x − h)) / 2h`` (SameLength(x, a)) =
    let f (v: Vector<float>) = (a * v) + v[0] * v[0] * v[0]
    let h = 1e-4

    let expected =
        Array.init x.Count (fun i ->
            let moved (by: float) =
                let v = x.Clone()
                v[i] <- v[i] + by
                v

            (f (moved h) - f (moved -h)) / (2.0 * h))

    (Gradient.numerical h f x).ToArray() |> Exactly.bits expected

[<Law>]
let ``numerical is exact for a quadratic, within rounding`` (SameLength(x, a)) =
    // ∇(a·x + x·x) = a + 2x; central differences have no truncation there.
    let gradient = Gradient.numerical Gradient.DefaultStep (fun v -> a * v + v * v) x

    gradient.ToArray()
    // 2⁻⁵³ · 500 / 10⁻⁴.
    |> Approximately.equal 1e-8 ((a + 2.0 * x).ToArray())

[<Law>]
let ``numericalOf is close to backward, and exactly the differences of the objective``
    (Trainable(network, batch))
    =
    let gradient =
        Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved batch) network

    flat gradient |> Approximately.equal 1e-6 (flat (backward network batch))

    let w = network.Parameters.Layers[0].Weights

    let at by =
        let moved = w.Clone()
        moved[w.RowCount - 1, 0] <- moved[w.RowCount - 1, 0] + by
        Network.loss (withLayer network 0 (LayerParameters.withMatrix "W" moved)) batch

    Exactly.equal
        ((at 1e-4 - at -1e-4) / (1e-4 + 1e-4))
        gradient.Layers[0].Weights[w.RowCount - 1, 0]

[<Law>]
let ``accuracy's numerical gradient is 0 where the loss's is not`` (Trainable(network, batch)) =
    let z = Network.forward network batch.Inputs

    // Almost everywhere: away from ties of two greatest logits, which a step of 10⁻⁴ may turn.
    let clear =
        z.EnumerateColumns()
        |> Seq.forall (fun column ->
            let sorted = column |> Seq.sortDescending |> Array.ofSeq
            sorted[0] - sorted[1] > 0.01)

    if clear then
        Gradient.numericalOf 1e-4 (fun moved -> Network.accuracy moved batch) network
        |> flat
        |> Array.forall (fun slope -> slope = 0.0)
        |> Assert.True

        let slopes =
            Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved batch) network
            |> flat

        // The last biases' slopes are softmax − target, 0 only for the network's own distributions.
        let struct (_, atLogits) = Loss.crossEntropyWithGradient batch.Targets z
        let expected = (Kernels.biasGradient atLogits).ToArray()

        if Array.exists (fun g -> abs g > 1e-6) expected then
            Assert.Contains(slopes, (fun slope -> slope <> 0.0))

[<Law>]
let ``the same network and batch give the same bits`` (Trainable(network, batch)) =
    let single: Network<float32> = Network.convert network
    let batch32: MiniBatch<float32> = MiniBatch.convert batch
    let bytes (struct (_, gradient)) = Parameters.toBytes gradient

    Exactly.bits
        (bytes (Gradient.backward single batch32))
        (bytes (Gradient.backward single batch32))

    Exactly.bits (flat (backward network batch)) (flat (backward network batch))

    let numerical () =
        Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved batch) network

    Exactly.bits (flat (numerical ())) (flat (numerical ()))
