namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Formats

/// <summary>The state of a run as a safetensors file. A run that is resumed from it gives the same bits as one
/// that never stopped.</summary>
/// <remarks>Tensors: the parameters W1, b1, g1, … (g1 where the layer is normalised); mean1 and variance1
/// of a normalised layer; what the optimizer remembers, squares.W1 say; average.mean1 and average.variance1 with
/// AverageDecay, from version 2 on; best.W1, … of the network that gave the lowest validation loss. The order of an epoch is not in it, as it follows from the
/// seed.</remarks>
[<RequireQualifiedAccess>]
module Checkpoint =
    /// The version that is written. Files of every version from 1 on are read.
    [<Literal>]
    let Version = 2

    let private versionName = "checkpoint"
    let private bestIterationName = "best_iteration"
    let private bestPrefix = "best."
    let private averagePrefix = "average."

    let private text (number: float) =
        number.ToString("R", CultureInfo.InvariantCulture)

    /// Everything that is remembered with as many numbers as there are parameters or units.
    let private tensors (state: TrainingState<'T>) : Tensor list = [
        yield! ParameterTensors.ofParameters "" state.Network.Parameters
        yield! ParameterTensors.ofRunning "" state.Network
        for memory in state.Optimizer.Memory do
            yield! ParameterTensors.ofParameters $"{memory.Name}." memory.Values
        if not state.AverageRunning.IsEmpty then
            yield!
                ParameterTensors.ofRunning averagePrefix {
                    state.Network with
                        Running = state.AverageRunning
                }
        match state.Validation.Best with
        | ValueSome best ->
            yield! ParameterTensors.ofParameters bestPrefix best.Parameters
            yield! ParameterTensors.ofRunning bestPrefix best
        | ValueNone -> ()
    ]

    /// <summary>The most bytes that a checkpoint may have.</summary>
    [<Literal>]
    let MaximumBytes = 0x7FFFFFC7L

    /// <summary>How many bytes the checkpoint of a state has at most.</summary>
    /// <param name="state">The state of the run.</param>
    [<CompiledName("Size")>]
    let size (state: TrainingState<'T>) : int64 =
        // A tensor's name, shape and place take far less than a thousand letters.
        tensors state
        |> List.sumBy (fun tensor ->
            1000L + int64 (Tensor.count tensor) * int64 (Unsafe.SizeOf<'T>()))
        |> (+) 2000L

    /// <summary>The bytes of a checkpoint.</summary>
    /// <param name="state">The state of the run.</param>
    /// <exception cref="T:System.ArgumentException">There would be more than an array can
    /// have.</exception>
    [<CompiledName("Write")>]
    let write (state: TrainingState<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : byte[] =
        if size state > MaximumBytes then
            invalidArg
                (nameof state)
                (invariant
                    $"expected a state of at most {MaximumBytes} bytes, found one of {size state}")

        let history = state.Validation

        Safetensors.format {
            Metadata = [
                versionName, string Version
                "architecture", string state.Network.Architecture
                "iteration", string state.Iteration
                "loss", text state.Loss
                "first_loss", text state.FirstLoss
                "epoch_loss", text state.EpochLoss
                "steps", string state.Optimizer.Steps
                "lowest", text history.Lowest
                "since", string history.EpochsSinceBest
                "waited", string history.PlateauEpochs
                "rate_factor", text history.RateFactor
                if history.Best.IsSome then
                    bestIterationName, string history.BestIteration
            ]
            Tensors = tensors state
        }

    /// A number of the metadata, once it is one of its kind.
    let private number<'N when 'N :> INumberBase<'N>>
        (styles: NumberStyles)
        (expected: string)
        (file: TensorFile)
        (name: string)
        : Result<'N, Fault list> =
        let found = ParameterTensors.metadata name file |> ValueOption.defaultValue ""
        let mutable number = 'N.Zero

        if 'N.TryParse(found, styles, CultureInfo.InvariantCulture, &number) then
            Ok number
        else
            Error [ Fault.create name expected $"'{found}'" ]

    let private real = number<float> NumberStyles.Float "a number"

    let private count file name =
        number NumberStyles.None "a whole number, 0 or more" file name

    let private network
        (file: TensorFile)
        (prefix: string)
        (architecture: Architecture)
        : Result<Network<'T>, Fault list> =
        ParameterTensors.network (ParameterTensors.numbers file) prefix architecture

    let private optimizer
        (file: TensorFile)
        (settings: Hyperparameters)
        (architecture: Architecture)
        : Result<OptimizerState<'T>, Fault list> =
        // The names in its memory do not depend on the layers.
        let memory: OptimizerMemory<'T> list =
            ((OptimizerSpec.optimizer settings.Optimizer).Init { Layers = [] }).Memory

        let values =
            memory
            |> List.map (fun memory ->
                architecture
                |> ParameterTensors.parameters (ParameterTensors.numbers file) $"{memory.Name}."
                |> Result.map (fun values -> { memory with Values = values }))
            |> Fault.all

        Fault.both (count file "steps") values
        |> Result.map (fun (steps, memory) -> { Steps = steps; Memory = memory })

    /// The running mean of the running statistics, where the run keeps one.
    let private averageRunning
        (file: TensorFile)
        (version: int)
        (settings: Hyperparameters)
        (architecture: Architecture)
        : Result<LayerParameters<'T> list, Fault list> =
        if settings.Optimizer.Transforms |> List.exists _.IsAverage then
            // Version 1 kept none: its runs evaluated the newest statistics.
            let prefix = if version = 1 then "" else averagePrefix
            ParameterTensors.running (ParameterTensors.numbers file) prefix architecture
        else
            Ok []

    let private validationHistory
        (file: TensorFile)
        (architecture: Architecture)
        : Result<ValidationHistory<'T>, Fault list> =
        let best: Result<struct (int64 * Network<'T> voption), Fault list> =
            if (ParameterTensors.metadata bestIterationName file).IsSome then
                Fault.both
                    (count file bestIterationName)
                    (network file bestPrefix (Architecture.folded architecture))
                |> Result.map (fun (iteration, network) -> struct (iteration, ValueSome network))
            else
                Ok(struct (0L, ValueNone))

        validation {
            let! lowest = real file "lowest"
            and! rateFactor = real file "rate_factor"
            and! since = count file "since"
            and! waited = count file "waited"
            and! struct (bestIteration, best) = best

            return {
                Lowest = lowest
                Best = best
                BestIteration = bestIteration
                EpochsSinceBest = since
                PlateauEpochs = waited
                RateFactor = rateFactor
            }
        }

    let private state
        (settings: Hyperparameters)
        (architecture: Architecture)
        (file: TensorFile)
        (version: int)
        : Result<TrainingState<'T>, Fault list> = validation {
        let! iteration = count file "iteration"
        and! loss = real file "loss"
        and! firstLoss = real file "first_loss"
        and! epochLoss = real file "epoch_loss"
        and! network = network file "" architecture
        and! optimizer = optimizer file settings architecture
        and! history = validationHistory file architecture
        and! averageRunning = averageRunning file version settings architecture

        return {
            Iteration = iteration
            Network = network
            Optimizer = optimizer
            AverageRunning = averageRunning
            Loss = loss
            FirstLoss = firstLoss
            EpochLoss = epochLoss
            Order = [||]
            Validation = history
        }
    }

    /// <summary>The state in the bytes of a checkpoint, or what is wrong with them.</summary>
    /// <param name="settings">The run's hyperparameters: they determine the optimizer's memory.</param>
    /// <param name="architecture">The network's layers.</param>
    /// <param name="bytes">The whole file, its numbers of the precision asked for.</param>
    [<CompiledName("Read")>]
    let read
        (settings: Hyperparameters)
        (architecture: Architecture)
        (bytes: ReadOnlyMemory<byte>)
        : Result<TrainingState<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        Safetensors.parse bytes
        |> Result.bind (fun file ->
            match ParameterTensors.metadata versionName file with
            | ValueSome found ->
                match [ 1..Version ] |> List.tryFind (fun version -> string version = found) with
                | Some version -> state settings architecture file version
                | None ->
                    Error [
                        Fault.create
                            versionName
                            (invariant $"version {Version} or below")
                            $"'{found}'"
                    ]
            | ValueNone -> Error [ Fault.message versionName "is missing in the metadata" ])

    /// <summary>Which checkpoints of a run to keep: the newest few, and the newest from before the epoch
    /// under way, as a run that diverges ends with where its epoch began.</summary>
    /// <param name="count">How many, 1 or more.</param>
    /// <param name="iteration">The iteration of the run; later checkpoints are ignored.</param>
    /// <param name="epochStart">Where its epoch began.</param>
    /// <param name="iterations">What checkpoints there are, in any order.</param>
    [<CompiledName("IterationsToKeep")>]
    let iterationsToKeep
        (count: int)
        (iteration: int64)
        (epochStart: int64)
        (iterations: int64 seq)
        : int64 list =
        let past =
            iterations
            |> Seq.filter (fun each -> each <= iteration)
            |> Seq.distinct
            |> Seq.sortDescending
            |> List.ofSeq

        let before = past |> List.tryFind (fun each -> each <= epochStart)
        List.truncate count past @ Option.toList before |> List.distinct
