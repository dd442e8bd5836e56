/// GradientCheck.fs: right gradients pass, wrong ones are refused with their place and cause, kinks are
/// called kinks, and the step follows the function.
module Pipeline.Properties.GradientCheckLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private backward network batch =
    let struct (_, gradient) = Gradient.backward network batch
    gradient

/// The verdict on any gradient of the loss.
let private judge network batch gradient =
    GradientCheck.ofFunction (fun moved -> Network.loss moved batch) gradient network

/// The gradient with one of its tensors changed.
let private changed name change gradient =
    gradient
    |> mapTensors (fun other values -> if other = name then change values else values)

[<Law>]
let ``a right network passes, tensor by tensor`` (Trainable(network, batch)) =
    let check = GradientCheck.ofNetwork network batch
    Assert.True(check.Passed, string check)

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

    for tensor in check.Tensors do
        Exactly.equal (0, 0, "") (tensor.Wrong, tensor.Kinks, tensor.Cause)

[<Law>]
let ``places are where it says, in the book's rows and columns`` (Trainable(network, batch)) =
    let gradient = backward network batch

    for tensor in (GradientCheck.ofNetwork network batch).Tensors do
        let layer = int (tensor.Name.Substring 1) - 1
        let g, theta = gradient.Layers[layer], network.Parameters.Layers[layer]

        let analytic, moved =
            if tensor.Name[0] = 'W' then
                g.Weights[tensor.Column, tensor.Row],
                fun by ->
                    let weights = theta.Weights.Clone()
                    // The book's (inputs, outputs).
                    weights[tensor.Column, tensor.Row] <- weights[tensor.Column, tensor.Row] + by
                    theta |> LayerParameters.withMatrix "W" weights
            else
                Exactly.equal 0 tensor.Row

                g.Biases[tensor.Column],
                fun by ->
                    let biases = theta.Biases.Clone()
                    biases[tensor.Column] <- biases[tensor.Column] + by
                    theta |> LayerParameters.withVector "b" biases

        let loss by =
            Network.loss
                {
                    network with
                        Parameters = {
                            Layers = List.updateAt layer (moved by) network.Parameters.Layers
                        }
                }
                batch

        Exactly.equal analytic tensor.Backward
        Exactly.equal (abs (analytic - tensor.Numerical)) tensor.Difference

        [| tensor.Numerical |]
        |> Approximately.equal Approximately.definition [| Reference.slope loss |]

[<Law>]
let ``a number wrong by a millionth of the greatest is refused, and its place named``
    (Trainable(network, batch))
    (FsCheck.NonNegativeInt which)
    =
    let gradient = backward network batch
    let b = gradient.Layers.Head.Biases
    let unit = which % b.Count
    let off = 1e-6 * (b.ToArray() |> Array.map abs |> Array.max)

    // Below that, the losses' own rounding hides it.
    if off > 1e-8 then
        let check =
            gradient
            |> changed "b1" (Array.mapi (fun i g -> if i = unit then g + off else g))
            |> judge network batch

        Assert.False check.Passed
        Exactly.equal ("b1", unit, 1) (check.Worst.Name, check.Worst.Column, check.Worst.Wrong)

        [| check.Worst.Difference |]
        |> Approximately.within [| 0.01 * off + 1e-10 |] [| off |]

/// Whether a tensor has two numbers large enough to tell what it looks like.
let private tells name gradient =
    Parameters.tensors gradient
    |> List.exists (fun (other, _, values) ->
        other = name
        && (values |> Array.filter (fun g -> abs g > 1e-2) |> Array.length) > 1)

[<Law>]
let ``a likely cause is told where the numbers tell it`` (Trainable(network, batch)) =
    let gradient = backward network batch

    let told (words: string) change =
        let check = judge network batch (changed "W1" change gradient)
        Assert.False check.Passed
        Exactly.equal "W1" check.Worst.Name
        Assert.Contains(words, check.Worst.Cause)

    if tells "W1" gradient then
        told "wrong sign" (Array.map (fun g -> -g))
        told "a factor 1/3 is missing" (Array.map (fun g -> 3.0 * g))
        told "divided by 4 once too often" (Array.map (fun g -> g / 4.0))
        told "2.5 times" (Array.map (fun g -> 2.5 * g))
        told "all zeros" (Array.map (fun _ -> 0.0))
        told "finite" (Array.map (fun _ -> nan))

[<Fact>]
let ``transposed, shifted and penalised gradients are called that, and others nothing`` () =
    let at =
        Matrix<float>.Build.DenseOfArray(array2D [ [ 1.0; 2.0; -1.0 ]; [ 0.5; -3.0; 2.5 ] ])

    let c =
        Matrix<float>.Build.DenseOfArray(array2D [ [ 1.0; -2.0; 0.3 ]; [ 4.0; 0.7; 1.1 ] ])

    let f (m: Matrix<float>) =
        (m.PointwiseMultiply c).ColumnSums().Sum()

    let told g =
        (GradientCheck.ofMatrix f g at).Worst.Cause

    Assert.True (GradientCheck.ofMatrix f c at).Passed

    let rowByRow = Matrix<float>.Build.Dense(2, 3, Array.concat (c.ToRowArrays()))

    Assert.Contains("transposed", told rowByRow)
    let cells = c.ToColumnMajorArray()

    let turned by =
        Array.init 6 (fun i -> cells[(i + by + 6) % 6])

    Assert.Contains("too early", told (Matrix<float>.Build.Dense(2, 3, turned 1)))
    Assert.Contains("too late", told (Matrix<float>.Build.Dense(2, 3, turned -1)))
    Assert.Contains("0.1 times the parameters", told (c + 0.1 * at))
    Exactly.equal "" (told (c.Map(fun x -> x * x)))

let private scalar (f: float -> float) (slope: float) (x: float) =
    let m (x: float) = Matrix<float>.Build.Dense(1, 1, x)
    (GradientCheck.ofMatrix (fun at -> f at[0, 0]) (m slope) (m x)).Worst

[<Fact>]
let ``the step follows the function and the point`` () =
    for name, f, slope, x in
        [
            "1/x close to its pole", (fun x -> 1.0 / x), (fun x -> -1.0 / (x * x)), 1e-7
            "ln close to its end", Math.Log, (fun x -> 1.0 / x), 1e-6
            "a square far out", (fun x -> x * x), (fun x -> 2.0 * x), 1e8
            "a fast wave",
            (fun x -> Math.Sin(1000.0 * x)),
            (fun x -> 1000.0 * Math.Cos(1000.0 * x)),
            0.3
            "a cube", (fun x -> x * x * x), (fun x -> 3.0 * x * x), 7.0
            "a small slope on a great value",
            (fun x -> 1e6 + Math.Tanh x),
            (fun x -> 1.0 - Math.Tanh x ** 2.0),
            0.5
        ] do
        let right = scalar f (slope x) x
        Assert.True(right.Passed, $"{name}: {right}")
        let wrong = scalar f (1.001 * slope x) x
        Assert.False(wrong.Passed, $"{name}: {wrong}")

[<Law>]
let ``a kink is called a kink, at it and near it, and what is wrong besides is wrong``
    (SmallMatrix offsets)
    (FsCheck.NonNegativeInt exponent)
    =
    // |x − c| at, or 2^−exponent beside, its kink.
    let c = offsets[0, 0]

    let near =
        if exponent % 60 = 0 then
            0.0
        else
            Math.ScaleB(1.0, -(exponent % 60))

    let x = c + near
    let f x = abs (x - c)
    // At the kink both sides' slopes are as good.
    let slope = 1.0
    let right = scalar f slope x
    Assert.True(right.Passed, string right)
    let wrong = scalar f 1.5 x
    Assert.False(wrong.Passed, string wrong)
    let wrong = scalar f -1.5 x
    Assert.False(wrong.Passed, string wrong)

    if near > 1e-4 then
        Exactly.equal 0 right.Kinks
        Assert.False (scalar f 0.3 x).Passed
    elif near = 0.0 then
        Exactly.equal 1 right.Kinks

[<Fact>]
let ``what differs at a kink of a network is called a kink, and what is wrong besides is wrong``
    ()
    =
    // A ReLU unit right at its kink: the chain rule says 0, differences say half the slope.
    let layer rows columns values biases : LayerParameters<float> =
        LayerParameters.dense
            (Matrix<float>.Build.Dense(rows, columns, Array.ofList values))
            (Vector<float>.Build.Dense(Array.ofList biases))

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

    let check = GradientCheck.ofNetwork network batch
    Assert.True(check.Passed, string check)

    Exactly.equal [ "W1", 2; "b1", 1; "W2", 0; "b2", 0 ] [
        for tensor in check.Tensors -> tensor.Name, tensor.Kinks
    ]

    Assert.Contains("2 numbers stand at kinks", string check.Tensors.Head)

    let check =
        backward network batch
        |> mapTensors (fun _ values -> values |> Array.map (fun g -> g + 0.1))
        |> judge network batch

    Assert.All(check.Tensors, (fun tensor -> Assert.False tensor.Passed))

[<Law>]
let ``a small tensor is allowed no more than its own size lets pass`` (Trainable(network, batch)) =
    for tensor in (GradientCheck.ofNetwork network batch).Tensors do
        // A backward gradient of nothing but zeros would be off by the whole scale.
        Assert.True(tensor.Scale < 1e-6 || tensor.Scale > tensor.Allowed, $"%A{tensor}")

[<Fact>]
let ``a first layer whose gradient is a millionth of the last one's is seen`` () =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.01)
            1UL
            (Architecture.dense Activation.Sigmoid [ 20; 10; 10; 10; 10 ])

    let batch =
        MiniBatch.create
            (Matrix<float>.Build.Dense(20, 5, fun i s -> float ((i * 7 + s) % 5) / 4.0))
            (Targets.Labels [| 0; 1; 2; 3; 4 |])

    let check = GradientCheck.ofNetwork network batch
    let first, last = List.head check.Tensors, List.last check.Tensors
    Assert.True(first.Scale < 2e-6 * last.Scale, $"%A{first} %A{last}")
    Assert.True check.Passed
    Assert.True(first.Allowed < first.Scale, $"%A{first}")

[<Law>]
let ``a gradient that is no number is refused`` (Trainable(network, batch)) =
    let spoilt = {
        network with
            Parameters = network.Parameters |> changed "b1" (Array.map (fun _ -> nan))
    }

    let check = GradientCheck.ofNetwork spoilt batch
    // A ReLU unit that is no number stays none, so every network here says so.
    Assert.False check.Passed
    Assert.True(Double.IsNaN check.Worst.Difference)

[<Fact>]
let ``shapes that differ are refused`` () =
    let m rows columns : Matrix<float> =
        Matrix<float>.Build.Dense(rows, columns)

    Exactly.refused [ "(2, 3)"; "(3, 2)" ] (fun () ->
        GradientCheck.ofMatrix (fun _ -> 0.0) (m 2 3) (m 3 2))

    Exactly.refused [ "1 and 2" ] (fun () ->
        GradientCheck.ofMatrices (fun _ -> 0.0) [ "a", m 1 1 ] [ m 1 1; m 1 1 ])

    Exactly.refused [ "0 and 0" ] (fun () -> GradientCheck.ofMatrices (fun _ -> 0.0) [] [])

[<Fact>]
let ``a network with dropout between a layer and its normalisation is checked with the same parameters``
    ()
    =
    for layers in
        [
            [ "dense 5"; "dropout 0.2"; "batchnorm"; "dense 3" ]
            [
                "dense 6"
                "residual [dropout 0.2, dense 6, dropout 0.2, batchnorm]"
                "dense 3"
            ]
            [ "dense 6"; "residual [dropout 0.2]"; "dense 3" ]
        ] do
        let network: Network<float> =
            LayerKinds.parse [] layers
            |> Result.bind (Architecture.create Head.Softmax (Shape.Vector 4))
            |> orFail
            |> Network.initialise (Initialiser.Fixed 0.5) 6UL

        let batch =
            MiniBatch.create
                (KernelLaws.drawn (Seed 7UL) 0L 4 6)
                (Targets.Labels [| 0; 1; 2; 0; 1; 2 |])

        Assert.True((GradientCheck.ofNetwork network batch).Passed, String.concat ", " layers)

[<Fact>]
let ``the loss beside a gradient is the network's where a weight of a blank pixel is not a number``
    ()
    =
    let pixels = Array.init 72 (fun i -> if i % 36 = 35 then 0uy else byte (i * 3))

    let images: IdxImages = {
        Count = 2
        Size = ImageSize.Grey(6, 6)
        Pixels = ReadOnlyMemory pixels
    }

    let data: Dataset<float> = Dataset.ofIdx 2 images [| 0; 1 |] |> orFail

    let network: Network<float> =
        Architecture.dense Activation.Sigmoid [ 36; 5; 2 ]
        |> Network.initialise (Initialiser.Fixed 0.5) 9UL

    let first = network.Parameters.Layers.Head

    let broken = {
        network with
            Parameters = {
                Layers =
                    LayerParameters.withMatrix
                        "W"
                        (first.Weights.MapIndexed(fun unit pixel w ->
                            if unit = 0 && pixel = 35 then nan else w))
                        first
                    :: network.Parameters.Layers.Tail
            }
    }

    let batch = Dataset.take [| 0; 1 |] data
    let struct (loss, _) = Gradient.backward broken batch
    Assert.True(Double.IsNaN loss)
    Assert.True(Double.IsNaN(Network.loss broken batch))

    Exactly.refused [ "greater than 0" ] (fun () ->
        Gradient.numerical 0.0 (fun x -> x[0]) (Kernels.vector [| 1.0 |]))
