namespace Pipeline.Learning

/// How a network did that was trained on a handful of samples alone.
type SanityCheck = {
    /// Steps made.
    Steps: int
    /// The loss before the first.
    FirstLoss: float
    /// The loss after the last.
    LastLoss: float
    /// The share of the samples that the network then knows.
    Accuracy: float
} with

    /// Whether it learned them by heart: all are right, and the loss is below a tenth of the first.
    member check.Passed = check.Accuracy = 1.0 && check.LastLoss < 0.1 * check.FirstLoss

/// Whether a network and its settings can learn at all.
[<RequireQualifiedAccess>]
module OverfitCheck =
    /// <summary>Trains on a few samples and nothing else: settings that cannot learn those by heart will
    /// not learn many. What makes learning by heart harder (dropout, augmentation, label smoothing) is
    /// left out.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="count">How many samples, drawn by the seed, 1 or more.</param>
    /// <param name="steps">How many steps at most, 1 or more; it stops once they are known.</param>
    /// <param name="data">The training data.</param>
    /// <param name="architecture">The network's layers.</param>
    /// <exception cref="T:System.ArgumentException">A count is out of range, or the data do not have the
    /// network's size.</exception>
    [<CompiledName("OverFit")>]
    let overFit
        (settings: Hyperparameters)
        (count: int)
        (steps: int)
        (data: Dataset<'T>)
        (architecture: Architecture)
        : SanityCheck =
        if count < 1 || count > data.Count then
            invalidArg (nameof count) $"expected 1 to %d{data.Count}, found %d{count}"

        let order = Batch.order settings.Seed data.Count 0L
        let few = Dataset.select order[.. count - 1] data

        let plain =
            Hyperparameters.create {
                settings.Recipe with
                    Length = RunLength.Iterations(int64 steps)
                    BatchSize = count
                    Schedule = ScheduleKind.Constant
                    WarmUp = 0L
                    Sampling = Sampling.Epoch
                    Augmentation = Augmentation.none
                    Dropout = 0.0
                    LabelSmoothing = 0.0
                    Validation = 0.0
                    EarlyStopping = ValueNone
            }

        match plain with
        | Error faults -> invalidArg (nameof steps) (faults |> List.map string |> String.concat " ")
        | Ok plain ->
            let start: State<'T> = Trainer.start plain architecture
            let first = Network.evaluate start.Network few

            let rec run (state: State<'T>) =
                let score = Network.evaluate state.Network few

                let check = {
                    Steps = int state.Iteration
                    FirstLoss = first.Loss
                    LastLoss = score.Loss
                    Accuracy = score.Accuracy
                }

                if check.Passed || state.Iteration = int64 steps then
                    check
                else
                    run (Trainer.step plain few state)

            run start
