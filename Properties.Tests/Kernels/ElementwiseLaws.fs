/// ElementwiseLoops.fs: the same bits in registers of every width.
module Pipeline.Properties.ElementwiseLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// An update with registers of every width against the widest that the machine has.
let private sameUpdate (op: 'Op :> IUpdate<float>) gradient parameters (memories: float[] list) =
    let struct (expected, expectedMemories) =
        Kernels.update op gradient parameters memories

    for run in Registers.forDouble gradient.Length do
        let next = Array.zeroCreate gradient.Length
        let nextMemories = memories |> List.map (fun _ -> Array.zeroCreate gradient.Length)

        run {
            Update = op
            Gradient = gradient
            Parameters = parameters
            FirstMemory = List.head memories
            SecondMemory = List.last memories
            NextParameters = next
            NextFirstMemory = List.head nextMemories
            NextSecondMemory = List.last nextMemories
        }

        Exactly.bits expected next
        List.iter2 Exactly.bits expectedMemories nextMemories

[<Law>]
let ``every width of register gives the same bits of an update``
    (ProductShape(rows, columns, _))
    seed
    =
    let numbers stream =
        KernelLaws.drawn seed stream rows columns |> cells

    let gradient, parameters, mean = numbers 0L, numbers 1L, numbers 2L
    let squares = numbers 3L |> Array.map abs

    sameUpdate
        {
            MomentumOp.Momentum = 0.9
            NegativeRate = -0.3
        }
        gradient
        parameters
        [ mean ]

    sameUpdate
        {
            NesterovOp.Momentum = 0.9
            NegativeRate = -0.3
        }
        gradient
        parameters
        [ mean ]

    sameUpdate
        {
            Decay = 0.99
            Weight = 0.01
            Epsilon = 1e-8
            NegativeRate = -0.3
        }
        gradient
        parameters
        [ squares ]

    sameUpdate
        {
            AdamOp.Beta1Rest = 0.1
            Beta2 = 0.99
            Beta2Rest = 0.01
            Epsilon = 1e-8
            NegativeRate = -0.3
            Scale = 1.7
        }
        gradient
        parameters
        [ mean; squares ]

    sameUpdate
        {
            LionOp.Beta1Rest = 0.1
            Beta2Rest = 0.01
            NegativeRate = -0.3
        }
        gradient
        parameters
        [ mean ]

[<Law>]
let ``every width of register gives the same row sums`` (ProductShape(rows, columns, _)) seed =
    let matrix = KernelLaws.drawn seed 0L rows columns

    for run in Registers.forDouble rows do
        let sums = Array.zeroCreate rows

        run { Matrix = cells matrix; Sums = sums }

        Exactly.bits ((Kernels.biasGradient matrix).ToArray()) sums

    for run in Registers.forSingle rows do
        let sums = Array.zeroCreate rows

        run {
            Matrix = cells (single matrix)
            Sums = sums
        }

        Exactly.bits ((Kernels.biasGradient (single matrix)).ToArray()) sums

[<Law>]
let ``every width of register gives the same maps`` (ProductShape(length, _, _)) seed =
    let x, y =
        ((KernelLaws.drawn seed 0L length 1).Column 0).ToArray(),
        ((KernelLaws.drawn seed 1L length 1).Column 0).ToArray()

    let one, two =
        Matrix<float>.Build.Dense(length, 1, x), Matrix<float>.Build.Dense(length, 1, y)

    let backward = Array.copy y
    Activation.backwardInto backward Activation.Sigmoid x y
    let sigmoid = Activation.apply Activation.Sigmoid one |> cells
    let stepped = Kernels.subtractScaled 0.3 two one |> cells

    for run in Registers.forDouble length do
        let result = Array.zeroCreate length

        run {
            Op = SigmoidOp<float>()
            X = x
            Result = result
        }

        Exactly.bits sigmoid result

        run {
            Op2 = SigmoidBackwardOp<float>()
            First = x
            Second = y
            Result2 = result
        }

        Exactly.bits backward result

        run {
            Op2 = { NegativeRate = -0.3 }
            First = y
            Second = x
            Result2 = result
        }

        Exactly.bits stepped result

[<Law>]
let ``subtractScaled is θ − η·g, rounded once`` (SameShape(theta, g)) (Seed seed) =
    let rate = RandomNumbers.uniform seed RandomStream.GradientCheck 0L 0

    let expected =
        Array.map2 (fun g t -> Math.FusedMultiplyAdd(-rate, g, t)) (cells g) (cells theta)

    Kernels.subtractScaled rate g theta |> cells |> Exactly.bits expected

    (Kernels.subtractScaledVector rate (g.Column 0) (theta.Column 0)).ToArray()
    |> Exactly.bits expected[.. g.RowCount - 1]

    Kernels.subtractScaled (float32 rate) (single g) (single theta)
    |> cells
    |> Exactly.bits (
        Array.map2
            (fun g t -> MathF.FusedMultiplyAdd(-float32 rate, float32 g, float32 t))
            (cells g)
            (cells theta)
    )
