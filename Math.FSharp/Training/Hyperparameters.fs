namespace Pipeline.Learning

open System

/// How long a run is.
[<RequireQualifiedAccess>]
type RunLength =
    /// A number of steps.
    | Iterations of int64
    /// A number of times through the training data.
    | Epochs of int

    /// The case's name, and what belongs to it.
    override length.ToString() =
        match length with
        | Iterations iterations -> invariant $"Iterations {iterations}"
        | Epochs epochs -> invariant $"Epochs {epochs}"

/// Making the length of a run.
[<RequireQualifiedAccess>]
module RunLength =
    /// <summary>The length in iterations or in epochs; without both, the book's 10,000
    /// iterations.</summary>
    /// <param name="iterations">Steps, or nothing.</param>
    /// <param name="epochs">Times through the training data, or nothing.</param>
    /// <returns>The length, or a fault if both are given.</returns>
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
            let steps = Counted.text "iteration" "iterations" iterations
            let times = Counted.text "epoch" "epochs" (int64 epochs)

            Error [
                Fault.message
                    "Epochs"
                    (invariant
                        $"cannot be given together with Iterations (found {steps} and {times})")
            ]

/// The precision of a run's numbers.
[<RequireQualifiedAccess>]
type Precision =
    /// 32 bits, about 7 digits.
    | Single
    /// 64 bits, about 16 digits.
    | Double

    /// The case's name.
    override precision.ToString() =
        match precision with
        | Single -> nameof Single
        | Double -> nameof Double

/// Finding precisions by name, and numbers that fit them.
[<RequireQualifiedAccess>]
module Precision =
    /// <summary>The precision of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Precision, Fault list> =
        Fault.parseCase "Precision" [ Precision.Single; Precision.Double ] name

    /// <summary>The number, or a fault if the precision rounds it to 0 or infinity.</summary>
    /// <param name="subject">What the number is.</param>
    /// <param name="precision">The precision.</param>
    /// <param name="number">A finite number.</param>
    [<CompiledName("Check")>]
    let check (subject: string) (precision: Precision) (number: float) : Result<float, Fault list> =
        let held =
            match precision with
            | Precision.Single -> float (float32 number)
            | Precision.Double -> number

        Fault.check
            [
                (held = 0.0) = (number = 0.0) && Double.IsFinite held = Double.IsFinite number,
                Fault.create subject "a number that single precision can hold" (string number)
            ]
            (fun () -> number)

/// The settings of a run besides its data and its architecture.
type TrainingOptions = {
    /// The length of the run: 1 iteration or epoch, or more.
    Length: RunLength
    /// Samples in a mini-batch, 1 or more.
    BatchSize: int
    /// η of the optimizer, or the highest of a schedule: finite, greater than 0.
    LearningRate: float
    /// How the rate changes.
    Schedule: ScheduleKind
    /// Iterations of linear warm-up, 0 or more.
    WarmUp: int64
    /// How the initial weights are drawn.
    Initialiser: Initialiser
    /// How mini-batches are drawn.
    Sampling: Sampling
    /// How the gradient is computed.
    Gradient: GradientMethod
    /// How the gradient changes the parameters.
    Optimizer: OptimizerSpec
    /// How training images are varied.
    Augmentation: Augmentation
    /// ε of <c>Targets.smooth</c> for the training targets: 0 or more, less than 1.
    LabelSmoothing: float
    /// The fraction of the training samples that is used for validation, 0 to 0.9.
    Validation: float
    /// Epochs without a lower validation loss after which the run ends, 1 or more.
    EarlyStopping: int voption
    /// The seed of all random numbers of the run.
    Seed: uint64
} with

    /// The run of the book's chapter: 10,000 iterations of 100 samples drawn with replacement, learning rate 0.1,
    /// initial weights of deviation 0.01, backpropagation, gradient descent, seed 1.
    static member Default: TrainingOptions = {
        Length = RunLength.Iterations 10000L
        BatchSize = 100
        LearningRate = 0.1
        Schedule = ScheduleKind.Constant
        WarmUp = 0L
        Initialiser = Initialiser.Fixed 0.01
        Sampling = Sampling.Replacement
        Gradient = GradientMethod.Backpropagation
        Optimizer = OptimizerSpec.gradientDescent
        Augmentation = Augmentation.None
        LabelSmoothing = 0.0
        Validation = 0.0
        EarlyStopping = ValueNone
        Seed = 1UL
    }

/// Training options whose numbers are all in range.
type Hyperparameters = private {
    options: TrainingOptions
} with

    /// The hyperparameters of <c>TrainingOptions.Default</c>: the run of the book's chapter.
    static member Default: Hyperparameters = { options = TrainingOptions.Default }

    /// The training options.
    member settings.Options = settings.options
    /// The length of the run.
    member settings.Length = settings.options.Length
    /// Samples in a mini-batch.
    member settings.BatchSize = settings.options.BatchSize
    /// η of the optimizer, or the highest of a schedule.
    member settings.LearningRate = settings.options.LearningRate
    /// How the initial weights are drawn.
    member settings.Initialiser = settings.options.Initialiser
    /// How mini-batches are drawn.
    member settings.Sampling = settings.options.Sampling
    /// How the gradient is computed.
    member settings.Gradient = settings.options.Gradient
    /// How the gradient changes the parameters.
    member settings.Optimizer = settings.options.Optimizer
    /// The fraction of the training samples that is used for validation.
    member settings.Validation = settings.options.Validation
    /// The seed of all random numbers of the run.
    member settings.Seed = settings.options.Seed

/// Making hyperparameters.
[<RequireQualifiedAccess>]
module Hyperparameters =
    let private check subject range number = NumberRange.check subject range number

    let private checkAugmentation (augmentation: Augmentation) : (bool * Fault) list = [
        check "Shift" (NumberRange.between 0.0 1e6) augmentation.Shift
        check "Elastic" (NumberRange.between 0.0 1e6) augmentation.Elastic
        check "Noise" (NumberRange.between 0.0 1e6) augmentation.Noise
        check "Mirror" (NumberRange.between 0.0 1.0) augmentation.Mirror
        check
            "Rotation"
            {
                NumberRange.between 0.0 180.0 with
                    Text = "0 to 180 degrees"
            }
            augmentation.Rotation
        check "Scale" NumberRange.share augmentation.Scale
        check
            "Smoothness"
            {
                Text = "more than 0 and up to 1000"
                Holds = fun smoothness -> smoothness > 0.0 && smoothness <= 1000.0
            }
            augmentation.Smoothness
    ]

    /// The fraction for validation, and what needs validation samples.
    let private checkValidation (options: TrainingOptions) : (bool * Fault) list = [
        let isNeededBy (name: string) =
            options.Validation <> 0.0,
            Fault.message "Validation" $"must be above 0 for {name}, which needs validation samples"

        check "Validation" DataSplit.shares options.Validation

        match options.EarlyStopping with
        | ValueSome patience ->
            check "EarlyStopping" NumberRange.oneOrMore patience
            isNeededBy "EarlyStopping"
        | ValueNone -> ()

        match options.Schedule with
        | ScheduleKind.Plateau _ -> isNeededBy "the schedule Plateau"
        | _ -> ()
    ]

    /// <summary>The hyperparameters, or everything that is wrong with the options.</summary>
    [<CompiledName("Create")>]
    let create (options: TrainingOptions) : Result<Hyperparameters, Fault list> =
        Fault.check
            [
                match options.Length with
                | RunLength.Iterations n -> check "Iterations" (NumberRange.atLeast 1L) n
                | RunLength.Epochs n -> check "Epochs" NumberRange.oneOrMore n
                check "BatchSize" NumberRange.oneOrMore options.BatchSize
                check "LearningRate" NumberRange.positive options.LearningRate
                yield! Schedule.checks options.Schedule
                check "LabelSmoothing" NumberRange.share options.LabelSmoothing
                yield! checkAugmentation options.Augmentation
                yield! checkValidation options
                check "WarmUp" (NumberRange.atLeast 0L) options.WarmUp
                match options.Initialiser with
                | Initialiser.Fixed deviation -> Initialiser.checkDeviation deviation
                | _ -> ()
            ]
            (fun () -> { options = options })

    /// <summary>The number of steps of the run.</summary>
    /// <param name="samples">The number of training samples.</param>
    /// <param name="settings">The hyperparameters.</param>
    [<CompiledName("Iterations")>]
    let iterations (samples: int) (settings: Hyperparameters) : int64 =
        match settings.Length with
        | RunLength.Iterations n -> n
        | RunLength.Epochs n -> Batch.iterations samples settings.BatchSize n

    /// The learning rate of every iteration, for a number of training samples.
    let internal schedule (samples: int) (settings: Hyperparameters) : Schedule =
        settings.options.Schedule
        |> Schedule.ofKind (iterations samples settings) settings.LearningRate
        |> Schedule.warmUp settings.options.WarmUp

    /// <summary>Whether an iteration's learning rate depends on the length of the run: a longer run then
    /// differs from this one from its beginning.</summary>
    let internal dependsOnLength (settings: Hyperparameters) : bool =
        Schedule.dependsOnLength settings.options.Schedule
