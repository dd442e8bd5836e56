/// Optimizer.fs.
module Pipeline.Properties.OptimizerLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning

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
            |> List.map (fun layer -> {
                layer with
                    Weights = layer.Weights.InsertRow(0, layer.Weights.Row 0)
            })
    }

    let w = network.Parameters.Layers[0].Weights

    Exactly.refused
        [ $"({w.RowCount}, {w.ColumnCount})"; $"({w.RowCount + 1}, {w.ColumnCount})" ]
        (fun () -> Optimizer.descend 0.1 wider network.Parameters)

/// Adam's paper, algorithm 1, for one number: θ after each gradient.
let private adamByPaper
    (beta1: float)
    (beta2: float)
    (epsilon: float)
    (rate: float)
    (start: float)
    (gradients: float list)
    : float list =
    let mutable theta, m, v, t = start, 0.0, 0.0, 0

    [
        for g in gradients do
            t <- t + 1
            m <- beta1 * m + (1.0 - beta1) * g
            v <- beta2 * v + (1.0 - beta2) * g * g
            let mean = m / (1.0 - Math.Pow(beta1, float t))
            let size = v / (1.0 - Math.Pow(beta2, float t))
            theta <- theta - rate * mean / (Math.Sqrt size + epsilon)
            yield theta
    ]

/// The parameters after each of the gradients.
let private steps (optimizer: Optimizer<'T>) rate (gradients: Parameters<'T> list) parameters =
    gradients
    |> List.scan
        (fun struct (parameters, state) gradient -> optimizer.Update rate gradient state parameters)
        struct (parameters, optimizer.Init parameters)
    |> List.map (fun struct (parameters, _) -> parameters)

/// Gradients of the parameters' shape, some of them, and some of their entries, much smaller.
let private gradients seed count (parameters: Parameters<float>) = [
    for t in 1..count ->
        parameters
        |> Parameters.mapTensors (fun name values ->
            Array.init values.Length (fun i ->
                let scale = Math.Pow(10.0, float ((t + i + name.Length) % 5 - 4))

                scale
                * Random.normal seed Stream.GradientCheck (int64 t) (i + 100 * int name[1])))
]

[<Law>]
let ``fifty steps of Adam are those of its paper, number by number``
    (Trainable(network, _))
    seed
    (Fraction beta1)
    (Fraction beta2)
    =
    let epsilon, rate = 1e-8, 0.01
    let gradients = gradients seed 50 network.Parameters

    let found =
        steps (Optimizer.adam beta1 beta2 epsilon) rate gradients network.Parameters

    let start = flat network.Parameters
    let byStep = gradients |> List.map flat

    for i in 0 .. start.Length - 1 do
        let expected =
            byStep
            |> List.map (fun gradient -> gradient[i])
            |> adamByPaper beta1 beta2 epsilon rate start[i]

        found.Tail
        |> List.map (fun parameters -> (flat parameters)[i])
        |> Array.ofList
        |> Approximately.equal Approximately.rounding (Array.ofList expected)

    let single: Parameters<float32> list = gradients |> List.map Parameters.convert

    steps (Optimizer.adam beta1 beta2 epsilon) 0.01f single (Parameters.convert network.Parameters)
    |> List.last
    |> flat
    |> Array.map float
    |> Approximately.equal Approximately.followsDouble (flat (List.last found))

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
let ``gradients of zeros move nothing`` (Trainable(network, _)) =
    let zeros =
        network.Parameters
        |> Parameters.mapTensors (fun _ values -> Array.zeroCreate values.Length)

    for method in [ OptimizerMethod.GradientDescent; OptimizerMethod.Adam ] do
        steps (Optimizer.ofMethod method) 0.1 [ zeros; zeros ] network.Parameters
        |> List.last
        |> flat
        |> Exactly.bits (flat network.Parameters)

[<Law>]
let ``an optimizer counts its steps, and gradient descent is descend``
    (Trainable(network, _))
    seed
    =
    let gradient = (gradients seed 1 network.Parameters).Head
    let optimizer: Optimizer<float> = Optimizer.gradientDescent
    let state = optimizer.Init network.Parameters
    let struct (next, state) = optimizer.Update 0.1 gradient state network.Parameters
    Exactly.bits (flat (Optimizer.descend 0.1 gradient network.Parameters)) (flat next)
    Exactly.equal 1L state.Steps
    Assert.Empty state.Means
    let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8

    let struct (_, state) =
        adam.Update 0.1 gradient (adam.Init network.Parameters) network.Parameters

    Exactly.equal 1L state.Steps
    Exactly.equal 2 state.Means.Length

[<Law>]
let ``Adam refuses constants, states and shapes that are not its own`` (Trainable(network, _)) =
    for beta1, beta2, epsilon in
        [
            1.0, 0.9, 1.0
            -0.1, 0.9, 1.0
            0.9, 1.0, 1.0
            0.9, nan, 1.0
            0.9, 0.9, 0.0
            0.9, 0.9, infinity
        ] do
        Exactly.refused [ "expected" ] (fun () ->
            (Optimizer.adam beta1 beta2 epsilon: Optimizer<float>))

    let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8
    let parameters = network.Parameters
    let update = adam.Update 0.1 parameters
    Exactly.refused [ "0" ] (fun () -> update { Steps = 0L; Means = [] } parameters)

    let other = Architecture.dense Activation.Relu [ 41; 3 ]
    let other = (Network.initialise 0.1 1UL other: Network<float>).Parameters
    Exactly.refused [] (fun () -> update (adam.Init other) parameters)
    Exactly.refused [] (fun () -> update (adam.Init parameters) other)

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
