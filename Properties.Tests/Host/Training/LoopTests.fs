namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Threading
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit
open FsCheck

/// Remembers what it is told.
type Listener(stopAfter: int64, stop: CancellationTokenSource) =
    member val Steps = List<StepFigures>()
    member val Epochs = List<EpochFigures>()
    member val Kept = List<EpochFigures>()

    interface IRunObserver with
        member listener.Stepped(step: inref<StepFigures>) =
            listener.Steps.Add step

            if step.Iteration = stopAfter then
                stop.Cancel()

        member listener.Evaluated epoch = listener.Epochs.Add epoch

        member listener.Finished kept = listener.Kept.Add kept

/// Throws once it is told of a step or of an epoch.
type private Thrower(step: int64, epoch: int64) =
    let mutable hasThrown = false

    let throwIf isNow =
        if isNow && not hasThrown then
            hasThrown <- true
            failwith "an observer's slip"

    interface IRunObserver with
        member _.Stepped(figures: inref<StepFigures>) = throwIf (figures.Iteration = step)
        member _.Evaluated figures = throwIf (figures.Epoch = epoch)
        member _.Finished _ = ()

/// The loop by itself, without a host.
module LoopTests =
    let private settings learningRate iterations =
        PipelineSettings(
            Model = ModelSettings(Hidden = [| 8 |], WeightInitStd = 0.5),
            Training =
                TrainingSettings(
                    BatchSize = 20,
                    Iterations = Nullable iterations,
                    LearningRate = learningRate
                )
        )

    let private run settings stopAfter =
        use scratch = new Scratch()
        let data = DataFiles.LoadFolder<float32>(Given.data scratch, 10)
        let mutable faults: IReadOnlyList<string> = []

        match RunConfiguration.Create(settings, &faults) with
        | null -> failwith (String.concat "\n" faults)
        | plan ->
            use stop = new CancellationTokenSource()
            let listener = Listener(stopAfter, stop)
            let samples = TrainingSamples(data.Train, null, data.Test)

            let loop =
                TrainingLoop<float32>(
                    plan,
                    plan.ArchitectureFor(Shape.Vector 16, 10, Preprocessing.Numbers),
                    samples,
                    [| listener |],
                    TimeProvider.System
                )

            loop.RunAsync(stop.Token).Result, listener

    [<Fact>]
    let ``every step is told once, and every epoch from the start`` () =
        let result, listener = run (settings 0.1 200L) -1L
        Assert.Equal(LoopEnd.Finished, result.End)
        Assert.Equal<int64>([ 1L .. 200L ], listener.Steps |> Seq.map _.Iteration)
        // 300 samples in batches of 20: 15 iterations an epoch.
        Assert.Equal<int64>([ 0L .. 13L ], listener.Epochs |> Seq.map _.Epoch)
        Assert.Equal<int64>([ 0L..15L..195L ], listener.Epochs |> Seq.map _.Iteration)

    [<Fact>]
    let ``the loop is the fold of the core's step`` () =
        let result, _ = run (settings 0.1 50L) -1L
        use scratch = new Scratch()
        let data = DataFiles.LoadFolder<float32>(Given.data scratch, 10)
        let mutable faults: IReadOnlyList<string> = []
        let plan = nonNull (RunConfiguration.Create(settings 0.1 50L, &faults))

        let folded =
            [ 1..50 ]
            |> Seq.fold
                (fun state _ -> Trainer.step plan.Hyperparameters data.Train state)
                (Trainer.start
                    plan.Hyperparameters
                    (plan.ArchitectureFor(Shape.Vector 16, 10, Preprocessing.Numbers)))

        Assert.Equal<byte>(
            Parameters.toBytes folded.Network.Parameters,
            Parameters.toBytes result.Network.Parameters
        )

    [<Fact>]
    let ``a loop told to stop ends after the step it is in, with that step's state`` () =
        let result, listener = run (settings 0.1 100000L) 30L
        Assert.Equal(LoopEnd.Stopped, result.End)
        Assert.Equal(30L, result.Iteration)
        Assert.Equal(30, listener.Steps.Count)
        Assert.Null result.Kept
        Assert.Empty listener.Kept

    [<Theory>]
    [<InlineData(0.1, 30L, LoopEnd.Finished)>]
    [<InlineData(3e38, 1L, LoopEnd.Diverged)>]
    [<InlineData(1000.0, 200L, LoopEnd.Diverged)>]
    let ``an end is told once, with the figures of the network that is kept``
        (rate: float)
        (iterations: int64)
        (expected: LoopEnd)
        =
        let result, listener = run (settings rate iterations) -1L
        Assert.Equal(expected, result.End)
        let told = Assert.Single listener.Kept
        Assert.Same(nonNull result.Kept, told)
        Assert.Equal(result.Iteration, told.Iteration)

    [<Fact>]
    let ``a loss that is no longer finite ends the run, and the state kept has a finite one`` () =
        let settings = settings 1e30 200L

        let result, _ =
            run
                (PipelineSettings(
                    Model =
                        ModelSettings(
                            Hidden = [| 8 |],
                            WeightInitStd = 0.5,
                            Activation = "Identity"
                        ),
                    Training = settings.Training
                ))
                -1L

        Assert.Equal(RunHealth.NotFinite, (nonNull result.Divergence).Health)
        Assert.True(result.Iteration < result.ReachedIteration)
        Assert.True(Double.IsFinite (nonNull result.Kept).Train.Loss)

    [<Fact>]
    let ``a last step that spoils the parameters is a divergence too`` () =
        let result, _ = run (settings 3e38 1L) -1L
        Assert.Equal(RunHealth.NotFiniteAfterStep, (nonNull result.Divergence).Health)
        Assert.Equal(0L, result.Iteration)
        Assert.Equal(1L, result.ReachedIteration)

    [<Fact>]
    let ``a mean loss over an epoch above ten times the first ends the run`` () =
        let result, _ = run (settings 1000.0 200L) -1L
        Assert.Equal(RunHealth.TooHigh, (nonNull result.Divergence).Health)
        Assert.Equal(0L, result.ReachedIteration % 15L)
        // What is kept is where that epoch began.
        Assert.Equal(result.ReachedIteration - 15L, result.Iteration)

    [<Law(MaxTest = 20)>]
    let ``a loop that an exception ends has the state of the last step done``
        (PositiveInt step)
        (isStep: bool)
        =
        let step = int64 (step % 200 + 1)
        use scratch = new Scratch()
        let data = DataFiles.LoadFolder<float32>(Given.data scratch, 10)
        let mutable faults: IReadOnlyList<string> = []
        let plan = nonNull (RunConfiguration.Create(settings 0.1 200L, &faults))

        let thrower =
            if isStep then
                Thrower(step, -1L)
            else
                Thrower(-1L, step / 15L)

        let samples = TrainingSamples(data.Train, null, data.Test)

        let loop =
            TrainingLoop<float32>(
                plan,
                plan.ArchitectureFor(Shape.Vector 16, 10, Preprocessing.Numbers),
                samples,
                [| thrower |],
                TimeProvider.System
            )

        let thrown =
            Assert.Throws<AggregateException>(fun () ->
                loop.RunAsync(CancellationToken.None).Wait())

        Assert.Equal("an observer's slip", (nonNull thrown.InnerException).Message)

        let folded =
            Seq.init (int (if isStep then step else step / 15L * 15L)) ignore
            |> Seq.fold
                (fun state () -> Trainer.step plan.Hyperparameters data.Train state)
                (Trainer.start
                    plan.Hyperparameters
                    (plan.ArchitectureFor(Shape.Vector 16, 10, Preprocessing.Numbers)))

        Assert.Equal<byte>(Checkpoint.write folded, Checkpoint.write (nonNull loop.Reached).State)
