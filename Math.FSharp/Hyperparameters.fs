namespace Pipeline.Learning

open System

/// Everything a run is told besides its data and its architecture, every value checked.
type Hyperparameters = private {
    iterations: int64
    batchSize: int
    learningRate: float
    weightInitStd: float
    sampling: Sampling
    gradient: GradientMethod
    seed: uint64
} with

    /// How many steps the run has.
    member settings.Iterations = settings.iterations
    /// Samples in a mini-batch.
    member settings.BatchSize = settings.batchSize
    /// η of gradient descent.
    member settings.LearningRate = settings.learningRate
    /// Standard deviation of the initial weights.
    member settings.WeightInitStd = settings.weightInitStd
    /// How mini-batches are chosen.
    member settings.Sampling = settings.sampling
    /// How the gradient is found.
    member settings.Gradient = settings.gradient
    /// What every random number of the run follows from.
    member settings.Seed = settings.seed

/// Making hyperparameters.
[<RequireQualifiedAccess>]
module Hyperparameters =
    /// <summary>The chapter's run: 10,000 iterations of 100 samples drawn with replacement, learning
    /// rate 0.1, initial weights of deviation 0.01, backpropagation, seed 1.</summary>
    [<CompiledName("Book")>]
    let book: Hyperparameters = {
        iterations = 10000L
        batchSize = 100
        learningRate = 0.1
        weightInitStd = 0.01
        sampling = Sampling.Replacement
        gradient = GradientMethod.Backpropagation
        seed = 1UL
    }

    /// <summary>The hyperparameters, or everything that is wrong with them.</summary>
    /// <param name="iterations">1 or more.</param>
    /// <param name="batchSize">1 or more.</param>
    /// <param name="learningRate">Finite, greater than 0.</param>
    /// <param name="weightInitStd">Finite, 0 or greater.</param>
    /// <param name="sampling">How mini-batches are chosen.</param>
    /// <param name="gradient">How the gradient is found.</param>
    /// <param name="seed">Any.</param>
    [<CompiledName("Create")>]
    let create
        (iterations: int64)
        (batchSize: int)
        (learningRate: float)
        (weightInitStd: float)
        (sampling: Sampling)
        (gradient: GradientMethod)
        (seed: uint64)
        : Result<Hyperparameters, Fault list> =
        Fault.check
            [
                iterations >= 1L, Fault.create "Iterations" "1 or more" $"{iterations}"
                batchSize >= 1, Fault.create "BatchSize" "1 or more" $"{batchSize}"
                Double.IsFinite learningRate && learningRate > 0.0,
                Fault.create "LearningRate" "a finite number greater than 0" $"{learningRate}"
                Double.IsFinite weightInitStd && weightInitStd >= 0.0,
                Fault.create "WeightInitStd" "a finite number, 0 or greater" $"{weightInitStd}"
            ]
            (fun () -> {
                iterations = iterations
                batchSize = batchSize
                learningRate = learningRate
                weightInitStd = weightInitStd
                sampling = sampling
                gradient = gradient
                seed = seed
            })
