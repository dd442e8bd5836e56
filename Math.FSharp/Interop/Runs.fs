namespace Pipeline.Learning.Interop

open System
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open Pipeline.Learning

/// Runs and their settings.
[<AbstractClass; Sealed>]
type Runs =
    /// <summary>The number, or a fault if the precision rounds it to 0 or infinity.</summary>
    /// <param name="subject">What the number is, for the message.</param>
    /// <param name="precision">The precision.</param>
    /// <param name="number">A finite number.</param>
    static member CheckPrecision
        (subject: string, precision: Precision, number: float)
        : Result<float, Fault list> =
        Precision.check subject precision number

    /// <summary>The length from one of the two; the book's if both are null.</summary>
    static member Length
        (iterations: Nullable<int64>, epochs: Nullable<int>)
        : Result<RunLength, Fault list> =
        RunLength.create iterations epochs

    /// <summary>The hyperparameters, or everything that is wrong with the options.</summary>
    /// <param name="options">For example <c>TrainingOptions.Default.With(batchSize: 20)</c>.</param>
    static member Hyperparameters(options: TrainingOptions) : Result<Hyperparameters, Fault list> =
        Hyperparameters.create options

    /// <summary>Several steps of <c>Trainer.Step</c>.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">The largest number of steps.</param>
    /// <param name="shouldContinue">Gets each iteration and its loss, and returns whether another step
    /// follows.</param>
    /// <param name="shouldRetain">Gets each state after that, and returns whether the caller keeps it.</param>
    /// <param name="state">The state to start from, which is not changed.</param>
    /// <returns>The state after the last step.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    static member Advance
        (
            settings: Hyperparameters,
            data: Dataset<'T>,
            count: int64,
            shouldContinue: Func<int64, float, bool>,
            shouldRetain: Func<TrainingState<'T>, bool>,
            state: TrainingState<'T>
        ) : TrainingState<'T> =
        ArgumentNullException.ThrowIfNull(shouldContinue, nameof shouldContinue)
        ArgumentNullException.ThrowIfNull(shouldRetain, nameof shouldRetain)

        Trainer.advanceRetaining
            settings
            data
            count
            (fun i loss -> shouldContinue.Invoke(i, loss))
            shouldRetain.Invoke
            state

    /// <summary>Several steps of <c>Trainer.Step</c>, of which the last state is kept.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">The largest number of steps.</param>
    /// <param name="shouldContinue">Gets each iteration and its loss, and returns whether another step
    /// follows.</param>
    /// <param name="state">The state to start from, which is not changed.</param>
    /// <returns>The state after the last step.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    static member Advance
        (
            settings: Hyperparameters,
            data: Dataset<'T>,
            count: int64,
            shouldContinue: Func<int64, float, bool>,
            state: TrainingState<'T>
        ) : TrainingState<'T> =
        Runs.Advance(settings, data, count, shouldContinue, (fun _ -> false), state)

    /// <summary>The number of samples of an iteration: the batch size, or fewer at the end of an epoch.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="samples">The number of training samples.</param>
    /// <param name="iteration">The iteration, counted from 0.</param>
    static member BatchSize(settings: Hyperparameters, samples: int, iteration: int64) : int =
        Batch.count settings.Sampling samples settings.BatchSize iteration

    /// <summary>Whether an iteration's learning rate depends on the length of the run: a longer run then
    /// differs from this one from its beginning.</summary>
    static member DependsOnLength(settings: Hyperparameters) : bool =
        Hyperparameters.dependsOnLength settings

    /// <summary>The number of steps of a run.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="samples">The number of training samples.</param>
    static member Iterations(settings: Hyperparameters, samples: int) : int64 =
        Hyperparameters.iterations samples settings

/// Training options with other values, as C# has no <c>with</c> for F# records.
[<AbstractClass; Sealed; Extension>]
type TrainingOptionsExtensions =
    /// <summary>The options with the given values replaced: <c>TrainingOptions.Default.With(batchSize: 20,
    /// learningRate: 0.5)</c>.</summary>
    /// <param name="options">The options, which are not changed.</param>
    /// <param name="length">The length of the run.</param>
    /// <param name="batchSize">Samples in a mini-batch.</param>
    /// <param name="learningRate">η of the optimizer, or the highest of a schedule.</param>
    /// <param name="schedule">How the rate changes.</param>
    /// <param name="warmUp">Iterations of warm-up.</param>
    /// <param name="initialiser">The initial weights.</param>
    /// <param name="sampling">How mini-batches are chosen.</param>
    /// <param name="gradient">The gradient method.</param>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="augmentation">The augmentation of training images.</param>
    /// <param name="labelSmoothing">The share of every target that is spread evenly over all classes.</param>
    /// <param name="validation">The share of the training samples that is used for validation.</param>
    /// <param name="earlyStopping">Epochs without a lower validation loss after which the run ends.</param>
    /// <param name="seed">The seed of all random numbers of the run.</param>
    [<Extension>]
    static member With
        (
            options: TrainingOptions,
            [<Optional>] length: RunLength | null,
            [<Optional>] batchSize: Nullable<int>,
            [<Optional>] learningRate: Nullable<float>,
            [<Optional>] schedule: ScheduleKind | null,
            [<Optional>] warmUp: Nullable<int64>,
            [<Optional>] initialiser: Initialiser | null,
            [<Optional>] sampling: Sampling | null,
            [<Optional>] gradient: GradientMethod | null,
            [<Optional>] optimizer: OptimizerSpec | null,
            [<Optional>] augmentation: Augmentation | null,
            [<Optional>] labelSmoothing: Nullable<float>,
            [<Optional>] validation: Nullable<float>,
            [<Optional>] earlyStopping: Nullable<int>,
            [<Optional>] seed: Nullable<uint64>
        ) : TrainingOptions =
        let orOwn (own: 'V) (given: 'V | null) : 'V =
            match given with
            | null -> own
            | given -> given

        let orNumber (own: 'V) (given: Nullable<'V>) =
            if given.HasValue then given.Value else own

        {
            Length = orOwn options.Length length
            BatchSize = orNumber options.BatchSize batchSize
            LearningRate = orNumber options.LearningRate learningRate
            Schedule = orOwn options.Schedule schedule
            WarmUp = orNumber options.WarmUp warmUp
            Initialiser = orOwn options.Initialiser initialiser
            Sampling = orOwn options.Sampling sampling
            Gradient = orOwn options.Gradient gradient
            Optimizer = orOwn options.Optimizer optimizer
            Augmentation = orOwn options.Augmentation augmentation
            LabelSmoothing = orNumber options.LabelSmoothing labelSmoothing
            Validation = orNumber options.Validation validation
            EarlyStopping =
                if earlyStopping.HasValue then
                    ValueSome earlyStopping.Value
                else
                    options.EarlyStopping
            Seed = orNumber options.Seed seed
        }
