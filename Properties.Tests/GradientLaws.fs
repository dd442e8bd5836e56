/// Gradient.fs: the chain rule held to the definition, in double, on the code that trains in single.
module Pipeline.Properties.GradientLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning

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
                            { layer with Weights = moved })
                    ))

        for o in 0 .. layer.Biases.Count - 1 do
            Reference.slope (fun h ->
                loss (
                    withLayer network l (fun layer ->
                        let moved = layer.Biases.Clone()
                        moved[o] <- moved[o] + h
                        { layer with Biases = moved })
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
let ``the gradient is shaped like the parameters`` (Trainable(network, batch)) =
    for theta, g in List.zip network.Parameters.Layers (backward network batch).Layers do
        Exactly.equal theta.Weights.RowCount g.Weights.RowCount
        Exactly.equal theta.Weights.ColumnCount g.Weights.ColumnCount
        Exactly.equal theta.Biases.Count g.Biases.Count

let private part (first: int) (count: int) (batch: MiniBatch<float>) : MiniBatch<float> =
    MiniBatch.create
        (batch.Inputs.SubMatrix(0, batch.Inputs.RowCount, first, count))
        (match batch.Targets with
         | Targets.Labels labels -> Targets.Labels(Array.sub labels first count)
         | Targets.Columns columns ->
             Targets.Columns(columns.SubMatrix(0, columns.RowCount, first, count)))

[<Law>]
let ``the mean of the gradients of equal parts is the batch's gradient``
    (InParts(parts, network, batch))
    =
    let each = batch.Inputs.ColumnCount / parts

    let gradients = [
        for p in 0 .. parts - 1 ->
            Parameters.toVector (backward network (part (p * each) each batch))
    ]

    flat (backward network batch)
    |> Approximately.equal
        Approximately.rounding
        ((List.reduce (+) gradients / float parts).ToArray())

[<Law>]
let ``the order of the samples changes nothing but rounding``
    (InParts(_, network, batch))
    (Seed seed)
    =
    let count = batch.Inputs.ColumnCount
    let order = Random.permutation count seed Stream.EpochOrder 0L
    let parts = order |> Array.map (fun s -> part s 1 batch)

    let shuffled =
        MiniBatch.create
            (parts
             |> Seq.map (fun p -> p.Inputs.Column 0)
             |> Matrix<float>.Build.DenseOfColumnVectors)
            (parts
             |> Seq.map (fun p -> (Targets.columns network.Architecture.Outputs p.Targets).Column 0)
             |> Matrix<float>.Build.DenseOfColumnVectors
             |> Targets.Columns)

    flat (backward network shuffled)
    |> Approximately.equal Approximately.rounding (flat (backward network batch))

[<Law>]
let ``a step without a gradient in between gives the bits of gradient and step``
    (Trainable(network, batch))
    =
    let struct (loss, gradient) = Gradient.backward network batch
    let struct (same, descended) = Gradient.descend 0.3 network batch
    Exactly.bits [| loss |] [| same |]

    Exactly.bits
        (Parameters.toBytes (Optimizer.descend 0.3 gradient network.Parameters))
        (Parameters.toBytes descended)

[<Law>]
let ``a small enough step against the gradient lowers the loss`` (Trainable(network, batch)) =
    let struct (loss, gradient) = Gradient.backward network batch
    let size = (Parameters.toVector gradient).L2Norm()

    // A step of 10⁻³ in length (no ReLU unit reaches its kink), shorter where the slope is steep.
    let rate = 1e-3 / max 1.0 size

    let lower = {
        network with
            Parameters = Optimizer.descend rate gradient network.Parameters
    }

    // Where the slope is that small, rounding hides the step.
    if rate * size * size > 1e-12 && size > 1e-3 then
        Assert.True(
            Network.loss lower batch < loss,
            $"{Network.loss lower batch} is not below {loss}"
        )

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
        Network.loss (withLayer network 0 (fun layer -> { layer with Weights = moved })) batch

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
let ``check passes a right network`` (Trainable(network, batch)) =
    let check = Gradient.check 1e-6 Gradient.DefaultStep network batch
    Assert.True(check.Passed, $"%A{check.Worst}")

    Exactly.equal
        [
            for l in 1 .. network.Parameters.Layers.Length do
                $"W{l}"
                $"b{l}"
        ]
        (check.Tensors |> List.map _.Name)

    Exactly.equal
        (Parameters.count network.Parameters)
        (check.Tensors |> List.sumBy (fun tensor -> int64 tensor.Count))

[<Law>]
let ``check's places are where it says, in the book's rows and columns``
    (Trainable(network, batch))
    =
    let check = Gradient.check 1e-5 Gradient.DefaultStep network batch
    let gradient = backward network batch

    let defined =
        Gradient.numericalOf Gradient.DefaultStep (fun moved -> Network.loss moved batch) network

    for tensor in check.Tensors do
        let layer = int (tensor.Name.Substring 1) - 1
        let g, d = gradient.Layers[layer], defined.Layers[layer]

        let analytic, numerical =
            if tensor.Name[0] = 'W' then
                // The book's (inputs, outputs).
                g.Weights[tensor.Column, tensor.Row], d.Weights[tensor.Column, tensor.Row]
            else
                Exactly.equal 0 tensor.Row
                g.Biases[tensor.Column], d.Biases[tensor.Column]

        Exactly.equal analytic tensor.Backward
        Exactly.equal numerical tensor.Numerical
        Exactly.equal (abs (analytic - numerical)) tensor.Difference

        let differences =
            if tensor.Name[0] = 'W' then
                cells (g.Weights - d.Weights)
            else
                (g.Biases - d.Biases).ToArray()

        Exactly.equal (differences |> Array.map abs |> Array.max) tensor.Difference

        let entries =
            if tensor.Name[0] = 'W' then
                cells d.Weights
            else
                d.Biases.ToArray()

        Exactly.equal (entries |> Array.map abs |> Array.max) tensor.Scale

    let severity (tensor: TensorCheck) = tensor.Difference / tensor.Allowed
    Exactly.equal (check.Tensors |> List.map severity |> List.max) (severity check.Worst)

[<Law>]
let ``a gradient wrong in one place is refused, and the place named``
    (Trainable(network, batch))
    (FsCheck.NonNegativeInt which)
    =
    let struct (_, gradient) = Gradient.backward network batch
    let biases = gradient.Layers.Head.Biases
    let unit = which % biases.Count

    let wrong =
        withLayer { network with Parameters = gradient } 0 (fun layer -> {
            layer with
                Biases = biases.MapIndexed(fun i g -> if i = unit then g + 0.01 else g)
        })

    let check = Gradient.judge 1e-6 Gradient.DefaultStep wrong.Parameters network batch
    Assert.False check.Passed
    Exactly.equal "b1" check.Worst.Name
    Exactly.equal unit check.Worst.Column
    Approximately.equal 1e-4 [| 0.01 |] [| check.Worst.Difference |]

[<Fact>]
let ``what differs at a kink is called a kink, and what is wrong besides is wrong`` () =
    // A ReLU unit right at its kink: the chain rule says 0, differences say half the slope.
    let layer rows columns values biases : Layer<float> = {
        Weights = Matrix<float>.Build.Dense(rows, columns, Array.ofList values)
        Biases = Vector<float>.Build.Dense(Array.ofList biases)
        Gain = ValueNone
    }

    let network = {
        Architecture = Architecture.dense Activation.Relu [ 2; 2; 2 ]
        Parameters = {
            Layers = [
                // The second unit's sum is 1·1 − 1·1 = 0; the first unit's is 3.
                layer 2 2 [ 1.0; 1.0; 2.0; -1.0 ] [ 0.0; 0.0 ]
                layer 2 2 [ 0.5; -0.5; 1.0; -1.0 ] [ 0.0; 0.0 ]
            ]
        }
        Running = []
    }

    let batch =
        MiniBatch.create (Matrix<float>.Build.Dense(2, 1, [| 1.0; 1.0 |])) (Targets.Labels [| 1 |])

    let check = Gradient.check 1e-6 1e-4 network batch
    Assert.True check.Passed

    Exactly.equal [ "W1", 2; "b1", 1; "W2", 0; "b2", 0 ] [
        for tensor in check.Tensors -> tensor.Name, tensor.Kinks
    ]

    let struct (_, gradient) = Gradient.backward network batch

    let wrong =
        gradient
        |> Parameters.mapTensors (fun _ values -> values |> Array.map (fun g -> g + 0.1))

    let check = Gradient.judge 1e-6 1e-4 wrong network batch
    Assert.All(check.Tensors, (fun tensor -> Assert.False tensor.Passed))

[<Law>]
let ``check allows a small tensor no more than its own size lets pass``
    (Trainable(network, batch))
    =
    for tensor in (Gradient.check 1e-6 Gradient.DefaultStep network batch).Tensors do
        // A backward gradient of nothing but zeros would be off by the whole scale.
        Assert.True(tensor.Scale < 1e-6 || tensor.Scale > tensor.Allowed, $"%A{tensor}")

[<Fact>]
let ``check sees a first layer whose gradient is a millionth of the last one's`` () =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.01)
            1UL
            (Architecture.dense Activation.Sigmoid [ 20; 10; 10; 10; 10 ])

    let batch =
        MiniBatch.create
            (Matrix<float>.Build.Dense(20, 5, fun i s -> float ((i * 7 + s) % 5) / 4.0))
            (Targets.Labels [| 0; 1; 2; 3; 4 |])

    let check = Gradient.check 1e-6 Gradient.DefaultStep network batch
    let first, last = List.head check.Tensors, List.last check.Tensors
    Assert.True(first.Scale < 2e-6 * last.Scale, $"%A{first} %A{last}")
    Assert.True check.Passed
    Assert.True(first.Allowed < first.Scale, $"%A{first}")

[<Law>]
let ``check refuses a gradient that is no number`` (Trainable(network, batch)) =
    let spoilt =
        withLayer network 0 (fun layer -> {
            layer with
                Biases = layer.Biases.Map(fun _ -> nan)
        })

    let check = Gradient.check 1e-5 Gradient.DefaultStep spoilt batch
    // A ReLU unit that is no number stays none, so every network here says so.
    Assert.False check.Passed
    Assert.True(Double.IsNaN check.Worst.Difference)

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
