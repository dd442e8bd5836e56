/// Hyperparameters.fs.
module Pipeline.Properties.HyperparametersLaws

open System
open Xunit
open Pipeline.Learning

let private create iterations size rate deviation =
    Hyperparameters.create
        iterations
        size
        rate
        deviation
        Sampling.Epoch
        GradientMethod.Numerical
        42UL

[<Law>]
let ``every setting is refused for itself, and all at once``
    (iterations: int64)
    (size: int)
    (AnyNumber rate)
    (AnyNumber deviation)
    =
    let expected = [
        if iterations < 1L then
            "Iterations", $"{iterations}"
        if size < 1 then
            "BatchSize", $"{size}"
        if Double.IsNaN rate || Double.IsInfinity rate || rate <= 0.0 then
            "LearningRate", $"{rate}"
        if Double.IsNaN deviation || Double.IsInfinity deviation || deviation < 0.0 then
            "WeightInitStd", $"{deviation}"
    ]

    match create iterations size rate deviation with
    | Ok settings ->
        Assert.Empty expected
        Exactly.equal iterations settings.Iterations
        Exactly.equal size settings.BatchSize
        Exactly.equal rate settings.LearningRate
        Exactly.equal deviation settings.WeightInitStd
        Exactly.equal Sampling.Epoch settings.Sampling
        Exactly.equal GradientMethod.Numerical settings.Gradient
        Exactly.equal 42UL settings.Seed
    | Error faults ->
        Exactly.equal expected (faults |> List.map (fun fault -> fault.Subject, fault.Found))

[<Fact>]
let ``the book's settings are the chapter's, and pass`` () =
    let book = Hyperparameters.book
    Exactly.equal 10000L book.Iterations
    Exactly.equal 100 book.BatchSize
    Exactly.equal 0.1 book.LearningRate
    Exactly.equal 0.01 book.WeightInitStd
    Exactly.equal Sampling.Replacement book.Sampling
    Exactly.equal GradientMethod.Backpropagation book.Gradient
    Exactly.equal 1UL book.Seed

    Exactly.equal
        (Ok book)
        (Hyperparameters.create
            10000L
            100
            0.1
            0.01
            Sampling.Replacement
            GradientMethod.Backpropagation
            1UL)
