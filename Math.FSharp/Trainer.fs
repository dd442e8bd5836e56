namespace Pipeline.Learning

open System
open System.Numerics

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
}

/// Whether a run is getting anywhere.
[<RequireQualifiedAccess>]
type Health =
    /// The loss is finite and not far above where it began.
    | Sound
    /// The loss is no longer a finite number.
    | NotFinite
    /// The mean loss of a whole epoch was more than ten times the first loss.
    | TooHigh

/// <summary>A run of training as a fold: each step makes the next state from the one before.</summary>
[<RequireQualifiedAccess>]
module Trainer =
    /// <summary>Whether a mini-batch of such a size fits the memory's largest array, in every
    /// layer.</summary>
    [<CompiledName("CheckBatch")>]
    let checkBatch (batchSize: int) (architecture: Architecture) : Result<int, Fault list> =
        let widest = List.max architecture.Sizes

        Fault.check
            [
                int64 batchSize * int64 widest <= int64 Array.MaxLength,
                Fault.create
                    "BatchSize"
                    $"at most {Array.MaxLength / widest} samples for layers up to {widest} wide"
                    $"{batchSize}"
            ]
            (fun () -> batchSize)

    /// <summary>The state before the first step.</summary>
    [<CompiledName("Start")>]
    let start (settings: Hyperparameters) (architecture: Architecture) : State<'T> =
        let network = Network.initialise settings.Initialiser settings.Seed architecture

        {
            Iteration = 0L
            Network = network
            Optimizer = (OptimizerPlan.optimizer settings.Optimizer).Init network.Parameters
            Loss = nan
            FirstLoss = nan
            EpochLoss = 0.0
            Order = [||]
        }

    /// The loss of a mini-batch and its gradient.
    let private gradientOf
        (settings: Hyperparameters)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T>) =
        match settings.Gradient with
        | GradientMethod.Backpropagation -> Gradient.backward network batch
        | GradientMethod.Numerical ->
            let struct (loss, gradient) =
                Gradient.numericalOfLoss
                    Gradient.DefaultStep
                    (Network.convert network)
                    (MiniBatch.convert batch)

            struct ('T.CreateTruncating loss, Parameters.convert gradient)

    let private remembered (state: OptimizerState<'T>) : Parameters<'T> list =
        state.Memory |> List.map _.Values

    let private held (state: State<'T>) : Parameters<'T> list =
        state.Network.Parameters :: remembered state.Optimizer

    /// Gives up the arrays of some parameters that are not among others'.
    let private giveUp (some: Parameters<'T> list) (others: Parameters<'T> list) : unit =
        let arrays = List.collect (Parameters.tensors >> List.map snd)
        let kept = arrays others

        for array in arrays some do
            if not (kept |> List.exists (fun other -> obj.ReferenceEquals(other, array))) then
                Spare.Give array

    /// The loss of a mini-batch, and parameters and optimizer's state after learning from it.
    let private update
        (settings: Hyperparameters)
        (rate: 'T)
        (state: State<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T> * OptimizerState<'T>) =
        if
            settings.Gradient = GradientMethod.Backpropagation
            && settings.Optimizer = OptimizerPlan.gradientDescent
        then
            let struct (loss, parameters) = Gradient.descend rate state.Network batch

            struct (loss,
                    parameters,
                    {
                        state.Optimizer with
                            Steps = state.Optimizer.Steps + 1L
                    })
        else
            let struct (loss, gradient) = gradientOf settings state.Network batch

            let struct (parameters, optimizer) =
                (OptimizerPlan.optimizer settings.Optimizer).Update
                    rate
                    gradient
                    state.Optimizer
                    state.Network.Parameters

            giveUp [ gradient ] (parameters :: remembered optimizer)
            struct (loss, parameters, optimizer)

    /// <summary>The learning rate of an iteration, counted from 0.</summary>
    [<CompiledName("Rate")>]
    let rate (settings: Hyperparameters) (data: Dataset<'T>) (iteration: int64) : float =
        Hyperparameters.schedule data.Count settings iteration

    /// <summary>The network that a run stands for: of the running mean of its parameters where its
    /// optimizer keeps one, else the newest.</summary>
    [<CompiledName("Model")>]
    let model (state: State<'T>) : Network<'T> =
        match Transform.averaged state.Optimizer with
        | ValueSome parameters -> {
            state.Network with
                Parameters = parameters
          }
        | ValueNone -> state.Network

    let private isFirstOfEpoch
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (iteration: int64)
        : bool =
        iteration % int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize) = 0L

    /// The mini-batch of an iteration, and the order of its epoch where sampling walks through one;
    /// `known` is the order of the iteration before, or empty.
    let private batchOf
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (known: int[])
        (iteration: int64)
        : struct (MiniBatch<'T> * int[]) =
        match settings.Sampling with
        | Sampling.Replacement ->
            let places = Batch.draw settings.Seed data.Count settings.BatchSize iteration
            struct (Dataset.take places data, known)
        | Sampling.Epoch ->
            let order =
                if known.Length = 0 || isFirstOfEpoch settings data iteration then
                    let each = Batch.iterationsPerEpoch data.Count settings.BatchSize
                    Batch.order settings.Seed data.Count (iteration / int64 each)
                else
                    known

            struct (Dataset.take (Batch.slice order settings.BatchSize iteration) data, order)

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
        let struct (batch, order) = batchOf settings data state.Order state.Iteration
        let rate = 'T.CreateTruncating(rate settings data state.Iteration)
        let struct (loss, parameters, optimizer) = update settings rate state batch
        let loss = Double.CreateTruncating loss
        let opensEpoch = isFirstOfEpoch settings data state.Iteration

        {
            Iteration = state.Iteration + 1L
            Network = {
                state.Network with
                    Parameters = parameters
            }
            Optimizer = optimizer
            Loss = loss
            FirstLoss = if state.Iteration = 0L then loss else state.FirstLoss
            EpochLoss = if opensEpoch then loss else state.EpochLoss + loss
            Order = order
        }

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
        let rec run (current: State<'T>) left =
            if left = 0L then
                current
            else
                let next = step settings data current
                // The first state is the caller's, and so is what later ones share with it.
                giveUp (held current) (held next @ held state)

                if goesOn next.Iteration next.Loss then
                    run next (left - 1L)
                else
                    next

        Spare<'T>.During(fun () -> run state count)

    /// <summary>Whether the run is getting anywhere.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="state">The state after a step.</param>
    [<CompiledName("Health")>]
    let health (settings: Hyperparameters) (data: Dataset<'T>) (state: State<'T>) : Health =
        let each = int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize)

        if state.Iteration > 0L && not (Double.IsFinite state.Loss) then
            Health.NotFinite
        elif
            state.Iteration > 0L
            && state.Iteration % each = 0L
            && state.EpochLoss / float each > 10.0 * state.FirstLoss
        then
            Health.TooHigh
        else
            Health.Sound
