namespace Pipeline.Learning

open System
open System.Numerics

/// What a run's validation losses have shown so far.
type Watch<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The lowest of them; infinite before the first.
    Lowest: float
    /// The network that gave it.
    Best: Network<'T> voption
    /// The iteration they are of.
    BestIteration: int64
    /// Epochs since then.
    Since: int
    /// Epochs since then, or since the learning rate was lowered.
    Waited: int
    /// What the schedule's rate is multiplied by.
    RateFactor: float
}

/// Where a run stands.
type State<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// Steps done.
    Iteration: int64
    /// The network after them.
    Network: Network<'T>
    /// What the optimizer remembers of them.
    Optimizer: OptimizerState<'T>
    /// The last step's loss: of its mini-batch, before its update. Not a number before the first.
    Loss: float
    /// The first step's loss.
    FirstLoss: float
    /// The sum of the losses of the epoch under way, or of the one just ended.
    EpochLoss: float
    /// The order of the epoch under way, where sampling walks through one.
    Order: int[]
    /// What validation has shown.
    Watch: Watch<'T>
}

/// <summary>A run of training as a fold: each step makes the next state from the one before.</summary>
[<RequireQualifiedAccess>]
module Trainer =
    /// <summary>Whether a mini-batch of such a size fits the memory's largest array, in every
    /// layer.</summary>
    [<CompiledName("CheckBatch")>]
    let checkBatch (batchSize: int) (architecture: Architecture) : Result<int, Fault list> =
        let widest = architecture.Widest

        Fault.check
            [
                int64 batchSize * int64 widest <= int64 Array.MaxLength,
                Fault.create
                    "BatchSize"
                    $"at most %d{Array.MaxLength / widest} samples for layers up to %d{widest} wide"
                    (string batchSize)
            ]
            (fun () -> batchSize)

    let private startAt (settings: Hyperparameters) (network: Network<'T>) : State<'T> = {
        Iteration = 0L
        Network = network
        Optimizer = (OptimizerSpec.optimizer settings.Optimizer).Init network.Parameters
        Loss = nan
        FirstLoss = nan
        EpochLoss = 0.0
        Order = [||]
        Watch = {
            Lowest = infinity
            Best = ValueNone
            BestIteration = 0L
            Since = 0
            Waited = 0
            RateFactor = 1.0
        }
    }

    /// <summary>The state before the first step.</summary>
    [<CompiledName("Start")>]
    let start (settings: Hyperparameters) (architecture: Architecture) : State<'T> =
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
            let followed = Network.followed step network batch
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

    let private held (state: State<'T>) : Parameters<'T> list =
        state.Network.Parameters :: remembered state.Optimizer

    /// Gives up the arrays of some parameters that are not among others'.
    let private giveUp (some: Parameters<'T> list) (others: Parameters<'T> list) : unit =
        let arrays = List.collect Parameters.arrays
        let kept = arrays others

        for array in arrays some do
            if not (kept |> List.exists (fun other -> obj.ReferenceEquals(other, array))) then
                ArrayReuse.Return array

    /// The loss of a mini-batch, and network and optimizer's state after learning from it.
    let private update
        (settings: Hyperparameters)
        (rate: 'T)
        (state: State<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Network<'T> * OptimizerState<'T>) =
        let optimizer = OptimizerSpec.optimizer settings.Optimizer

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
                optimizer.Update rate gradient state.Optimizer state.Network.Parameters

            giveUp [ gradient ] (parameters :: remembered memory)

            struct (loss,
                    {
                        followed with
                            Parameters = parameters
                    },
                    memory)

    /// <summary>The learning rate of an iteration, counted from 0: the schedule's, times what the watch
    /// on validation makes of it.</summary>
    [<CompiledName("Rate")>]
    let rate
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (watch: Watch<'T>)
        (iteration: int64)
        : float =
        Hyperparameters.schedule data.Count settings iteration * watch.RateFactor

    /// <summary>The network that a run stands for: of the running mean of its parameters where its
    /// optimizer keeps one, else the newest. Normalised layers have become plain ones that do the
    /// same.</summary>
    [<CompiledName("Model")>]
    let model (state: State<'T>) : Network<'T> =
        match Transform.averaged state.Optimizer with
        | ValueSome parameters -> {
            state.Network with
                Parameters = parameters
          }
        | ValueNone -> state.Network
        |> Network.folded

    let private isFirstOfEpoch
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (iteration: int64)
        : bool =
        iteration % int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize) = 0L

    /// The places of an iteration's samples, and the order of its epoch where sampling walks through
    /// one; `known` is the order of the iteration before, or empty.
    let private placesOf
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (known: int[])
        (iteration: int64)
        : struct (int[] * int[]) =
        match settings.Sampling with
        | Sampling.Replacement ->
            struct (Batch.draw settings.Seed data.Count settings.BatchSize iteration, known)
        | Sampling.Epoch ->
            let order =
                if known.Length = 0 || isFirstOfEpoch settings data iteration then
                    let each = Batch.iterationsPerEpoch data.Count settings.BatchSize
                    Batch.order settings.Seed data.Count (iteration / int64 each)
                else
                    known

            struct (Batch.slice order settings.BatchSize iteration, order)

    /// The samples at those places as a step learns from them.
    let private batchOf
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (iteration: int64)
        (places: int[])
        : MiniBatch<'T> =
        let batch = Dataset.take places data
        let augmentation = settings.Recipe.Augmentation

        let batch =
            match data.ImageSize with
            | _ when Augmentation.isNone augmentation -> batch
            | ValueSome(struct (rows, columns)) ->
                batch
                |> MiniBatch.revise (
                    Augmentation.apply augmentation settings.Seed iteration rows columns
                )
            | ValueNone ->
                invalidArg
                    (nameof data)
                    "expected images, as augmentation varies them, found numbers"

        match settings.Recipe.LabelSmoothing with
        | 0.0 -> batch
        | epsilon -> batch |> MiniBatch.retarget (Targets.smooth epsilon data.Classes)

    /// <summary>One step: draw a mini-batch, find the gradient, update the parameters.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="state">Where the run stands; left as it was.</param>
    /// <returns>Where it stands one step later.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    /// <remarks>A whole run is a fold over it:
    /// <c>Seq.fold (fun state _ -> Trainer.step settings data state) (Trainer.start settings
    /// architecture) (seq { 1L .. Hyperparameters.iterations data.Count settings })</c>.</remarks>
    [<CompiledName("Step")>]
    let step
        (settings: Hyperparameters)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (state: State<'T>)
        : State<'T> =
        let struct (places, order) = placesOf settings data state.Order state.Iteration
        let batch = batchOf settings data state.Iteration places
        let rate = 'T.CreateTruncating(rate settings data state.Watch state.Iteration)
        let struct (loss, network, optimizer) = update settings rate state batch
        MiniBatch.giveUp batch
        let loss = Double.CreateTruncating loss
        let opensEpoch = isFirstOfEpoch settings data state.Iteration

        {
            Iteration = state.Iteration + 1L
            Network = network
            Optimizer = optimizer
            Loss = loss
            FirstLoss = if state.Iteration = 0L then loss else state.FirstLoss
            EpochLoss = if opensEpoch then loss else state.EpochLoss + loss
            Order = order
            Watch = state.Watch
        }

    /// <summary>The same as <c>advance</c>, where some of the states between are kept.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">How many steps at most, 0 or more.</param>
    /// <param name="goesOn">Told each iteration and its loss; says whether another step
    /// follows.</param>
    /// <param name="keeps">Told each state after that; says whether it keeps it, and so its
    /// memory.</param>
    /// <param name="state">Where the run stands; left as it was.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("AdvanceKeeping")>]
    let advanceKeeping
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (count: int64)
        (goesOn: int64 -> float -> bool)
        (keeps: State<'T> -> bool)
        (state: State<'T>)
        : State<'T> =
        // What an earlier state shares with later ones it shares with the newest that is kept, too.
        let rec run (current: State<'T>) (kept: State<'T>) left =
            if left = 0L then
                current
            else
                let next = step settings data current

                // The first state is the caller's, and so is what later ones share with it.
                if not (obj.ReferenceEquals(current, kept)) then
                    giveUp (held current) (held next @ held kept @ held state)

                let goesOn = goesOn next.Iteration next.Loss
                let kept = if keeps next then next else kept
                if goesOn then run next kept (left - 1L) else next

        ArrayReuse<'T>.Scope(fun () -> run state state count)

    /// <summary>Several steps: where the run stands after that many of <c>step</c>, or fewer. As nobody
    /// sees the states between, their memory is used again, which makes large steps
    /// quicker.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">How many steps at most, 0 or more.</param>
    /// <param name="goesOn">Told each iteration and its loss; says whether another step
    /// follows.</param>
    /// <param name="state">Where the run stands; left as it was.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Advance")>]
    let advance
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (count: int64)
        (goesOn: int64 -> float -> bool)
        (state: State<'T>)
        : State<'T> =
        advanceKeeping settings data count goesOn (fun _ -> false) state

    /// <summary>Where the run stands once the loss of its model on the validation samples is known.
    /// A lower one than ever (by more than a ten-thousandth, as in PyTorch) is remembered with the
    /// parameters; too long without one lowers the rate, if the schedule is Plateau.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="state">Where the run stands, at the end of an epoch.</param>
    [<CompiledName("Observe")>]
    let observe (settings: Hyperparameters) (loss: float) (state: State<'T>) : State<'T> =
        let watch = state.Watch

        let next =
            if loss < watch.Lowest * (1.0 - 1e-4) then
                {
                    watch with
                        Lowest = loss
                        Best = ValueSome(model state)
                        BestIteration = state.Iteration
                        Since = 0
                        Waited = 0
                }
            else
                {
                    watch with
                        Since = watch.Since + 1
                        Waited = watch.Waited + 1
                }

        let next =
            match settings.Recipe.Schedule with
            | ScheduleKind.Plateau(patience, factor) when next.Waited > patience -> {
                next with
                    Waited = 0
                    RateFactor = next.RateFactor * factor
              }
            | _ -> next

        { state with Watch = next }

    /// <summary>Whether the validation loss has not fallen for as many epochs as the run is told to
    /// wait.</summary>
    [<CompiledName("HasStalled")>]
    let hasStalled (settings: Hyperparameters) (state: State<'T>) : bool =
        match settings.Recipe.EarlyStopping with
        | ValueSome patience -> state.Watch.Since >= patience
        | ValueNone -> false

    /// <summary>The network that a run ends with, and the iteration it is of: the best on the validation
    /// samples where the run watches for that (EarlyStopping), else <c>model</c>.</summary>
    [<CompiledName("Outcome")>]
    let outcome (settings: Hyperparameters) (state: State<'T>) : struct (int64 * Network<'T>) =
        match settings.Recipe.EarlyStopping, state.Watch.Best with
        | ValueSome _, ValueSome network -> struct (state.Watch.BestIteration, network)
        | _ -> struct (state.Iteration, model state)

    /// <summary>The state before the first step of a run that begins with what an earlier one has
    /// learned: with the network that it ended with or, where the earlier run's layers keep running statistics,
    /// with its newest.</summary>
    /// <param name="settings">The new run's hyperparameters.</param>
    /// <param name="architecture">The new run's layers, with parameters of the same shapes.</param>
    /// <param name="earlier">Where the earlier run stood at its end.</param>
    /// <exception cref="T:System.ArgumentException">The layers' parameters have other shapes.</exception>
    [<CompiledName("StartFrom")>]
    let startFrom
        (settings: Hyperparameters)
        (architecture: Architecture)
        (earlier: State<'T>)
        : State<'T> =
        let network =
            if earlier.Network.Running.IsEmpty then
                let struct (_, network) = outcome settings earlier
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
                $"expected layers with parameters of the shapes of {network.Architecture}, found {architecture}"

        startAt settings {
            network with
                Architecture = architecture
        }
