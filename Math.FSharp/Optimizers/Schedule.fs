namespace Pipeline.Learning

open System

/// A learning rate for every iteration, counted from 0.
type Schedule = int64 -> float

/// How a run's learning rate changes.
[<RequireQualifiedAccess>]
type ScheduleKind =
    /// Not at all.
    | Constant
    /// Times factor after every so many iterations.
    | Step of every: int64 * factor: float
    /// The same, evenly over the iterations.
    | Exponential of every: int64 * factor: float
    /// Down to a share of the rate at the run's end, along half a cosine.
    | Cosine of last: float
    /// Up to the rate and down again.
    | OneCycle of rise: float
    /// Times factor after so many epochs without a lower validation loss.
    | Plateau of patience: int * factor: float

/// What a person may say of a schedule; a number left out is the default.
type ScheduleOptions = {
    /// Constant, Step, Exponential, Cosine, OneCycle or Plateau.
    Name: string
    /// Iterations of Step and Exponential, 1 or more; 1000.
    Every: Nullable<int64>
    /// γ of Step, Exponential and Plateau, greater than 0; 0.1.
    Factor: Nullable<float>
    /// The share of the rate that Cosine ends at, 0 to 1; 0.
    Last: Nullable<float>
    /// The share of iterations in which OneCycle rises, more than 0 and less than 1; 0.3.
    Rise: Nullable<float>
    /// Epochs without a lower validation loss after which Plateau lowers the rate, 1 or more; 10.
    Patience: Nullable<int>
}

/// <summary>Learning rates that change with the iteration. A schedule is a function, so schedules
/// compose: <c>Schedule.cosine 10000L 0.001 0.1 |> Schedule.warmUp 500L</c>.</summary>
[<RequireQualifiedAccess>]
module Schedule =
    let private requirePositive (name: string) (value: int64) : unit =
        NumberRange.require name (NumberRange.atLeast 1L) value

    /// <summary>Always the same.</summary>
    /// <param name="rate">The rate.</param>
    [<CompiledName("Constant")>]
    let constant (rate: float) : Schedule = fun _ -> rate

    /// <summary>η·γ^⌊i / every⌋.</summary>
    /// <param name="every">Iterations between two steps, 1 or more.</param>
    /// <param name="factor">γ; 0.1 in PyTorch.</param>
    /// <param name="rate">η, the first rate.</param>
    /// <exception cref="T:System.ArgumentException"><paramref name="every"/> is below 1.</exception>
    [<CompiledName("Step")>]
    let step (every: int64) (factor: float) (rate: float) : Schedule =
        requirePositive (nameof every) every
        fun iteration -> rate * Elementary.Power(factor, iteration / every)

    let private exp (x: float) : float =
        Elementary.Exp<float, float, Lanes1<float>> x

    /// <summary>η·γ^(i / every).</summary>
    /// <param name="every">Iterations in which the rate is multiplied by γ, 1 or more.</param>
    /// <param name="factor">γ, greater than 0.</param>
    /// <param name="rate">η, the first rate.</param>
    /// <exception cref="T:System.ArgumentException"><paramref name="every"/> is below 1.</exception>
    [<CompiledName("Exponential")>]
    let exponential (every: int64) (factor: float) (rate: float) : Schedule =
        requirePositive (nameof every) every
        let logarithm = Elementary.Log factor

        fun iteration -> rate * exp (logarithm * float iteration / float every)

    /// ½(1 + cos πx) for x of 0 to 1: from 1 down to 0.
    let private halfCosine (x: float) : float = 0.5 * (1.0 + Elementary.CosPi x)

    /// <summary>last + (η − last)·½(1 + cos(πi / total)); last from <paramref name="total"/>
    /// on.</summary>
    /// <param name="total">Iterations on the way down, 1 or more.</param>
    /// <param name="last">The rate at the end.</param>
    /// <param name="rate">η, the first rate.</param>
    /// <exception cref="T:System.ArgumentException"><paramref name="total"/> is below 1.</exception>
    /// <remarks>Source: Loshchilov and Hutter, SGDR, 2017, without restarts.</remarks>
    [<CompiledName("Cosine")>]
    let cosine (total: int64) (last: float) (rate: float) : Schedule =
        requirePositive (nameof total) total

        fun iteration ->
            let share = min 1.0 (float iteration / float total)
            last + (rate - last) * halfCosine share

    /// <summary>From peak/25 up to the peak and down to peak/250,000, both along half a
    /// cosine.</summary>
    /// <param name="total">Iterations of the whole cycle, 1 or more; one alone has the last rate.</param>
    /// <param name="rise">The share of them on the way up, more than 0 and less than 1; 0.3 in
    /// PyTorch.</param>
    /// <param name="peak">The highest rate.</param>
    /// <exception cref="T:System.ArgumentException"><paramref name="total"/> or
    /// <paramref name="rise"/> is out of range.</exception>
    /// <remarks>Source: Smith and Topin, Super-convergence, 2018; the numbers are PyTorch's.</remarks>
    [<CompiledName("OneCycle")>]
    let oneCycle (total: int64) (rise: float) (peak: float) : Schedule =
        requirePositive (nameof total) total

        NumberRange.require (nameof rise) NumberRange.betweenZeroAndOne rise

        let first, last = peak / 25.0, peak / 250000.0
        let top = rise * float total - 1.0

        fun iteration ->
            let i = float iteration

            if i < top then
                peak + (first - peak) * halfCosine (i / top)
            else
                let share = min 1.0 ((i - top) / (float total - 1.0 - top))
                last + (peak - last) * halfCosine share

    /// <summary>Another schedule, whose first rates are less: (i + 1) / count of what they would
    /// be.</summary>
    /// <param name="count">Iterations until the rate is the other schedule's; 0 changes nothing.</param>
    /// <param name="schedule">The other schedule.</param>
    /// <param name="iteration">The iteration, from 0.</param>
    [<CompiledName("WarmUp")>]
    let warmUp (count: int64) (schedule: Schedule) (iteration: int64) : float =
        let rate = schedule iteration

        if iteration < count then
            rate * (float (iteration + 1L) / float count)
        else
            rate

    /// <summary>The schedule that a run is told to use. Plateau's factor is not in it: that follows
    /// from how the run goes.</summary>
    /// <param name="total">Iterations of the run.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="method">How it changes.</param>
    [<CompiledName("OfMethod")>]
    let ofMethod (total: int64) (rate: float) (method: ScheduleKind) : Schedule =
        match method with
        | ScheduleKind.Constant
        | ScheduleKind.Plateau _ -> constant rate
        | ScheduleKind.Step(every, factor) -> step every factor rate
        | ScheduleKind.Exponential(every, factor) -> exponential every factor rate
        | ScheduleKind.Cosine last -> cosine (max 1L (total - 1L)) (last * rate) rate
        | ScheduleKind.OneCycle rise -> oneCycle (max 1L total) rise rate

    let private choice name numbers make : NamedChoice<ScheduleKind> = {
        Name = name
        Numbers = numbers
        Make = make
    }

    let private stepping = [ "ScheduleEvery", 1000.0; "ScheduleFactor", 0.1 ]

    let private choices = [
        choice "Constant" [] (fun _ -> ScheduleKind.Constant)
        choice "Step" stepping (fun number ->
            ScheduleKind.Step(int64 (number "ScheduleEvery"), number "ScheduleFactor"))
        choice "Exponential" stepping (fun number ->
            ScheduleKind.Exponential(int64 (number "ScheduleEvery"), number "ScheduleFactor"))
        choice "Cosine" [ "ScheduleLast", 0.0 ] (fun number ->
            ScheduleKind.Cosine(number "ScheduleLast"))
        choice "OneCycle" [ "ScheduleRise", 0.3 ] (fun number ->
            ScheduleKind.OneCycle(number "ScheduleRise"))
        choice "Plateau" [ "SchedulePatience", 10.0; "ScheduleFactor", 0.1 ] (fun number ->
            ScheduleKind.Plateau(int (number "SchedulePatience"), number "ScheduleFactor"))
    ]

    /// <summary>The schedule that is meant, or a fault for a name that is none or a number that the
    /// schedule does not have.</summary>
    [<CompiledName("Parse")>]
    let parse (said: ScheduleOptions) : Result<ScheduleKind, Fault list> =
        let every = said.Every |> Option.ofNullable |> Option.map float |> Option.toNullable

        let patience =
            said.Patience |> Option.ofNullable |> Option.map float |> Option.toNullable

        NamedChoice.parse
            "Schedule"
            choices
            [
                "ScheduleEvery", every
                "ScheduleFactor", said.Factor
                "ScheduleLast", said.Last
                "ScheduleRise", said.Rise
                "SchedulePatience", patience
            ]
            said.Name
