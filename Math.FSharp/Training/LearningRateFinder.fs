namespace Pipeline.Learning

open System

/// A step of a sweep over learning rates.
[<Struct>]
type RateStep = {
    /// The learning rate of the step.
    Rate: float
    /// The loss of its mini-batch, before its update.
    Loss: float
    /// The mean of the losses of the steps around it, as many before it as after it.
    Smoothed: float
}

/// A sweep over learning rates, and what it suggests.
type RateSweep = {
    /// Its steps; the sweep ends early once the loss is far above its lowest value.
    Steps: RateStep list
    /// The rate at which the smoothed loss fell fastest; nothing if it did not fall.
    Suggested: float voption
}

/// <summary>Finding a learning rate by a short run in which the rate rises from very small to very
/// large.</summary>
/// <remarks>Source: Smith, Cyclical learning rates for training neural networks, 2017.</remarks>
[<RequireQualifiedAccess>]
module LearningRateFinder =
    /// The fraction of the running mean of losses that remains at each step.
    let private decay = 0.95

    /// A sweep ends once the running mean is that many times its lowest.
    let private tooHigh = 4.0

    /// The mean of each loss with the same number of losses before and after it, a twentieth of the sweep in
    /// all. Unlike a running mean it does not lag.
    let internal smooth (losses: float[]) : float[] =
        let reach = losses.Length / 40

        Array.init losses.Length (fun i ->
            let reach = min reach (min i (losses.Length - 1 - i))
            Array.average losses[i - reach .. i + reach])

    /// Both halves of the middle of a falling span must fall by this fraction of the whole fall; a plateau between
    /// two falls and the lowest point do not.
    let private middle = 0.2

    /// Neither end of the span may rise by more than this fraction.
    let private end' = 0.1

    /// The rate at which the smoothed loss falls most, over ln of the rate, within a span of steps.
    let internal steepest (steps: RateStep[]) : float voption =
        let span = max 1 (steps.Length / 20)
        let half = (span + 1) / 2
        let loss i = steps[i].Smoothed

        let fall i =
            let whole = loss (i - span) - loss (i + span)

            if
                whole > 0.0
                && loss (i - half) - loss i >= middle * whole
                && loss i - loss (i + half) >= middle * whole
                && loss (i - span) - loss (i - half) >= -end' * whole
                && loss (i + half) - loss (i + span) >= -end' * whole
            then
                ValueSome whole
            else
                ValueNone

        let falls = [|
            for i in span .. steps.Length - 1 - span do
                match fall i with
                | ValueSome whole -> struct (whole, steps[i].Rate)
                | ValueNone -> ()
        |]

        if falls.Length = 0 then
            ValueNone
        else
            let struct (_, rate) = falls |> Array.maxBy (fun struct (whole, _) -> whole)
            ValueSome rate

    /// <summary>Trains for a number of steps, in which the rate rises from the lowest to the highest.</summary>
    /// <param name="settings">The run's hyperparameters; their rate, schedule and length are not
    /// used.</param>
    /// <param name="lowest">The rate of the first step, greater than 0.</param>
    /// <param name="highest">The rate of the last, greater than the first's; between them the rate rises
    /// by the same factor at each step.</param>
    /// <param name="count">How many steps, 2 or more; a few hundred suffice.</param>
    /// <param name="data">The training data.</param>
    /// <param name="architecture">The network's layers.</param>
    /// <exception cref="T:System.ArgumentException">A rate or the count is out of range, or the data do
    /// not have the network's size.</exception>
    [<CompiledName("Sweep")>]
    let sweep
        (settings: Hyperparameters)
        (lowest: float)
        (highest: float)
        (count: int)
        (data: Dataset<'T>)
        (architecture: Architecture)
        : RateSweep =
        if not (lowest > 0.0 && highest > lowest && Double.IsFinite highest) then
            invalidArg
                (nameof highest)
                $"expected 0 < lowest < highest, found {string lowest} and {string highest}"

        if count < 2 then
            invalidArg (nameof count) (invariant $"expected 2 or more, found {count}")

        let settings =
            Hyperparameters.create {
                settings.Options with
                    LearningRate = lowest
                    Schedule = ScheduleKind.Exponential(int64 (count - 1), highest / lowest)
                    WarmUp = 0L
                    Length = RunLength.Iterations(int64 count)
            }
            |> Fault.orInvalidArg (nameof settings)

        let start: TrainingState<'T> = Trainer.start settings architecture

        let rec run (state: TrainingState<'T>) (mean: float) (best: float) found =
            let next = Trainer.step settings data state
            let mean = decay * mean + (1.0 - decay) * next.Loss
            // Corrected for the mean's start at 0.
            let smoothed = mean / (1.0 - ScalarMath.Power(decay, next.Iteration))

            if not (Double.IsFinite smoothed) then
                found
            else
                let step =
                    struct (Trainer.rate settings data state.Validation state.Iteration, next.Loss)

                if next.Iteration = int64 count || smoothed > tooHigh * best then
                    step :: found
                else
                    run next mean (min best smoothed) (step :: found)

        let steps = run start 0.0 infinity [] |> Array.ofList |> Array.rev
        let smoothed = steps |> Array.map (fun struct (_, loss) -> loss) |> smooth

        let steps =
            Array.map2
                (fun struct (rate, loss) smoothed -> {
                    Rate = rate
                    Loss = loss
                    Smoothed = smoothed
                })
                steps
                smoothed

        {
            Steps = List.ofArray steps
            Suggested = steepest steps
        }
