namespace Pipeline.Learning

open System

/// The state of a run: everything that its next step depends on, besides settings and data.
type TrainingState<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The number of steps so far.
    Iteration: int64
    /// The network after those steps.
    Network: Network<'T>
    /// The optimizer's state after those steps.
    Optimizer: OptimizerState<'T>
    /// The running mean of the network's running statistics, where the optimizer keeps one of the parameters; otherwise
    /// empty.
    AverageRunning: LayerParameters<'T> list
    /// The last step's loss: of its mini-batch, before its update. Not a number before the first.
    Loss: float
    /// The first step's loss.
    FirstLoss: float
    /// The sum of the losses of the current epoch, or of the epoch that just ended.
    EpochLoss: float
    /// The order of the samples in the current epoch; empty if they are drawn with replacement.
    Order: int[]
    /// The validation losses so far.
    Validation: ValidationHistory<'T>
}
