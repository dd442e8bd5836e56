/// Hyperparameters.fs.
module Pipeline.Properties.HyperparametersLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private adam = OptimizerSpec.create (OptimizerSpec.named "Adam") |> orFail

let private create length size rate deviation =
    Hyperparameters.create {
        Length = length
        BatchSize = size
        LearningRate = rate
        Schedule = ScheduleKind.Cosine 0.1
        WarmUp = 7L
        Initialiser = Initialiser.Fixed deviation
        Sampling = Sampling.Epoch
        Gradient = GradientMethod.Numerical
        Optimizer = adam
        Augmentation = { Augmentation.None with Shift = 2.0 }
        LabelSmoothing = 0.1
        Validation = 0.2
        EarlyStopping = ValueSome 3
        Seed = 42UL
    }

[<Law>]
let ``every setting is refused for itself, and all at once``
    (length: RunLength)
    (size: int)
    (AnyNumber rate)
    (AnyNumber deviation)
    =
    let expected = [
        match length with
        | RunLength.Iterations n when n < 1L -> "Iterations", $"{n}"
        | RunLength.Epochs n when n < 1 -> "Epochs", $"{n}"
        | _ -> ()
        if size < 1 then
            "BatchSize", $"{size}"
        if Double.IsNaN rate || Double.IsInfinity rate || rate <= 0.0 then
            "LearningRate", $"{rate}"
        if Double.IsNaN deviation || Double.IsInfinity deviation || deviation < 0.0 then
            "WeightInitStd", $"{deviation}"
    ]

    match create length size rate deviation with
    | Ok settings ->
        Assert.Empty expected
        Exactly.equal length settings.Length
        Exactly.equal size settings.BatchSize
        Exactly.equal rate settings.LearningRate
        Exactly.equal (Initialiser.Fixed deviation) settings.Initialiser
        Exactly.equal (ScheduleKind.Cosine 0.1) settings.Options.Schedule
        Exactly.equal 7L settings.Options.WarmUp
        Exactly.equal Sampling.Epoch settings.Sampling
        Exactly.equal GradientMethod.Numerical settings.Gradient
        Exactly.equal adam settings.Optimizer
        Exactly.equal 2.0 settings.Options.Augmentation.Shift
        Exactly.equal 0.1 settings.Options.LabelSmoothing
        Exactly.equal 0.2 settings.Validation
        Exactly.equal (ValueSome 3) settings.Options.EarlyStopping
        Exactly.equal 42UL settings.Seed
    | Error faults -> Exactly.equal expected (faults |> List.map Exactly.problem)

[<Fact>]
let ``the book's settings are the chapter's, and pass`` () =
    let book = Hyperparameters.Default
    Exactly.equal (RunLength.Iterations 10000L) book.Length
    Exactly.equal 100 book.BatchSize
    Exactly.equal 0.1 book.LearningRate
    Exactly.equal (Initialiser.Fixed 0.01) book.Initialiser
    Exactly.equal ScheduleKind.Constant book.Options.Schedule
    Exactly.equal 0L book.Options.WarmUp
    Exactly.equal Sampling.Replacement book.Sampling
    Exactly.equal GradientMethod.Backpropagation book.Gradient
    Exactly.equal "GradientDescent" book.Optimizer.Name
    Assert.Empty book.Optimizer.Numbers
    Assert.Empty book.Optimizer.Transforms
    Exactly.equal Augmentation.None book.Options.Augmentation
    Exactly.equal 0.0 book.Options.LabelSmoothing
    Exactly.equal 0.0 book.Validation
    Exactly.equal ValueNone book.Options.EarlyStopping
    Exactly.equal 1UL book.Seed
    Exactly.equal (Ok book) (Hyperparameters.create book.Options)

[<Law>]
let ``a length in epochs is the number of iterations of these epochs``
    (SampleCounts(samples, size))
    (epochs: byte)
    =
    let epochs = 1 + int epochs

    match create (RunLength.Epochs epochs) size 0.1 0.1 with
    | Error faults -> Assert.Fail $"%A{faults}"
    | Ok settings ->
        Exactly.equal
            (Batch.iterations samples size epochs)
            (Hyperparameters.iterations samples settings)

[<Fact>]
let ``a length is given one way, and the book's where it is not given`` () =
    let create (iterations: int64 option) (epochs: int option) =
        RunLength.create (Option.toNullable iterations) (Option.toNullable epochs)

    Exactly.equal (Ok(RunLength.Iterations 10000L)) (create None None)
    Exactly.equal (Ok(RunLength.Iterations 7L)) (create (Some 7L) None)
    Exactly.equal (Ok(RunLength.Epochs 7)) (create None (Some 7))

    for iterations, epochs, found in
        [ 7L, 7, "7 iterations and 7 epochs"; 1L, 1, "1 iteration and 1 epoch" ] do
        create (Some iterations) (Some epochs)
        |> Exactly.faulted [ "Epochs cannot be given together with Iterations"; found ]

[<Fact>]
let ``numbers that would become 0 or infinite without a word are refused`` () =
    let single (make: float -> Optimizer<float32>) =
        Exactly.refused [ "epsilon"; "precision" ] (fun () -> make 1e-46)

    single Optimizer.adaGrad
    single (Optimizer.rmsProp 0.9)
    single (Optimizer.adam 0.9 0.999)
    Exactly.refused [ "factor" ] (fun () -> Schedule.exponential 10L -1.0 0.1)

    let data =
        Dataset.ofColumns 2 (Kernels.matrix 1 2 [| 1.0; 2.0 |]) (Targets.Labels [| 0; 1 |])

    Exactly.refused [ "finite sum" ] (fun () -> Dataset.withWeights [| 1e308; 1e308 |] data)
