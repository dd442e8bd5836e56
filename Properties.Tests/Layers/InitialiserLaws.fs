/// Initialiser.fs: the spread of the first weights, for layers of any shape.
module Pipeline.Properties.InitialiserLaws

open System
open MathNet.Numerics.Statistics
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Outputs and inputs of a layer of some thousand weights.
let private shape (a: byte) (b: byte) = 40 + int a % 60, 40 + int b % 60

let private drawn seed outputs inputs initialiser : float[] =
    Initialiser.weights seed 0 outputs inputs initialiser

let private kinds = [
    Initialiser.Fixed 0.37, (fun _ _ -> 0.37 * 0.37), false
    Initialiser.XavierNormal, (fun outputs inputs -> 2.0 / (inputs + outputs)), false
    Initialiser.XavierUniform, (fun outputs inputs -> 2.0 / (inputs + outputs)), true
    Initialiser.HeNormal, (fun _ inputs -> 2.0 / inputs), false
    Initialiser.HeUniform, (fun _ inputs -> 2.0 / inputs), true
    Initialiser.LeCunNormal, (fun _ inputs -> 1.0 / inputs), false
    Initialiser.LeCunUniform, (fun _ inputs -> 1.0 / inputs), true
]

[<Law>]
let ``weights have the mean 0 and the variance that their way gives the shape`` (Seed seed) a b =
    let outputs, inputs = shape a b

    for initialiser, variance, isUniform in kinds do
        let weights = drawn seed outputs inputs initialiser
        let expected = variance (float outputs) (float inputs)
        let deviation = Math.Sqrt expected
        let n = float weights.Length
        // Six deviations of the estimates: their own are σ/√n, and σ²√(2/n) or σ²√(0.8/n).
        Assert.InRange(weights.Mean(), -6.0 * deviation / sqrt n, 6.0 * deviation / sqrt n)

        Assert.InRange(
            weights.Variance() / expected,
            1.0 - 6.0 * sqrt (2.0 / n),
            1.0 + 6.0 * sqrt (2.0 / n)
        )

        [| Initialiser.deviation inputs outputs initialiser |]
        |> Approximately.equal 1e-15 [| deviation |]

        let greatest = weights |> Array.map abs |> Array.max

        if isUniform then
            Assert.InRange(greatest, 1.6 * deviation, sqrt 3.0 * deviation)
        else
            Assert.True(greatest > 2.5 * deviation)

[<Law>]
let ``orthogonal weights are rows or columns of length 1 at right angles``
    (Seed seed)
    (a: byte)
    (b: byte)
    =
    let outputs, inputs = 1 + int a % 40, 1 + int b % 40

    let w =
        drawn seed outputs inputs Initialiser.Orthogonal
        |> Kernels.matrix outputs inputs

    let product =
        if outputs <= inputs then
            w * w.Transpose()
        else
            w.Transpose() * w

    product.ToColumnMajorArray()
    |> Approximately.equal
        1e-10
        (MathNet.Numerics.LinearAlgebra.Matrix<float>.Build
            .DenseIdentity(min outputs inputs)
            .ToColumnMajorArray())

[<Law>]
let ``another seed and another layer give other weights; both precisions the same`` (Seed seed) =
    for initialiser, _, _ in (Initialiser.Orthogonal, (fun _ _ -> 0.0), false) :: kinds do
        let weights = drawn seed 5 7 initialiser
        Exactly.bits weights (drawn seed 5 7 initialiser)
        Assert.NotEqual<float[]>(weights, drawn (seed + 1UL) 5 7 initialiser)
        Assert.NotEqual<float[]>(weights, Initialiser.weights seed 1 5 7 initialiser)

        Exactly.bits
            (weights |> Array.map float32)
            (Initialiser.weights seed 0 5 7 initialiser: float32[])

[<Fact>]
let ``a way of beginning is said by name`` () =
    Exactly.equal (Ok(Initialiser.Fixed 0.2)) (Initialiser.parse 0.2 "fixed")
    Exactly.equal (Ok Initialiser.HeUniform) (Initialiser.parse 0.2 "heuniform")
    Exactly.faulted [ "Initialiser"; "XavierNormal"; "'he'" ] (Initialiser.parse 0.2 "he")
