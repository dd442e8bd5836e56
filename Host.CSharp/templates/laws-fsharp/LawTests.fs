module PipelineLaws.LawTests

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Laws
open Xunit

/// An activation of your own: z / (1 + |z|).
let softsign (z: Matrix<float>) = z.Map(fun z -> z / (1.0 + abs z))

let softsignDerivative (z: Matrix<float>) =
    z.Map(fun z -> 1.0 / (1.0 + abs z) ** 2.0)

[<Fact>]
let ``softsign has its derivative`` () =
    Law.Check(ActivationLaw.All(softsign, softsignDerivative))

[<Fact>]
let ``Scale has its gradients`` () = Law.Check(LayerLaw.All(Scale()))
