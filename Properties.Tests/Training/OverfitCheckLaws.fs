/// OverfitCheck.fs: sound settings learn a handful of samples, unsound ones do not.
module Pipeline.Properties.OverfitCheckLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private data (seed: uint64) : Dataset<float> =
    let value = RandomNumbers.normal seed RandomStream.GradientCheck 0L
    let labels = Array.init 40 (fun s -> s % 4)
    Dataset.ofColumns 4 (Array.init 400 value |> Kernels.matrix 10 40) (Targets.Labels labels)

let private settings rate =
    Hyperparameters.create {
        Hyperparameters.Default.Options with
            LearningRate = rate
            Initialiser = Initialiser.XavierNormal
    }
    |> orFail

let private architecture =
    [
        Layers.dense 30
        Layers.activation Activation.Tanh
        Layers.dropout 0.5
        Layers.dense 4
    ]
    |> Architecture.create Head.Softmax (Shape.Vector 10)
    |> orFail

[<Law(MaxTest = 20)>]
let ``ten random samples are learned by heart at a sound rate`` (Seed seed) =
    let check = OverfitCheck.run (settings 0.5) 10 1000 (data seed) architecture
    Assert.True(check.Passed, $"{check}")
    Assert.Equal(1.0, check.Accuracy)
    Assert.InRange(check.Steps, 1, 999)

[<Law(MaxTest = 20)>]
let ``at a rate of next to nothing they are not`` (Seed seed) =
    let check = OverfitCheck.run (settings 1e-6) 10 100 (data seed) architecture
    Assert.False check.Passed
    Exactly.equal 100 check.Steps
    Assert.InRange(check.LastLoss, 0.9 * check.FirstLoss, check.FirstLoss)

[<Law(MaxTest = 5)>]
let ``numbers to predict are learned by heart, without an accuracy`` (Seed seed) =
    let value = RandomNumbers.normal seed RandomStream.GradientCheck 1L
    let inputs = Array.init 60 value |> Kernels.matrix 3 20
    let targets = Array.init 20 (fun s -> value (60 + s)) |> Kernels.matrix 1 20
    let data = Dataset.ofColumns 1 inputs (Targets.Columns targets)

    let architecture =
        [ Layers.dense 40; Layers.activation Activation.Tanh; Layers.dense 1 ]
        |> Architecture.create Head.Identity (Shape.Vector 3)
        |> orFail

    let check = OverfitCheck.run (settings 0.1) 5 3000 data architecture
    Assert.True(Double.IsNaN check.Accuracy)
    Assert.True(check.Passed, $"{check}")
    Assert.False (OverfitCheck.run (settings 1e-9) 5 10 data architecture).Passed

[<Theory>]
[<InlineData(0)>]
[<InlineData(41)>]
let ``more samples than there are, or none, are refused`` (count: int) =
    Assert.Throws<ArgumentException>(fun () ->
        OverfitCheck.run (settings 0.5) count 10 (data 1UL) architecture |> ignore)
    |> ignore
