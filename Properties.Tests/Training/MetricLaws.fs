/// Metric.fs: which of two figures is better.
module Pipeline.Properties.MetricLaws

open System
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

let private all = [
    Metric.Accuracy
    Metric.BalancedAccuracy
    Metric.MacroF1
    Metric.AreaUnderRoc
    Metric.LogLoss
    Metric.RootMeanSquaredError
    Metric.MeanAbsoluteError
    Metric.RSquared
]

[<Law>]
let ``of two figures, the higher accuracy and the lower error are better``
    (NormalFloat one)
    (NormalFloat other)
    =
    for metric in all do
        let isBetter =
            match metric with
            | Metric.LogLoss
            | Metric.RootMeanSquaredError
            | Metric.MeanAbsoluteError -> one <= other
            | _ -> one >= other

        // Differences below the rounding of the figures count as none.
        if isBetter then
            Assert.True(Metric.isNotWorse metric 0.0 other one)
        elif abs (one - other) > 1e-9 * (1.0 + abs one + abs other) then
            Assert.False(Metric.isNotWorse metric 0.0 other one)
            Assert.True(Metric.isNotWorse metric (1.001 * abs (one - other) + 1e-9) other one)
            Assert.False(Metric.isNotWorse metric (0.99 * abs (one - other)) other one)

        Assert.False(Metric.isNotWorse metric 1.0 one nan)
        Assert.True(Metric.isNotWorse metric 0.0 nan one)

[<Fact>]
let ``every figure is read by its name and is that of its evaluation`` () =
    let classes =
        Evaluation.ofLogits
            EvaluationOptions.Default
            Head.Softmax
            [| 0; 1; 1; 0 |]
            (Kernels.matrix 2 4 [| 2.0; 1.0; 0.0; 1.0; 3.0; 1.0; 0.5; 0.0 |])

    let numbers = {
        Samples = 3
        Loss = 0.5
        RootMeanSquaredError = 1.0
        MeanAbsoluteError = 0.75
        BaselineError = 2.0
        RSquared = 0.25
        Pairs = []
        Coverage = ValueNone
    }

    let known = [
        Metric.Accuracy, classes.Accuracy
        Metric.BalancedAccuracy, classes.BalancedAccuracy
        Metric.MacroF1, classes.MacroF1
        Metric.AreaUnderRoc, classes.MacroAreaUnderRoc
        Metric.LogLoss, classes.Loss
        Metric.RootMeanSquaredError, 1.0
        Metric.MeanAbsoluteError, 0.75
        Metric.RSquared, 0.25
    ]

    for metric, expected in known do
        Exactly.equal (Ok metric) (Metric.parse ((string metric).ToLowerInvariant()))

        let own, other =
            if Metric.isOfNumbers metric then
                Evaluation.Regression numbers, Evaluation.Classification classes
            else
                Evaluation.Classification classes, Evaluation.Regression numbers

        Exactly.equal expected (Metric.value metric own)
        Assert.True(Double.IsNaN(Metric.value metric other))

    Exactly.equal all (List.map fst known)
    Assert.True(Metric.parse "Loss" |> Result.isError)
