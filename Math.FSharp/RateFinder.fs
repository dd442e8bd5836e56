namespace Pipeline.Learning

open System

/// A step of a sweep over learning rates.
[<Struct>]
type RateStep = {
    /// The learning rate of the step.
    Rate: float
    /// The loss of its mini-batch, before its update.
    Loss: float
    /// The mean of the losses so far, recent ones counting most.
    Smoothed: float
}

/// A sweep over learning rates, and what it suggests.
type RateSweep = {
    /// Its steps; it ends early where the loss has left for good.
    Steps: RateStep list
    /// The rate at which the loss fell fastest; none where it did not fall.
    Suggested: float voption
}

/// <summary>Which learning rate to begin with: a short run whose rate rises from very small to very
/// large.</summary>
/// <remarks>Source: Smith, Cyclical learning rates for training neural networks, 2017.</remarks>
[<RequireQualifiedAccess>]
module RateFinder =
    /// How much of the smoothed loss stays at each step.
    let private decay = 0.95

    /// A sweep ends once the smoothed loss is so many times its lowest.
    let private tooHigh = 4.0

    /// Where ln of the rate and the smoothed loss have the steepest slope down, over spans of steps.
    let private steepest (steps: RateStep[]) : float voption =
        let lowest = steps |> Array.minBy _.Smoothed |> _.Smoothed
        // What comes after the lowest place is on its way out.
        let last = steps |> Array.findIndex (fun step -> step.Smoothed = lowest)
        let span = max 1 (steps.Length / 20)

        let drops = [|
            for i in span .. last - span do
                struct (steps[i - span].Smoothed - steps[i + span].Smoothed, steps[i].Rate)
        |]

        if drops.Length = 0 then
            ValueNone
        else
            match Array.maxBy (fun struct (drop, _) -> drop) drops with
            | struct (drop, rate) when drop > 0.0 -> ValueSome rate
            | _ -> ValueNone

    /// <summary>The sweep.</summary>
    /// <param name="settings">The run's hyperparameters; their own rate, schedule and length are left
    /// aside.</param>
    /// <param name="lowest">The rate of the first step, greater than 0.</param>
    /// <param name="highest">The rate of the last, greater than the first's; between them the rate rises
    /// by the same factor at each step.</param>
    /// <param name="count">How many steps, 2 or more; a few hundred tell enough.</param>
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
                $"expected 0 < lowest < highest, found {lowest} and {highest}"

        if count < 2 then
            invalidArg (nameof count) $"expected 2 or more, found {count}"

        let rising =
            Hyperparameters.create {
                settings.Recipe with
                    LearningRate = lowest
                    Schedule = ScheduleMethod.Exponential(int64 (count - 1), highest / lowest)
                    WarmUp = 0L
                    Length = RunLength.Iterations(int64 count)
            }

        match rising with
        | Error faults ->
            invalidArg (nameof settings) (faults |> List.map string |> String.concat " ")
        | Ok settings ->
            let start: State<'T> = Trainer.start settings architecture

            let rec run (state: State<'T>) (mean: float) (best: float) found =
                let next = Trainer.step settings data state
                let mean = decay * mean + (1.0 - decay) * next.Loss
                // The mean of so many losses, the zero it began with taken out.
                let smoothed = mean / (1.0 - Elementary.Power(decay, next.Iteration))

                if not (Double.IsFinite smoothed) then
                    found
                else
                    let step = {
                        Rate = Trainer.rate settings data state.Watch state.Iteration
                        Loss = next.Loss
                        Smoothed = smoothed
                    }

                    if next.Iteration = int64 count || smoothed > tooHigh * best then
                        step :: found
                    else
                        run next mean (min best smoothed) (step :: found)

            let steps = run start 0.0 infinity [] |> List.rev

            {
                Steps = steps
                Suggested =
                    if steps.IsEmpty then
                        ValueNone
                    else
                        steepest (Array.ofList steps)
            }
