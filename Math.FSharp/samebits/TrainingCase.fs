namespace Pipeline.SameBits

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats

/// A short training run on samples made from a formula.
type TrainingCase = {
    /// Its name, without spaces.
    Name: string
    /// The shape of a sample: <c>2x7x7</c> or <c>98</c>.
    Shape: string
    /// The layers as settings write them.
    Layers: string
    /// What the outputs mean.
    Head: Head
    /// The number of outputs.
    Outputs: int
    /// The precision.
    Precision: Precision
    /// The number of samples.
    Samples: int
    /// The number of steps: even.
    Steps: int64
    /// The other settings.
    Options: TrainingOptions
}

/// Running training cases.
[<RequireQualifiedAccess>]
module TrainingCase =
    let private orFail (name: string) (result: Result<'V, Fault list>) : 'V =
        match result with
        | Ok value -> value
        | Error faults -> invalidOp (name + ": " + String.Join(" ", faults))

    /// Pseudo-random bytes, of which four in five are 0, as in pictures of digits.
    /// Source: Marsaglia, Xorshift RNGs, 2003.
    let private bytes (count: int) : byte[] =
        let mutable state = 12345u

        Array.init count (fun _ ->
            state <- state ^^^ (state <<< 13)
            state <- state ^^^ (state >>> 17)
            state <- state ^^^ (state <<< 5)
            if state % 5u = 0u then byte (state >>> 8) else 0uy)

    /// Labels, probabilities or numbers, as the head has them.
    let private targets
        (case: TrainingCase)
        : Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        match case.Head with
        | Head.Softmax -> Targets.Labels(Array.init case.Samples (fun s -> s % case.Outputs))
        | Head.Sigmoid ->
            Matrix<'T>
                .Build.Dense(
                    case.Outputs,
                    case.Samples,
                    fun k s -> if (s + k) % 3 = 0 then 'T.One else 'T.Zero
                )
            |> Targets.Columns
        | Head.Identity ->
            Matrix<'T>
                .Build.Dense(
                    case.Outputs,
                    case.Samples,
                    fun k s -> 'T.CreateTruncating(float (s * 7 % 11 - 5 * k) / 8.0)
                )
            |> Targets.Columns

    let private data
        (case: TrainingCase)
        (shape: Shape)
        : Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let pixels = bytes (case.Samples * shape.Size)

        match shape, case.Head with
        | Shape.Image(channels, rows, columns), Head.Softmax ->
            let size = {
                Channels = channels
                Rows = rows
                Columns = columns
            }

            Dataset.ofIdx
                case.Outputs
                {
                    Count = case.Samples
                    Size = size
                    Pixels = ReadOnlyMemory pixels
                }
                (Array.init case.Samples (fun s -> s % case.Outputs))
            |> orFail case.Name
        | _ ->
            let inputs =
                Matrix<'T>
                    .Build.Dense(
                        shape.Size,
                        case.Samples,
                        fun i s ->
                            'T.CreateTruncating((float pixels[s * shape.Size + i] - 32.0) / 64.0)
                    )

            Dataset.ofColumns case.Outputs inputs (targets case)

    /// The predictions for the first samples, one at a time.
    let private predictions
        (network: Network<'T>)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : byte[] =
        let predictor = Predictor network
        let batch = Dataset.take [| 0..2 |] data

        [|
            for s in 0..2 do
                let outputs: 'T[] = Array.zeroCreate network.Architecture.Outputs
                predictor.Predict(batch.Inputs.Column(s).ToArray().AsSpan(), outputs.AsSpan())

                for output in outputs do
                    yield! BitConverter.GetBytes(Double.CreateTruncating output)
        |]

    /// The checkpoint after the run and predictions of its network. The run is done twice: without a stop, and from a
    /// checkpoint in its middle.
    let private result<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IEquatable<'T>
        and 'T :> IFormattable
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (case: TrainingCase)
        : byte[] =
        let settings = Hyperparameters.create case.Options |> orFail case.Name
        let shape = Model.parseShape case.Shape |> orFail case.Name

        let architecture =
            LayerKinds.parse [] (LayerKinds.split case.Layers)
            |> Result.bind (Architecture.create case.Head shape)
            |> orFail case.Name

        let data: Dataset<'T> = data case shape
        let start = Trainer.start settings architecture

        /// With two validation losses, of which the second is not lower.
        let observed (state: TrainingState<'T>) =
            if settings.Validation > 0.0 then
                state |> Trainer.observe settings 1.0 |> Trainer.observe settings 1.0
            else
                state

        let half (state: TrainingState<'T>) =
            Trainer.advance settings data (case.Steps / 2L) (fun _ _ -> true) state
            |> observed

        let whole = start |> half |> half

        let stopped =
            seq { 1L .. case.Steps / 2L }
            |> Seq.fold (fun state _ -> Trainer.step settings data state) start
            |> observed
            |> Checkpoint.write

        let resumed: TrainingState<'T> =
            Checkpoint.read settings architecture (ReadOnlyMemory stopped)
            |> orFail case.Name

        let checkpoint = Checkpoint.write whole

        if Checkpoint.write (half resumed) <> checkpoint then
            invalidOp (case.Name + ": expected the bits of a run without a stop, found others")

        Array.append checkpoint (predictions (Trainer.currentNetwork whole) data)

    /// <summary>The SHA-256 of what a case gives: its checkpoint at the end, and predictions of its network.</summary>
    /// <exception cref="T:System.InvalidOperationException">The case's settings are faulty, or a run that is resumed from
    /// a checkpoint gives other bits than one without a stop.</exception>
    [<CompiledName("Hash")>]
    let hash (case: TrainingCase) : string =
        match case.Precision with
        | Precision.Single -> result<float32> case
        | Precision.Double -> result<float> case
        |> Sha256.ofBytes
