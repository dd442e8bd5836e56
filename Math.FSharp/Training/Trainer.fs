namespace Pipeline.Learning

open System
open System.Numerics

/// <summary>A run of training as a fold: each step makes the next state from the one before.</summary>
[<RequireQualifiedAccess>]
module Trainer =
    /// <summary>Checks that a mini-batch of a size fits into one array in every layer, and that one of a single sample
    /// has no layer that is normalised over it.</summary>
    [<CompiledName("CheckBatch")>]
    let checkBatch (batchSize: int) (architecture: Architecture) : Result<int, Fault list> =
        let widest = architecture.Widest

        Fault.check
            [
                int64 batchSize * int64 widest <= int64 Array.MaxLength,
                Fault.create
                    "BatchSize"
                    (invariant
                        $"at most {Array.MaxLength / widest} samples for layers up to {widest} wide")
                    (string batchSize)
                batchSize > 1 || not (Architecture.normalisesSamples architecture),
                Fault.create
                    "BatchSize"
                    "2 samples or more, as a layer is normalised over the mini-batch"
                    (string batchSize)
            ]
            (fun () -> batchSize)

    /// <summary>Warnings about settings that train worse than others like them.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="samples">The number of training samples.</param>
    /// <param name="architecture">The architecture.</param>
    [<CompiledName("Warnings")>]
    let warnings
        (settings: Hyperparameters)
        (samples: int)
        (architecture: Architecture)
        : string list = [
        if
            settings.Sampling = Sampling.Epoch
            && samples % settings.BatchSize = 1
            && Architecture.normalisesSamples architecture
        then
            invariant
                $"The last mini-batch of each epoch has one sample ({samples} by {settings.BatchSize}): a layer that is normalised over the mini-batch learns nothing from it, and counts a variance of 0. Another BatchSize avoids that."

        let iterations = Hyperparameters.iterations samples settings

        for transform in settings.Optimizer.Transforms do
            match transform with
            | TransformSpec.Accumulate count when int64 count > iterations ->
                invariant
                    $"The network learns nothing: Accumulate averages {count} mini-batches for a step, and the run has {iterations}."
            | _ -> ()
    ]

    /// <summary>Checks that each step learns from all training samples, where the optimizer needs that.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="samples">The number of training samples.</param>
    /// <returns>The number, or the faults: an optimizer with a line search, Lbfgs, needs sampling by epochs and
    /// mini-batches that hold all samples.</returns>
    [<CompiledName("CheckFullBatch")>]
    let checkFullBatch (settings: Hyperparameters) (samples: int) : Result<int, Fault list> =
        let name = settings.Optimizer.Name
        let isFree = not (OptimizerSpec.isFullBatch settings.Optimizer)

        Fault.check
            [
                isFree || settings.BatchSize >= samples,
                Fault.create
                    "BatchSize"
                    (invariant
                        $"{samples} or more, as {name} learns from all training samples at each step")
                    (string settings.BatchSize)
                isFree || settings.Sampling = Sampling.Epoch,
                Fault.create
                    "Sampling"
                    $"Epoch, as {name} learns from all training samples at each step"
                    (string settings.Sampling)
            ]
            (fun () -> samples)

    let private startAt (settings: Hyperparameters) (network: Network<'T>) : TrainingState<'T> =
        let head = network.Architecture.Head

        if settings.Options.LabelSmoothing > 0.0 && head <> Head.Softmax then
            invalidArg
                (nameof settings)
                $"expected the head Softmax, as labels of one of several classes are smoothed, found {string head}"

        {
            Iteration = 0L
            Network = network
            Optimizer = (OptimizerSpec.optimizer settings.Optimizer).Init network.Parameters
            AverageRunning =
                if settings.Optimizer.Transforms |> List.exists _.IsAverage then
                    network.Running
                else
                    []
            Loss = nan
            FirstLoss = nan
            EpochLoss = 0.0
            Order = [||]
            Validation = ValidationHistory.none
        }

    /// <summary>The state before the first step.</summary>
    /// <exception cref="T:System.ArgumentException">Labels are smoothed, and the head is not Softmax.</exception>
    [<CompiledName("Start")>]
    let start (settings: Hyperparameters) (architecture: Architecture) : TrainingState<'T> =
        Network.initialise settings.Initialiser settings.Seed architecture
        |> startAt settings

    /// The loss of a mini-batch, its gradient, and the network with its running statistics after it.
    let private gradientOf
        (method: GradientMethod)
        (step: TrainingStep)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T> * Network<'T>) =
        match method with
        | GradientMethod.Backpropagation -> Gradient.backwardInTraining step network batch
        | GradientMethod.Numerical ->
            let followed = ForwardPass.followed step network batch
            let network, batch = Network.convert network, MiniBatch.convert batch

            let struct (loss, gradient) =
                if network.Architecture.DiffersInTraining then
                    let loss network =
                        Network.lossInTraining step network batch

                    struct (loss network, Gradient.numericalOf Gradient.DefaultStep loss network)
                else
                    Gradient.numericalOfLoss Gradient.DefaultStep network batch

            struct ('T.CreateTruncating loss, Parameters.convert gradient, followed)

    let private remembered (state: OptimizerState<'T>) : Parameters<'T> list =
        state.Memory |> List.map _.Values

    let private held (state: TrainingState<'T>) : Parameters<'T> list =
        state.Network.Parameters :: remembered state.Optimizer

    /// Returns the arrays of some parameters that others do not use.
    let private release (some: Parameters<'T> list) (others: Parameters<'T> list) : unit =
        let isKept array =
            others
            |> List.exists (fun other ->
                other.Layers |> List.exists (LayerParameters.refersTo array))

        ArrayReuse.ReturnUnused(isKept, fun () -> List.collect Parameters.arrays some)

    /// The loss of a mini-batch, and network and optimizer's state after learning from it.
    let private update
        (settings: Hyperparameters)
        (optimizer: Optimizer<'T>)
        (rate: 'T)
        (state: TrainingState<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Network<'T> * OptimizerState<'T>) =
        let step = {
            Seed = settings.Seed
            Iteration = state.Iteration
        }

        match settings.Gradient, optimizer.LayerUpdate with
        | GradientMethod.Backpropagation, ValueSome update ->
            let struct (loss, network) =
                Gradient.updateLayers (update rate) step state.Network batch

            struct (loss,
                    network,
                    {
                        state.Optimizer with
                            Steps = state.Optimizer.Steps + 1L
                    })
        | method, _ ->
            let struct (loss, gradient, followed) = gradientOf method step state.Network batch

            let struct (parameters, memory) =
                match optimizer.Search with
                | ValueNone ->
                    optimizer.Update rate gradient state.Optimizer state.Network.Parameters
                | ValueSome search ->
                    // The same mini-batch and the same masks of dropout: one function.
                    let objective parameters =
                        let struct (loss, gradient, _) =
                            gradientOf
                                method
                                step
                                {
                                    state.Network with
                                        Parameters = parameters
                                }
                                batch

                        struct (loss, gradient)

                    search rate objective loss gradient state.Optimizer state.Network.Parameters

            release [ gradient ] (parameters :: remembered memory)

            struct (loss,
                    {
                        followed with
                            Parameters = parameters
                    },
                    memory)

    /// <summary>The learning rate of an iteration, counted from 0: the schedule's, times the factor of the
    /// validation history.</summary>
    [<CompiledName("Rate")>]
    let rate
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (validation: ValidationHistory<'T>)
        (iteration: int64)
        : float =
        Hyperparameters.schedule data.Count settings iteration * validation.RateFactor

    /// <summary>The network to evaluate and to save: with the running means of the parameters and of the running
    /// statistics if the optimizer keeps them, otherwise the network itself. Batch normalisation is folded into the
    /// dense layers, and dropout is left out.</summary>
    [<CompiledName("CurrentNetwork")>]
    let currentNetwork (state: TrainingState<'T>) : Network<'T> =
        match Transform.averaged state.Optimizer with
        | ValueSome parameters -> {
            state.Network with
                Parameters = parameters
                Running = state.AverageRunning
          }
        | ValueNone -> state.Network
        |> ForwardPass.folded

    /// One step with the run's optimizer and schedule.
    let private stepWith
        (settings: Hyperparameters)
        (optimizer: Optimizer<'T>)
        (schedule: Schedule)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (state: TrainingState<'T>)
        : TrainingState<'T> =
        let struct (indices, order) =
            TrainingBatch.indices settings data state.Order state.Iteration

        let batch = TrainingBatch.create settings data state.Iteration indices

        let rate =
            'T.CreateTruncating(schedule state.Iteration * state.Validation.RateFactor)

        let struct (loss, network, optimizer) = update settings optimizer rate state batch
        MiniBatch.release batch
        let loss = Double.CreateTruncating loss
        let opensEpoch = TrainingBatch.isFirstOfEpoch settings data state.Iteration

        {
            Iteration = state.Iteration + 1L
            Network = network
            Optimizer = optimizer
            AverageRunning =
                Transform.averageRunning
                    settings.Optimizer.Transforms
                    (state.Iteration + 1L)
                    network.Running
                    state.AverageRunning
            Loss = loss
            FirstLoss = if state.Iteration = 0L then loss else state.FirstLoss
            EpochLoss = if opensEpoch then loss else state.EpochLoss + loss
            Order = order
            Validation = state.Validation
        }

    /// <summary>One step: draw a mini-batch, find the gradient, update the parameters.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="state">The state of the run; not changed.</param>
    /// <returns>The state one step later.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    /// <remarks>A whole run is a fold over it:
    /// <c>Seq.fold (fun state _ -> Trainer.step settings data state) (Trainer.start settings
    /// architecture) (seq { 1L .. Hyperparameters.iterations data.Count settings })</c>.</remarks>
    [<CompiledName("Step")>]
    let step
        (settings: Hyperparameters)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (state: TrainingState<'T>)
        : TrainingState<'T> =
        stepWith
            settings
            (OptimizerSpec.optimizer settings.Optimizer)
            (Hyperparameters.schedule data.Count settings)
            data
            state

    /// <summary>The same as <c>advance</c>, where some of the states between are kept.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">How many steps at most, 0 or more.</param>
    /// <param name="shouldContinue">Gets each iteration and its loss; returns whether another step
    /// follows.</param>
    /// <param name="shouldRetain">Gets each state after that; returns whether the caller keeps it, and so its
    /// memory.</param>
    /// <param name="state">The state of the run; not changed.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    let internal advanceRetaining
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (count: int64)
        (shouldContinue: int64 -> float -> bool)
        (shouldRetain: TrainingState<'T> -> bool)
        (state: TrainingState<'T>)
        : TrainingState<'T> =
        let optimizer = OptimizerSpec.optimizer settings.Optimizer
        let schedule = Hyperparameters.schedule data.Count settings

        // What an earlier state shares with later ones it shares with the newest that is kept, too.
        let rec run (current: TrainingState<'T>) (kept: TrainingState<'T>) left =
            if left <= 0L then
                current
            else
                let next = stepWith settings optimizer schedule data current

                // The caller owns the first state and everything that later states share with it.
                if not (obj.ReferenceEquals(current, kept)) then
                    release (held current) (held next @ held kept @ held state)

                let shouldContinue = shouldContinue next.Iteration next.Loss
                let kept = if shouldRetain next then next else kept
                if shouldContinue then run next kept (left - 1L) else next

        ArrayReuse<'T>.Scope(fun () -> run state state count)

    /// <summary>Several steps: the state after that many calls of <c>step</c>, or fewer. As nobody
    /// sees the states between, their memory is used again, which makes large steps
    /// quicker.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">How many steps at most, 0 or more.</param>
    /// <param name="shouldContinue">Gets each iteration and its loss; returns whether another step
    /// follows.</param>
    /// <param name="state">The state of the run; not changed.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Advance")>]
    let advance
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (count: int64)
        (shouldContinue: int64 -> float -> bool)
        (state: TrainingState<'T>)
        : TrainingState<'T> =
        advanceRetaining settings data count shouldContinue (fun _ -> false) state

    /// <summary>The state once the loss of its model on the validation samples is known. The lowest loss so far (by
    /// more than a ten-thousandth, as in PyTorch) is kept with its network; with the schedule Plateau, too many
    /// epochs without one lower the rate.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="state">The state at the end of an epoch.</param>
    [<CompiledName("Observe")>]
    let observe
        (settings: Hyperparameters)
        (loss: float)
        (state: TrainingState<'T>)
        : TrainingState<'T> = {
        state with
            Validation =
                state.Validation
                |> ValidationHistory.add
                    settings.Options.Schedule
                    state.Iteration
                    (fun () -> currentNetwork state)
                    loss
    }

    /// <summary>Whether the validation loss has not fallen for as many epochs as early stopping
    /// allows.</summary>
    [<CompiledName("HasStalled")>]
    let hasStalled (settings: Hyperparameters) (state: TrainingState<'T>) : bool =
        match settings.Options.EarlyStopping with
        | ValueSome patience -> state.Validation.EpochsSinceBest >= patience
        | ValueNone -> false

    /// <summary>The network that a run ends with, and the iteration it is of: the best on the validation
    /// samples with early stopping, otherwise <c>currentNetwork</c>.</summary>
    [<CompiledName("FinalNetwork")>]
    let finalNetwork
        (settings: Hyperparameters)
        (state: TrainingState<'T>)
        : struct (int64 * Network<'T>) =
        match settings.Options.EarlyStopping, state.Validation.Best with
        | ValueSome _, ValueSome network -> struct (state.Validation.BestIteration, network)
        | _ -> struct (state.Iteration, currentNetwork state)

    /// <summary>The state before the first step of a run that begins with what an earlier one has
    /// learned: with <c>finalNetwork settings earlier</c> or, where the earlier run's layers keep running statistics,
    /// with its newest.</summary>
    /// <param name="settings">The new run's hyperparameters.</param>
    /// <param name="architecture">The new run's layers, with parameters of the same shapes.</param>
    /// <param name="earlier">Where the earlier run stood at its end.</param>
    /// <exception cref="T:System.ArgumentException">The layers' parameters have other shapes, or labels are smoothed
    /// and the head is not Softmax.</exception>
    [<CompiledName("StartFrom")>]
    let startFrom
        (settings: Hyperparameters)
        (architecture: Architecture)
        (earlier: TrainingState<'T>)
        : TrainingState<'T> =
        let network =
            if earlier.Network.Running.IsEmpty then
                let struct (_, network) = finalNetwork settings earlier
                network
            else
                earlier.Network

        let shapes = List.map LayerParameters.shapes

        if
            shapes network.Parameters.Layers <> architecture.ParameterShapes
            || shapes network.Running <> architecture.RunningShapes
        then
            invalidArg
                (nameof architecture)
                (invariant
                    $"expected layers with parameters of the shapes of {network.Architecture}, found {architecture}")

        startAt settings {
            network with
                Architecture = architecture
        }
