namespace Pipeline.Learning

open System

/// How long a run is.
[<RequireQualifiedAccess>]
type RunLength =
    /// So many steps.
    | Iterations of int64
    /// So many times through the training data.
    | Epochs of int

/// Making the length of a run.
[<RequireQualifiedAccess>]
module RunLength =
    /// <summary>The length that one of the two gives; the book's 10,000 iterations where neither
    /// does.</summary>
    /// <param name="iterations">Steps, or nothing.</param>
    /// <param name="epochs">Times through the training data, or nothing.</param>
    /// <returns>The length, or a fault where both are given.</returns>
    [<CompiledName("Create")>]
    let create
        (iterations: Nullable<int64>)
        (epochs: Nullable<int>)
        : Result<RunLength, Fault list> =
        match Option.ofNullable iterations, Option.ofNullable epochs with
        | None, None -> Ok(RunLength.Iterations 10000L)
        | Some iterations, None -> Ok(RunLength.Iterations iterations)
        | None, Some epochs -> Ok(RunLength.Epochs epochs)
        | Some iterations, Some epochs ->
            Error [
                Fault.create
                    "Epochs"
                    "either Iterations or Epochs"
                    $"both, {iterations} iterations and {epochs} epochs"
            ]

/// Which numbers a run computes with.
[<RequireQualifiedAccess>]
type Precision =
    /// 32 bits, about 7 digits.
    | Single
    /// 64 bits, about 16 digits.
    | Double

/// Naming precisions.
[<RequireQualifiedAccess>]
module Precision =
    /// <summary>The precision of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Precision, Fault list> =
        Fault.parseName "Precision" [ "Single", Precision.Single; "Double", Precision.Double ] name

    /// <summary>The number, unless the precision turns it into 0 or infinity.</summary>
    /// <param name="subject">What the number is.</param>
    /// <param name="precision">The precision.</param>
    /// <param name="number">A finite number.</param>
    [<CompiledName("Hold")>]
    let hold (subject: string) (precision: Precision) (number: float) : Result<float, Fault list> =
        let held =
            match precision with
            | Precision.Single -> float (float32 number)
            | Precision.Double -> number

        Fault.check
            [
                (held = 0.0) = (number = 0.0) && Double.IsFinite held = Double.IsFinite number,
                Fault.create subject "a number that single precision can hold" $"{number}"
            ]
            (fun () -> number)

/// Everything a run is told besides its data and its architecture, every value checked.
type Hyperparameters = private {
    length: RunLength
    batchSize: int
    learningRate: float
    weightInitStd: float
    sampling: Sampling
    gradient: GradientMethod
    optimizer: OptimizerMethod
    seed: uint64
} with

    /// How long the run is.
    member settings.Length = settings.length
    /// Samples in a mini-batch.
    member settings.BatchSize = settings.batchSize
    /// η of the optimizer.
    member settings.LearningRate = settings.learningRate
    /// Standard deviation of the initial weights.
    member settings.WeightInitStd = settings.weightInitStd
    /// How mini-batches are chosen.
    member settings.Sampling = settings.sampling
    /// How the gradient is found.
    member settings.Gradient = settings.gradient
    /// What the optimizer makes of it.
    member settings.Optimizer = settings.optimizer
    /// What every random number of the run follows from.
    member settings.Seed = settings.seed

/// Making hyperparameters.
[<RequireQualifiedAccess>]
module Hyperparameters =
    /// <summary>The chapter's run: 10,000 iterations of 100 samples drawn with replacement, learning
    /// rate 0.1, initial weights of deviation 0.01, backpropagation, gradient descent, seed 1.</summary>
    [<CompiledName("Book")>]
    let book: Hyperparameters = {
        length = RunLength.Iterations 10000L
        batchSize = 100
        learningRate = 0.1
        weightInitStd = 0.01
        sampling = Sampling.Replacement
        gradient = GradientMethod.Backpropagation
        optimizer = OptimizerMethod.GradientDescent
        seed = 1UL
    }

    /// <summary>The hyperparameters, or everything that is wrong with them.</summary>
    /// <param name="length">1 iteration or epoch, or more.</param>
    /// <param name="batchSize">1 or more.</param>
    /// <param name="learningRate">Finite, greater than 0.</param>
    /// <param name="weightInitStd">Finite, 0 or greater.</param>
    /// <param name="sampling">How mini-batches are chosen.</param>
    /// <param name="gradient">How the gradient is found.</param>
    /// <param name="optimizer">What the optimizer makes of it.</param>
    /// <param name="seed">Any.</param>
    [<CompiledName("Create")>]
    let create
        (length: RunLength)
        (batchSize: int)
        (learningRate: float)
        (weightInitStd: float)
        (sampling: Sampling)
        (gradient: GradientMethod)
        (optimizer: OptimizerMethod)
        (seed: uint64)
        : Result<Hyperparameters, Fault list> =
        Fault.check
            [
                match length with
                | RunLength.Iterations n -> n >= 1L, Fault.create "Iterations" "1 or more" $"{n}"
                | RunLength.Epochs n -> n >= 1, Fault.create "Epochs" "1 or more" $"{n}"
                batchSize >= 1, Fault.create "BatchSize" "1 or more" $"{batchSize}"
                Double.IsFinite learningRate && learningRate > 0.0,
                Fault.create "LearningRate" "a finite number greater than 0" $"{learningRate}"
                Double.IsFinite weightInitStd && weightInitStd >= 0.0,
                Fault.create "WeightInitStd" "a finite number, 0 or greater" $"{weightInitStd}"
            ]
            (fun () -> {
                length = length
                batchSize = batchSize
                learningRate = learningRate
                weightInitStd = weightInitStd
                sampling = sampling
                gradient = gradient
                optimizer = optimizer
                seed = seed
            })

    /// <summary>How many steps the run has on so many samples.</summary>
    [<CompiledName("Iterations")>]
    let iterations (samples: int) (settings: Hyperparameters) : int64 =
        match settings.length with
        | RunLength.Iterations n -> n
        | RunLength.Epochs n -> Batch.iterations samples settings.batchSize n
