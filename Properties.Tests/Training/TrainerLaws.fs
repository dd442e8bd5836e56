/// Trainer.fs: a run is a fold, the same bits whole or in pieces.
module Pipeline.Properties.TrainerLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// How many steps a run has that is given in steps.
let private stepsOf (settings: Hyperparameters) = Hyperparameters.iterations 1 settings

/// The states after each step, the start first.
let private states settings data (start: TrainingState<'T>) =
    List.scan (fun state _ -> Trainer.step settings data state) start [
        start.Iteration + 1L .. stepsOf settings
    ]

let private run settings data architecture =
    Trainer.start settings architecture |> states settings data |> List.last

let private parameters (state: TrainingState<'T>) : 'T[] = flat state.Network.Parameters

let private memory (state: TrainingState<'T>) : 'T[] =
    state.Optimizer.Memory |> List.map (_.Values >> flat) |> Array.concat

let private same (expected: TrainingState<float>) (actual: TrainingState<float>) =
    Exactly.bits (parameters expected) (parameters actual)
    Exactly.bits (memory expected) (memory actual)
    Exactly.equal expected.Optimizer.Steps actual.Optimizer.Steps
    Exactly.equal expected.Iteration actual.Iteration
    Exactly.bits expected.Order actual.Order

    Exactly.bits [| expected.Loss; expected.FirstLoss; expected.EpochLoss |] [|
        actual.Loss
        actual.FirstLoss
        actual.EpochLoss
    |]

/// The data set in single precision.
let private inSingle (data: Dataset<float>) : Dataset<float32> =
    let all: MiniBatch<float32> =
        Dataset.take [| 0 .. data.Count - 1 |] data |> MiniBatch.convert

    Dataset.ofColumns data.Classes all.Inputs all.Targets

let private settingsOf (settings: Hyperparameters) iterations sampling gradient =
    Hyperparameters.create {
        settings.Options with
            Length = RunLength.Iterations iterations
            Sampling = sampling
            Gradient = gradient
    }
    |> orFail

[<Law>]
let ``a run starts from the initial network, before any loss``
    (SmallRun(settings, data, architecture))
    =
    let start: TrainingState<float> = Trainer.start settings architecture

    let network: Network<float> =
        Network.initialise settings.Initialiser settings.Seed architecture

    Exactly.bits (flat network.Parameters) (parameters start)
    Exactly.equal 0L start.Iteration
    Assert.True(Double.IsNaN start.Loss && Double.IsNaN start.FirstLoss)
    Exactly.equal RunHealth.Healthy (Divergence.health settings data start)

[<Law>]
let ``a step is: draw, find the gradient, update`` (SmallRun(settings, data, architecture)) =
    let each = int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize)

    for before, after in
        Trainer.start settings architecture |> states settings data |> List.pairwise do
        let i = before.Iteration

        let places =
            match settings.Sampling with
            | Sampling.Replacement -> Batch.draw settings.Seed data.Count settings.BatchSize i
            | Sampling.Epoch ->
                Batch.slice (Batch.order settings.Seed data.Count (i / each)) settings.BatchSize i

        let batch = Dataset.take places data

        let targets =
            match settings.Options.LabelSmoothing with
            | 0.0 -> batch.Targets
            | epsilon -> Targets.smooth epsilon data.Classes batch.Targets

        let batch = MiniBatch.create batch.Inputs targets

        let gradientOf network =
            if architecture.DiffersInTraining then
                Gradient.backwardInTraining { Seed = settings.Seed; Iteration = i } network batch
            else
                let struct (loss, gradient) = Gradient.backward network batch
                struct (loss, gradient, network)

        let struct (loss, _, followed) = gradientOf before.Network

        let objective parameters =
            let struct (loss, gradient, _) =
                gradientOf {
                    before.Network with
                        Parameters = parameters
                }

            struct (loss, gradient)

        let struct (_, next, optimizer) =
            Optimizer.step
                (OptimizerSpec.optimizer settings.Optimizer)
                (Trainer.rate settings data before.Validation i)
                objective
                before.Optimizer
                before.Network.Parameters

        Exactly.bits (flat next) (parameters after)

        Exactly.bits
            (optimizer.Memory |> List.map (_.Values >> flat) |> Array.concat)
            (memory after)

        Exactly.equal optimizer.Steps after.Optimizer.Steps

        Exactly.equal loss after.Loss
        Exactly.equal followed.Running after.Network.Running
        Exactly.equal (i + 1L) after.Iteration

[<Law>]
let ``losses are told as they were: the first, the last, the epoch's sum``
    (SmallRun(settings, data, architecture))
    =
    let each = Batch.iterationsPerEpoch data.Count settings.BatchSize

    let after = Trainer.start settings architecture |> states settings data |> List.tail

    let losses = after |> List.map _.Loss

    for i, state in List.indexed after do
        Exactly.equal losses[0] state.FirstLoss
        let epoch = losses[i / each * each .. i]
        Exactly.equal (List.reduce (+) epoch) state.EpochLoss

[<Law>]
let ``a run split anywhere and continued is the run undivided, bit for bit``
    (SmallRun(settings, data, architecture))
    (split: FsCheck.NonNegativeInt)
    =
    let whole = Trainer.start settings architecture |> states settings data
    let split = split.Get % whole.Length

    // What is kept of a state, and its order drawn anew.
    let resumed = {
        whole[split] with
            Order = [||]
            Network = {
                Architecture = architecture
                Parameters = Parameters.convert whole[split].Network.Parameters
                Running = whole[split].Network.Running
            }
    }

    let continued = states settings data resumed
    Exactly.equal (whole.Length - split) continued.Length

    for expected, actual in List.zip (List.skip (split + 1) whole) continued.Tail do
        same expected actual

[<Law>]
let ``a run that begins with an earlier one's end has its network, and nothing else of it``
    (SmallRun(settings, data, architecture))
    (other: OptimizerSpec)
    =
    let earlier = run settings data architecture

    let settings =
        Hyperparameters.create {
            settings.Options with
                Optimizer = other
        }
        |> orFail

    let first = Trainer.startFrom settings architecture earlier
    let fresh: TrainingState<float> = Trainer.start settings architecture
    let struct (_, network) = Trainer.finalNetwork settings earlier
    Exactly.bits (flat network.Parameters) (parameters first)
    Exactly.equal fresh.Validation first.Validation
    Exactly.equal fresh.Iteration first.Iteration
    Exactly.equal 0L first.Optimizer.Steps

    // What a mean of parameters begins with is the parameters.
    Exactly.equal
        (other.Transforms |> List.exists _.IsAverage)
        (Transform.averaged first.Optimizer).IsSome

[<Law>]
let ``a normalised run that begins with an earlier one's end has its normalised network, with its moments``
    (SmallRun(settings, data, architecture))
    =
    let normalised = architecture |> normalised true
    let earlier = run settings data normalised
    let first = Trainer.startFrom settings normalised earlier
    Exactly.equal normalised first.Network.Architecture

    if normalised.Layers.Length = 1 then
        let struct (_, network) = Trainer.finalNetwork settings earlier
        Exactly.bits (flat network.Parameters) (parameters first)
    else
        Exactly.bits (parameters earlier) (parameters first)
        Exactly.equal earlier.Network.Running first.Network.Running

[<Law>]
let ``the mean of the parameters is evaluated with the mean of the running statistics``
    (SmallRun(settings, data, architecture))
    (FsCheck.NonNegativeInt tenths)
    =
    let decay = float (tenths % 10) / 10.0
    let accumulate = 1 + tenths % 3

    let settings =
        Hyperparameters.create {
            settings.Options with
                Optimizer =
                    OptimizerSpec.create {
                        OptimizerSpec.named "GradientDescent" with
                            AverageDecay = Nullable decay
                            Accumulate = Nullable accumulate
                    }
                    |> orFail
                Gradient = GradientMethod.Backpropagation
        }
        |> orFail

    let all: TrainingState<float> list =
        Trainer.start settings (architecture |> normalised true) |> states settings data

    let running (layers: LayerParameters<float> list) = flat { Layers = layers }

    // The mean of what a step leaves with that weight, and of the start.
    let mean (numbers: TrainingState<float> -> float[]) =
        all
        |> List.filter (fun state -> state.Iteration % int64 accumulate = 0L)
        |> List.map numbers
        |> List.reduce (Array.map2 (fun average number -> decay * average + (1.0 - decay) * number))

    let last = List.last all
    Approximately.equal 1e-10 (mean (_.Network.Running >> running)) (running last.AverageRunning)

    Exactly.equal
        (ForwardPass.folded {
            last.Network with
                Parameters = (Transform.averaged last.Optimizer).Value
                Running = last.AverageRunning
        })
        (Trainer.currentNetwork last)

/// A batch that makes arrays long enough to be used again: two hidden layers of up to 25 units.
let private widened (architecture: Architecture) =
    let last = architecture.Layers.Length - 1

    architecture.Layers
    |> List.mapi (fun i layer ->
        if layer.Name.StartsWith "dense " && i < last then
            Layers.dense (20 + int (layer.Name.Substring 6))
        else
            layer)
    |> Architecture.create architecture.Head architecture.Shape
    |> orFail

[<Law>]
let ``several steps at once are as many one by one, and leave the start as it was``
    (SmallRun(settings, data, architecture))
    (FsCheck.NonNegativeInt first)
    =
    let architecture = widened architecture
    let total = stepsOf settings
    let one = Trainer.start settings architecture |> states settings data
    let first = int64 first % (total + 1L)
    let told = ResizeArray()

    let goesOn iteration (loss: float) =
        told.Add(struct (iteration, loss))
        true

    let start = one[int first]
    let before = Array.append (parameters start) (memory start)
    let last = Trainer.advance settings data (total - first) goesOn start
    same (List.last one) last
    Exactly.bits before (Array.append (parameters start) (memory start))

    Exactly.bits
        (one
         |> List.skip (int first + 1)
         |> List.map (fun s -> struct (s.Iteration, s.Loss))
         |> Array.ofList)
        (told.ToArray())

    // What came out is nobody else's: more steps from the same start leave it alone.
    let kept = Array.append (parameters last) (memory last)
    same last (Trainer.advance settings data (total - first) goesOn start)
    Exactly.bits kept (Array.append (parameters last) (memory last))

    // It ends where it is told to.
    let stopAt = first + (total - first + 1L) / 2L

    Trainer.advance settings data (total - first) (fun i _ -> i < stopAt) start
    |> same one[int stopAt]

[<Law>]
let ``states that are kept on the way stay as they are``
    (SmallRun(settings, data, architecture))
    (FsCheck.PositiveInt every)
    =
    let architecture = widened architecture
    let one = Trainer.start settings architecture |> states settings data
    let kept = ResizeArray()

    let keeps (state: TrainingState<float>) =
        let isKept = state.Iteration % int64 (every % 4 + 1) = 0L

        if isKept then
            kept.Add state

        isKept

    Trainer.advanceRetaining settings data (stepsOf settings) (fun _ _ -> true) keeps one.Head
    |> same (List.last one)

    for state in kept do
        same one[int state.Iteration] state

[<Law>]
let ``the same settings and data give the same bits`` (SmallRun(settings, data, architecture)) =
    same (run settings data architecture) (run settings data architecture)
    let data = inSingle data

    let bytes () =
        Parameters.toBytes (run settings data architecture).Network.Parameters

    Exactly.bits (bytes ()) (bytes ())

[<Law>]
let ``another seed ends elsewhere`` (SmallRun(settings, data, architecture)) =
    let other =
        Hyperparameters.create {
            settings.Options with
                Seed = settings.Seed + 1UL
        }
        |> orFail

    parameters (run settings data architecture)
    <> parameters (run other data architecture)

[<Law>]
let ``a longer run begins as the shorter one`` (SmallRun(settings, data, architecture)) =
    // Some schedules lead to the run's end, wherever that is.
    let settings =
        Hyperparameters.create {
            settings.Options with
                Schedule = ScheduleKind.Step(2L, 0.5)
        }
        |> orFail

    let longer =
        settingsOf settings (stepsOf settings + 3L) settings.Sampling settings.Gradient

    let states = Trainer.start longer architecture |> states longer data
    same (run settings data architecture) states[int (stepsOf settings)]

[<Law>]
let ``every epoch shows every sample once`` (SmallRun(settings, data, architecture)) =
    let each = Batch.iterationsPerEpoch data.Count settings.BatchSize

    let settings =
        settingsOf settings (2L * int64 each) Sampling.Epoch GradientMethod.Backpropagation

    let after = Trainer.start settings architecture |> states settings data |> List.tail

    for i, state in List.indexed after do
        Array.sort state.Order |> Exactly.bits [| 0 .. data.Count - 1 |]
        Exactly.bits (Batch.order settings.Seed data.Count (int64 (i / each))) state.Order

[<Law>]
let ``the numerical method's step is backpropagation's, closely``
    (SmallRun(settings, data, architecture))
    =
    // tanh has no kink to stand on.
    let architecture = Architecture.dense Activation.Tanh architecture.Sizes
    let iterations = min 3L (stepsOf settings)
    // Adam's steps are of one size however small the gradient, and its noise.
    let method gradient =
        Hyperparameters.create {
            settings.Options with
                Length = RunLength.Iterations iterations
                Gradient = gradient
                Optimizer = OptimizerSpec.gradientDescent
        }
        |> orFail

    let analytic = run (method GradientMethod.Backpropagation) data architecture
    let defined = run (method GradientMethod.Numerical) data architecture
    // Three steps of a rate of at most 1, each with an error of h² ≈ 10⁻⁸ times a third derivative.
    parameters defined |> Approximately.equal 1e-6 (parameters analytic)
    [| defined.Loss |] |> Approximately.equal 1e-6 [| analytic.Loss |]

    // In single precision too: its differences are taken in double.
    let defined: TrainingState<float32> =
        run (method GradientMethod.Numerical) (inSingle data) architecture

    parameters defined
    |> Array.map float
    |> Approximately.equal Approximately.followsDouble (parameters analytic)

[<Law>]
let ``single precision follows double`` (SmallRun(settings, data, architecture)) =
    let architecture = Architecture.dense Activation.Sigmoid architecture.Sizes

    // Rules that look at signs may take another way where a number is nearly 0.
    let settings =
        Hyperparameters.create {
            settings.Options with
                Optimizer = OptimizerSpec.gradientDescent
        }
        |> orFail

    let state: TrainingState<float32> = run settings (inSingle data) architecture

    parameters state
    |> Array.map float
    // Twelve steps at most, each as close as one.
    |> Approximately.equal
        (12.0 * Approximately.followsDouble)
        (parameters (run settings data architecture))

[<Theory>]
[<InlineData("Replacement")>]
[<InlineData("Epoch")>]
let ``a small network learns to tell three clusters apart`` (name: string) =
    let sampling = Sampling.parse name |> orFail
    let count = 90
    let labels = Array.init count (fun s -> s % 3)

    let inputs: Matrix<float32> =
        Matrix<float32>
            .Build.Dense(
                2,
                count,
                fun i s ->
                    let centre = [| 0.0, 2.0; 2.0, -1.0; -2.0, -1.0 |][labels[s]]
                    let centre = if i = 0 then fst centre else snd centre

                    float32 (
                        centre
                        + 0.4 * RandomNumbers.normal 1UL RandomStream.GradientCheck (int64 s) i
                    )
            )

    let data = Dataset.ofColumns 3 inputs (Targets.Labels labels)

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 300L
                BatchSize = 20
                LearningRate = 0.5
                Initialiser = Initialiser.Fixed 0.1
                Sampling = sampling
        }
        |> orFail

    let state = run settings data (Architecture.dense Activation.Tanh [ 2; 6; 3 ])
    let score = Network.evaluate state.Network data
    Assert.InRange(score.Accuracy, 0.97, 1.0)
    Assert.InRange(score.Loss, 0.0, 0.2)
    Exactly.equal RunHealth.Healthy (Divergence.health settings data state)

/// The watch after validation losses, from the state of a run that has not begun.
let private observed options (losses: float list) =
    let settings = Hyperparameters.create options |> orFail

    let start: TrainingState<float> =
        Trainer.start settings (Architecture.dense Activation.Relu [ 2; 3; 2 ])

    let states =
        losses
        |> List.indexed
        |> List.scan
            (fun state (i, loss) ->
                // Each epoch has parameters of its own.
                let network: Network<float> =
                    Network.initialise
                        (Initialiser.Fixed 1.0)
                        (uint64 i)
                        (Architecture.dense Activation.Relu [ 2; 3; 2 ])

                {
                    state with
                        Iteration = int64 i
                        Network = network
                }
                |> Trainer.observe settings loss)
            start

    settings, states.Tail

[<Law>]
let ``the best parameters are those of the lowest validation loss``
    (losses: FsCheck.NonEmptyArray<FsCheck.NormalFloat>)
    =
    let losses = losses.Get |> Array.map (fun loss -> abs loss.Get) |> List.ofArray

    let settings, states =
        observed
            {
                Hyperparameters.Default.Options with
                    Validation = 0.1
                    EarlyStopping = ValueSome 3
            }
            losses

    let last = List.last states
    let struct (iteration, network) = Trainer.finalNetwork settings last
    let kept = losses[int iteration]
    Assert.All(losses, (fun loss -> Assert.True(loss >= kept * (1.0 - 1e-4))))
    Exactly.bits (flat states[int iteration].Network.Parameters) (flat network.Parameters)
    Exactly.equal (losses.Length - 1 - int iteration) last.Validation.EpochsSinceBest

    for state in states do
        Exactly.equal (state.Validation.EpochsSinceBest >= 3) (Trainer.hasStalled settings state)
        Exactly.equal 1.0 state.Validation.RateFactor

[<Fact>]
let ``without early stopping a run ends with its last network, and never stalls`` () =
    let settings, states =
        observed Hyperparameters.Default.Options [ 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 ]

    let last = List.last states
    let struct (iteration, network) = Trainer.finalNetwork settings last
    Exactly.equal last.Iteration iteration
    Exactly.bits (flat last.Network.Parameters) (flat network.Parameters)
    Assert.False(Trainer.hasStalled settings last)

[<Fact>]
let ``a plateau lowers the rate as PyTorch does`` () =
    // ReduceLROnPlateau(optimizer, factor=0.5, patience=2) of PyTorch 1.13: the rates after each step.
    let losses = [
        1.0
        0.9
        0.95
        0.95
        0.95
        0.8999
        0.95
        0.95
        0.8
        0.8
        0.8
        0.79999
        0.9
        0.9
    ]

    let settings, states =
        observed
            {
                Hyperparameters.Default.Options with
                    Validation = 0.1
                    Schedule = ScheduleKind.Plateau(2, 0.5)
            }
            losses

    let inputs: Matrix<float> = Matrix<float>.Build.Dense(2, 4)
    let data = Dataset.ofColumns 2 inputs (Targets.Labels [| 0; 1; 0; 1 |])

    states
    |> List.map (fun state -> Trainer.rate settings data state.Validation 17L)
    |> Array.ofList
    |> Approximately.equal 1e-15 [|
        0.1
        0.1
        0.1
        0.1
        0.05
        0.05
        0.05
        0.05
        0.05
        0.05
        0.05
        0.025
        0.025
        0.025
    |]

/// A layer x + p + q, whose two parameters have the same gradient, in one vector.
type private TwicePlus() =
    inherit Layer("twice plus")
    override _.OutputShape(input) = Ok input

    override _.Parameters(input) = {
        MatrixShapes = []
        VectorSizes = [ "p", input.Size; "q", input.Size ]
    }

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> Numerics.IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x = pass.Inputs.Numbers
        let sum = pass.Parameters.Vector("p").Add(pass.Parameters.Vector "q")

        let output =
            Matrix<'T>.Build.DenseOfColumnVectors(Array.create x.ColumnCount sum).Add x

        LayerOutput.create output (fun upstream ->
            let sums = Kernels.biasGradient upstream

            {
                LayerGradient.ofInputs upstream with
                    Vectors = [ sums; sums ]
            })

[<Theory>]
[<InlineData("Momentum")>]
[<InlineData("Adam")>]
let ``parameters of a layer may share a gradient`` (optimizer: string) =
    let data =
        Dataset.ofColumns
            2
            (KernelLaws.drawn (Seed 8UL) 0L 3 40)
            (Targets.Labels(Array.init 40 (fun i -> i % 2)))

    let architecture =
        Architecture.create Head.Softmax (Shape.Vector 3) [
            Layers.dense 300
            TwicePlus()
            Layers.activation Activation.Tanh
            Layers.dense 2
        ]
        |> orFail

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 8L
                BatchSize = 8
                Optimizer = OptimizerSpec.create (OptimizerSpec.named optimizer) |> orFail
        }
        |> orFail

    let start: TrainingState<float> = Trainer.start settings architecture
    let stepped = List.fold (fun s _ -> Trainer.step settings data s) start [ 1..8 ]
    same stepped (Trainer.advance settings data 8L (fun _ _ -> true) start)

[<Law(MaxTest = 10)>]
let ``no steps, and fewer, leave the state`` (SmallRun(settings, data, architecture)) =
    let start: TrainingState<float> = Trainer.start settings architecture

    for count in [ 0L; -1L ] do
        same start (Trainer.advance settings data count (fun _ _ -> true) start)

[<Fact>]
let ``labels are smoothed for one of several classes only`` () =
    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                LabelSmoothing = 0.2
        }
        |> orFail

    for head in [ Head.Identity; Head.Sigmoid ] do
        let architecture =
            Architecture.create head (Shape.Vector 3) [ Layers.dense 2 ] |> orFail

        Exactly.refused [ "Softmax"; string head ] (fun () ->
            Trainer.start settings architecture: TrainingState<float>)

[<Fact>]
let ``a run that is too short for one step gives a warning`` () =
    let said accumulate =
        let settings =
            Hyperparameters.create {
                Hyperparameters.Default.Options with
                    Length = RunLength.Iterations 12L
                    Optimizer =
                        OptimizerSpec.create {
                            OptimizerSpec.named "GradientDescent" with
                                Accumulate = Nullable accumulate
                        }
                        |> orFail
            }
            |> orFail

        Trainer.warnings settings 100 (Architecture.dense Activation.Sigmoid [ 2; 3; 2 ])

    Assert.Empty(said 12)

    Assert.Contains(
        "averages 13 mini-batches for a step, and the run has 12",
        Assert.Single(said 13)
    )
