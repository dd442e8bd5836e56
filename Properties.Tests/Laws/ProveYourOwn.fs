/// How to prove a function of one's own: an activation, right and wrong.
module Pipeline.Properties.ProveYourOwn

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning.Laws

/// Mish: z·tanh(ln(1 + e^z)).
let mish (z: Matrix<float>) =
    z.Map(fun z -> z * Math.Tanh(Math.Log(1.0 + Math.Exp z)))

/// Its derivative: t + z·σ(z)·(1 − t²), where t = tanh(ln(1 + e^z)).
let mishSlope (z: Matrix<float>) =
    z.Map(fun z ->
        let t = Math.Tanh(Math.Log(1.0 + Math.Exp z))
        t + z * (1.0 - t * t) / (1.0 + Math.Exp(-z)))

[<Law>]
let ``mish keeps the laws of an activation`` () =
    Law.Together(ActivationLaw.All(mish, mishSlope))

/// The same with a slip: the square is missing.
let slip (z: Matrix<float>) =
    z.Map(fun z ->
        let t = Math.Tanh(Math.Log(1.0 + Math.Exp z))
        t + z * (1.0 - t) / (1.0 + Math.Exp(-z)))

[<Fact>]
let ``a slip in its derivative is caught`` () =
    let broken =
        Assert.Throws<LawBrokenException>(fun () -> Law.Check(ActivationLaw.All(mish, slip)))

    Assert.StartsWith(
        "broken laws: 1\n\nthe derivative is the definition's\n[0, 0] is wrong: expected ",
        broken.Message
    )
