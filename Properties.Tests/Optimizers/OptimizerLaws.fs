/// Optimizer.fs.
module Pipeline.Properties.OptimizerLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``a step is θ − η·g of every parameter, rounded once`` (Trainable(network, batch)) =
    let struct (_, gradient) = Gradient.backward network batch

    Optimizer.descend 0.1 gradient network.Parameters
    |> flat
    |> Exactly.bits (
        Array.map2
            (fun g theta -> Math.FusedMultiplyAdd(-0.1, g, theta))
            (flat gradient)
            (flat network.Parameters)
    )

    let single: Parameters<float32> = Parameters.convert network.Parameters
    let gradient: Parameters<float32> = Parameters.convert gradient

    Optimizer.descend 0.1f gradient single
    |> flat
    |> Exactly.bits (
        Array.map2
            (fun g theta -> MathF.FusedMultiplyAdd(-0.1f, g, theta))
            (flat gradient)
            (flat single)
    )

[<Law>]
let ``partners of different shape are refused`` (Trainable(network, _)) =
    let fewer = {
        Layers = List.tail network.Parameters.Layers
    }

    Exactly.refused [] (fun () -> Optimizer.descend 0.1 fewer network.Parameters)

    let wider = {
        Layers =
            network.Parameters.Layers
            |> List.map (fun layer ->
                layer
                |> LayerParameters.withMatrix "W" (layer.Weights.InsertRow(0, layer.Weights.Row 0)))
    }

    let w = network.Parameters.Layers[0].Weights

    Exactly.refused
        [ $"({w.RowCount}, {w.ColumnCount})"; $"({w.RowCount + 1}, {w.ColumnCount})" ]
        (fun () -> Optimizer.descend 0.1 wider network.Parameters)

/// A rule for one number, as its paper writes it: θ after each gradient.
type private Scalar = float -> float -> float seq -> float list

/// A rule that keeps one number, from its paper's line for the memory and for θ.
let private keepingOne
    (remember: float -> float -> float)
    (move: float -> float -> float -> float)
    =
    fun rate start gradients ->
        let mutable theta, memory = start, 0.0

        [
            for g: float in gradients do
                let before = memory
                memory <- remember memory g
                theta <- theta - rate * move before memory g
                yield theta
        ]

/// Adam's paper, algorithm 1; with a decay AdamW's, algorithm 2, in PyTorch's order: the decay first.
let adamByPaper (decay: float) (beta1: float) (beta2: float) (epsilon: float) =
    fun (rate: float) (start: float) (gradients: float seq) ->
        let mutable theta, m, v, t = start, 0.0, 0.0, 0

        [
            for g in gradients do
                t <- t + 1
                m <- beta1 * m + (1.0 - beta1) * g
                v <- beta2 * v + (1.0 - beta2) * g * g
                let mean = m / (1.0 - Math.Pow(beta1, float t))
                let size = v / (1.0 - Math.Pow(beta2, float t))
                theta <- theta * (1.0 - rate * decay)
                theta <- theta - rate * mean / (Math.Sqrt size + epsilon)
                yield theta
        ]

/// Every rule beside its paper's formula, with constants between 0 and 1.
let private rules
    (a: float)
    (b: float)
    : (string * Optimizer<float> * Optimizer<float32> * Scalar) list = [
    "gradient descent",
    Optimizer.gradientDescent,
    Optimizer.gradientDescent,
    keepingOne (fun _ _ -> 0.0) (fun _ _ g -> g)
    "momentum",
    Optimizer.momentum a,
    Optimizer.momentum a,
    keepingOne (fun v g -> a * v + g) (fun _ v _ -> v)
    "Nesterov",
    Optimizer.nesterov a,
    Optimizer.nesterov a,
    keepingOne (fun v g -> a * v + g) (fun _ v g -> g + a * v)
    "AdaGrad",
    Optimizer.adaGrad 1e-10,
    Optimizer.adaGrad 1e-10,
    keepingOne (fun s g -> s + g * g) (fun _ s g -> g / (Math.Sqrt s + 1e-10))
    "RMSProp",
    Optimizer.rmsProp a 1e-8,
    Optimizer.rmsProp a 1e-8,
    keepingOne (fun s g -> a * s + (1.0 - a) * g * g) (fun _ s g -> g / (Math.Sqrt s + 1e-8))
    "Adam", Optimizer.adam a b 1e-8, Optimizer.adam a b 1e-8, adamByPaper 0.0 a b 1e-8
    "Lion",
    Optimizer.lion a b,
    Optimizer.lion a b,
    keepingOne (fun m g -> b * m + (1.0 - b) * g) (fun m _ g ->
        float (sign (a * m + (1.0 - a) * g)))
]

/// The parameters after each of the gradients.
let internal steps (optimizer: Optimizer<'T>) rate (gradients: Parameters<'T> list) parameters =
    gradients
    |> List.scan
        (fun struct (parameters, state) gradient -> optimizer.Update rate gradient state parameters)
        struct (parameters, optimizer.Init parameters)
    |> List.map (fun struct (parameters, _) -> parameters)

/// Gradients of the parameters' shape, some of them, and some of their entries, much smaller.
let internal gradients seed count (parameters: Parameters<float>) = [
    for t in 1..count ->
        parameters
        |> mapTensors (fun name values ->
            Array.init values.Length (fun i ->
                let scale = Math.Pow(10.0, float ((t + i + name.Length) % 5 - 4))

                scale
                * RandomNumbers.normal
                    seed
                    RandomStream.GradientCheck
                    (int64 t)
                    (i + 100 * int name[1])))
]

[<Law>]
let ``every rule keeps the laws of an optimizer, and fifty steps are those of its paper``
    (Fraction a)
    (Fraction b)
    =
    Law.Together [
        for _, optimizer, _, scalar in rules a b do
            yield! OptimizerLaw.All optimizer
            OptimizerLaw.ZeroGradientMovesNothing optimizer

            OptimizerLaw.FollowsRule(
                optimizer,
                50,
                fun rate start gradients -> scalar rate start (List.ofArray gradients)
            )
    ]

[<Law>]
let ``in single precision every rule follows double`` (Trainable(network, _)) seed =
    let gradients = gradients seed 50 network.Parameters
    let rounded: Parameters<float32> list = gradients |> List.map Parameters.convert

    // The usual constants: where a mean square forgets at once, the rounding of the mean is a large
    // share of a step. Lion's steps are all of one size, and a mean of almost 0 may round to either side.
    for name, optimizer, single, _ in rules 0.9 0.99 do
        if name <> "Lion" then
            let expected = steps optimizer 0.01 gradients network.Parameters |> List.last

            steps single 0.01f rounded (Parameters.convert network.Parameters)
            |> List.last
            |> flat
            |> Array.map float
            |> Approximately.equal Approximately.followsDouble (flat expected)

[<Law>]
let ``without momentum, both kinds of it are gradient descent`` (Trainable(network, _)) seed =
    let gradients = gradients seed 5 network.Parameters
    let expected = steps Optimizer.gradientDescent 0.1 gradients network.Parameters

    for optimizer in [ Optimizer.momentum 0.0; Optimizer.nesterov 0.0 ] do
        steps optimizer 0.1 gradients network.Parameters
        |> List.iter2 (fun x y -> Exactly.bits (flat x) (flat y)) expected

[<Law>]
let ``a gradient that is not a number is not hidden`` (Trainable(network, _)) =
    let spoilt =
        network.Parameters
        |> mapTensors (fun _ values -> Array.create values.Length nan)

    for _, optimizer, _, _ in rules 0.9 0.99 do
        steps optimizer 0.1 [ spoilt ] network.Parameters
        |> List.last
        |> flat
        |> Array.forall Double.IsNaN
        |> Assert.True

[<Law>]
let ``Adam's first step is the rate, whatever the gradient's size`` (Trainable(network, _)) seed =
    let gradient = (gradients seed 1 network.Parameters).Head

    let moved =
        steps (Optimizer.adam 0.9 0.999 1e-300) 0.01 [ gradient ] network.Parameters
        |> List.last

    (flat moved, flat network.Parameters)
    ||> Array.map2 (-)
    |> Approximately.equal
        Approximately.rounding
        (flat gradient |> Array.map (fun g -> -0.01 * float (sign g)))

[<Law>]
let ``gradient descent is descend, and remembers nothing`` (Trainable(network, _)) seed =
    let gradient = (gradients seed 1 network.Parameters).Head
    let optimizer: Optimizer<float> = Optimizer.gradientDescent
    let state = optimizer.Init network.Parameters
    let struct (next, state) = optimizer.Update 0.1 gradient state network.Parameters
    Exactly.bits (flat (Optimizer.descend 0.1 gradient network.Parameters)) (flat next)
    Exactly.equal 1L state.Steps
    Assert.Empty state.Memory

[<Law>]
let ``rules refuse constants, states and shapes that are not their own`` (Trainable(network, _)) =
    let refused (make: unit -> Optimizer<float>) = Exactly.refused [ "expected" ] make

    for share in [ 1.0; -0.1; nan; infinity ] do
        refused (fun () -> Optimizer.momentum share)
        refused (fun () -> Optimizer.nesterov share)
        refused (fun () -> Optimizer.rmsProp share 1e-8)
        refused (fun () -> Optimizer.adam share 0.9 1e-8)
        refused (fun () -> Optimizer.adam 0.9 share 1e-8)
        refused (fun () -> Optimizer.lion share 0.9)
        refused (fun () -> Optimizer.lion 0.9 share)

    for epsilon in [ 0.0; -1.0; nan; infinity ] do
        refused (fun () -> Optimizer.adaGrad epsilon)
        refused (fun () -> Optimizer.rmsProp 0.9 epsilon)
        refused (fun () -> Optimizer.adam 0.9 0.9 epsilon)

    let parameters = network.Parameters
    let other = Architecture.dense Activation.Relu [ 41; 3 ]

    let other =
        (Network.initialise (Initialiser.Fixed 0.1) 1UL other: Network<float>).Parameters

    for name, optimizer, _, _ in rules 0.9 0.99 |> List.tail do
        let update = optimizer.Update 0.1 parameters
        Exactly.refused [ "memory" ] (fun () -> update { Steps = 0L; Memory = [] } parameters)
        Exactly.refused [] (fun () -> update (optimizer.Init other) parameters)
        Exactly.refused [] (fun () -> update (optimizer.Init parameters) other)

        if name <> "Adam" then
            let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8

            Exactly.refused [ "mean, squares" ] (fun () -> update (adam.Init parameters) parameters)

[<Law>]
let ``descent's path is the start and every step's end``
    (SameLength(start, a))
    (steps: FsCheck.NonNegativeInt)
    =
    let steps = steps.Get % 20
    let gradient (x: Vector<float>) = x - a
    let path = Optimizer.descent 0.25 steps gradient start
    Exactly.equal (steps + 1) path.Length
    Exactly.bits (start.ToArray()) (path.Head.ToArray())

    for x, next in List.pairwise path do
        Exactly.bits ((Kernels.subtractScaledVector 0.25 (gradient x) x).ToArray()) (next.ToArray())

    // ∇f = x − a: every step keeps three quarters of the distance.
    ((List.last path) - a).ToArray()
    |> Approximately.equal 1e-13 (((start - a) * Math.Pow(0.75, float steps)).ToArray())

let private squares (x: Vector<float>) = x * x
let private gradientOfSquares = Gradient.numerical 1e-4 squares

[<Fact>]
let ``the book's descent of x0² + x1² from (−3, 4) at rate 0.1 lands at 0`` () =
    let path = Optimizer.descent 0.1 100 gradientOfSquares (vector [ -3.0; 4.0 ])
    Exactly.equal 101 path.Length
    Assert.All((List.last path).ToArray(), (fun x -> Assert.InRange(x, -1e-8, 1e-8)))

    // As the chapter prints it.
    (List.last path).ToArray()
    |> Approximately.within [| 1e-15; 1e-15 |] [| -6.11110793e-10; 8.14814391e-10 |]

[<Fact>]
let ``a rate of 10 diverges`` () =
    let path = Optimizer.descent 10.0 100 gradientOfSquares (vector [ -3.0; 4.0 ])
    Assert.True((List.last path).L2Norm() > 1e10)

[<Fact>]
let ``a rate of 1e-10 hardly moves`` () =
    let path = Optimizer.descent 1e-10 100 gradientOfSquares (vector [ -3.0; 4.0 ])

    (List.last path).ToArray()
    |> Approximately.within [| 1e-8; 1e-8 |] [| -2.99999994; 3.99999992 |]

    Assert.NotEqual(-3.0, (List.last path)[0])

[<Fact>]
let ``descent in single precision lands there too`` () =
    let path =
        Optimizer.descent
            0.1f
            100
            (fun x -> x * 2.0f)
            (Vector<float32>.Build.Dense [| -3.0f; 4.0f |])

    Assert.All((List.last path).ToArray(), (fun x -> Assert.InRange(x, -1e-8f, 1e-8f)))
