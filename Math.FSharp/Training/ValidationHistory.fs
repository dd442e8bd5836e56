namespace Pipeline.Learning

open System

/// The validation losses of a run so far.
type ValidationHistory<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The lowest loss; infinite before the first.
    Lowest: float
    /// The network with the lowest loss.
    Best: Network<'T> voption
    /// The iteration of that network.
    BestIteration: int64
    /// Epochs since the lowest loss.
    EpochsSinceBest: int
    /// Epochs since the lowest loss, or since the learning rate was lowered.
    PlateauEpochs: int
    /// The factor of the schedule's rate.
    RateFactor: float
}


/// The history of validation losses.
[<RequireQualifiedAccess>]
module internal ValidationHistory =
    /// No loss yet.
    let none<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IEquatable<'T>
        and 'T :> IFormattable> : ValidationHistory<'T> = {
        Lowest = infinity
        Best = ValueNone
        BestIteration = 0L
        EpochsSinceBest = 0
        PlateauEpochs = 0
        RateFactor = 1.0
    }

    /// The history after another epoch. A loss counts as lower from a ten-thousandth on, as in PyTorch.
    let add
        (schedule: ScheduleKind)
        (iteration: int64)
        (model: unit -> Network<'T>)
        (loss: float)
        (history: ValidationHistory<'T>)
        : ValidationHistory<'T> =
        let next =
            if loss < history.Lowest * (1.0 - 1e-4) then
                {
                    history with
                        Lowest = loss
                        Best = ValueSome(model ())
                        BestIteration = iteration
                        EpochsSinceBest = 0
                        PlateauEpochs = 0
                }
            else
                {
                    history with
                        EpochsSinceBest = history.EpochsSinceBest + 1
                        PlateauEpochs = history.PlateauEpochs + 1
                }

        match schedule with
        | ScheduleKind.Plateau(patience, factor) when next.PlateauEpochs > patience -> {
            next with
                PlateauEpochs = 0
                RateFactor = next.RateFactor * factor
          }
        | _ -> next
