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
let ``a gradient of zeros changes nothing`` (Trainable(network, _)) =
    let zeros =
        Parameters.map2
            (fun (w: Matrix<float>) _ -> w.Map(fun _ -> 0.0))
            (fun (b: Vector<float>) _ -> b.Map(fun _ -> 0.0))
            network.Parameters
            network.Parameters

    Optimizer.descend 0.1 zeros network.Parameters
    |> flat
    |> Exactly.bits (flat network.Parameters)

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
