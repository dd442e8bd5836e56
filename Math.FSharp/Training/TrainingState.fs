namespace Pipeline.Learning

open System

/// The state of a run: everything that its next step depends on, besides settings and data.
type TrainingState<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// Steps done.
    Iteration: int64
    /// The network after them.
    Network: Network<'T>
    /// The optimizer's state after them.
    Optimizer: OptimizerState<'T>
    /// The last step's loss: of its mini-batch, before its update. Not a number before the first.
    Loss: float
    /// The first step's loss.
    FirstLoss: float
    /// The sum of the losses of the epoch under way, or of the one just ended.
    EpochLoss: float
    /// The order of the epoch under way, where sampling walks through one.
    Order: int[]
    /// The validation losses so far.
    Validation: ValidationHistory<'T>
}
