namespace Pipeline.Learning

/// The result of training on a few samples only.
type OverfitResult = {
    /// The number of steps.
    Steps: int
    /// The loss before the first.
    FirstLoss: float
    /// The loss after the last.
    LastLoss: float
    /// The fraction of the samples that are classified correctly at the end; NaN where numbers are predicted.
    Accuracy: float
} with

    /// Whether the network learned them by heart: all classes are correct, and the loss is below a tenth of the
    /// first.
    member check.Passed =
        (System.Double.IsNaN check.Accuracy || check.Accuracy = 1.0)
        && check.LastLoss < 0.1 * check.FirstLoss

/// Whether a network and its settings can learn at all.
[<RequireQualifiedAccess>]
module OverfitCheck =
    /// <summary>Trains on a few samples only: settings that cannot learn those by heart will not learn many.
    /// Dropout, augmentation and label smoothing, which make this harder, are switched off.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="count">How many samples, drawn by the seed, 1 or more.</param>
    /// <param name="steps">The most steps, 1 or more; training stops once the check passes.</param>
    /// <param name="data">The training data.</param>
    /// <param name="architecture">The network's layers.</param>
    /// <exception cref="T:System.ArgumentException">A count is out of range, or the data do not have the
    /// network's size.</exception>
    [<CompiledName("Run")>]
    let run
        (settings: Hyperparameters)
        (count: int)
        (steps: int)
        (data: Dataset<'T>)
        (architecture: Architecture)
        : OverfitResult =
        if count < 1 || count > data.Count then
            invalidArg (nameof count) (invariant $"expected 1 to {data.Count}, found {count}")

        let order = Batch.order settings.Seed data.Count 0L
        let few = Dataset.select order[.. count - 1] data

        let plain =
            Hyperparameters.create {
                settings.Options with
                    Length = RunLength.Iterations(int64 steps)
                    BatchSize = count
                    Schedule = ScheduleKind.Constant
                    WarmUp = 0L
                    Sampling = Sampling.Epoch
                    Augmentation = Augmentation.None
                    LabelSmoothing = 0.0
                    Validation = 0.0
                    EarlyStopping = ValueNone
            }
            |> Fault.orInvalidArg (nameof steps)

        let start: TrainingState<'T> =
            Trainer.start plain (Architecture.withoutRandomLayers architecture)

        let first = Network.evaluate start.Network few

        let rec learn (state: TrainingState<'T>) =
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
                learn (Trainer.step plain few state)

        learn start
