namespace Pipeline.Learning

open System

/// A learning rate for every iteration, counted from 0.
type Schedule = int64 -> float

/// How a run's learning rate changes. Iterations count from 0.
[<RequireQualifiedAccess>]
type ScheduleKind =
    /// The rate stays the same.
    | Constant
    /// The rate is multiplied by the factor after every number of iterations.
    | Step of every: int64 * factor: float
    /// Like Step, but evenly over the iterations.
    | Exponential of every: int64 * factor: float
    /// The rate falls along half a cosine, to a fraction of it at the end of the run.
    | Cosine of last: float
    /// The rate rises during a fraction of the run and falls in the rest.
    | OneCycle of rise: float
    /// The rate is multiplied by the factor after a number of epochs without a lower validation loss.
    | Plateau of patience: int * factor: float

    /// The case's name, and what belongs to it.
    override kind.ToString() =
        match kind with
        | Constant -> nameof Constant
        | Step(every, factor) -> invariant $"Step ({every}, {factor})"
        | Exponential(every, factor) -> invariant $"Exponential ({every}, {factor})"
        | Cosine last -> invariant $"Cosine {last}"
        | OneCycle rise -> invariant $"OneCycle {rise}"
        | Plateau(patience, factor) -> invariant $"Plateau ({patience}, {factor})"

/// The options of a schedule; a number that is left out has its default.
type ScheduleOptions = {
    /// A name of <c>Schedule.choices</c>: Constant, Cosine, …
    Name: string
    /// Iterations of Step and Exponential, 1 or more; 1000.
    Every: Nullable<int64>
    /// γ of Step, Exponential and Plateau, greater than 0; 0.1.
    Factor: Nullable<float>
    /// The fraction of the rate that Cosine ends at, 0 to 1; 0.
    Last: Nullable<float>
    /// The fraction of iterations in which OneCycle rises, more than 0 and less than 1; 0.3.
    Rise: Nullable<float>
    /// Epochs without a lower validation loss after which Plateau lowers the rate, 1 or more; 10.
    Patience: Nullable<int>
}

/// A schedule that settings choose by its name.
type internal ScheduleEntry = {
    /// Its name, its numbers, and the kind made of them.
    Choice: NamedChoice<ScheduleKind>
    /// The numbers of a kind in the order of the definition, if the kind is this entry's.
    Numbers: ScheduleKind -> float list option
    DependsOnLength: bool
    /// The schedule of a run's number of iterations, its learning rate and the numbers.
    Make: int64 -> float -> float list -> Schedule
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
        fun iteration -> rate * ScalarMath.Power(factor, iteration / every)

    let private exp (x: float) : float =
        Elementary.Exp<float, float, Simd1<float>> x

    /// <summary>η·γ^(i / every).</summary>
    /// <param name="every">Iterations in which the rate is multiplied by γ, 1 or more.</param>
    /// <param name="factor">γ, greater than 0.</param>
    /// <param name="rate">η, the first rate.</param>
    /// <exception cref="T:System.ArgumentException"><paramref name="every"/> is below 1, or γ is not a finite number
    /// greater than 0.</exception>
    [<CompiledName("Exponential")>]
    let exponential (every: int64) (factor: float) (rate: float) : Schedule =
        requirePositive (nameof every) every
        NumberRange.require (nameof factor) NumberRange.positive factor
        let logarithm = ScalarMath.Log factor

        fun iteration -> rate * exp (logarithm * float iteration / float every)

    /// ½(1 + cos πx) for x of 0 to 1: from 1 down to 0.
    let private halfCosine (x: float) : float = 0.5 * (1.0 + ScalarMath.CosPi x)

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
    /// <param name="rise">The fraction of them on the way up, more than 0 and less than 1; 0.3 in
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

    /// <summary>Linear warm-up: a schedule whose first rates are multiplied by (i + 1) / count.</summary>
    /// <param name="count">Iterations of warm-up; 0 changes nothing.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="iteration">The iteration, from 0.</param>
    [<CompiledName("WarmUp")>]
    let warmUp (count: int64) (schedule: Schedule) (iteration: int64) : float =
        let rate = schedule iteration

        if iteration < count then
            rate * (float (iteration + 1L) / float count)
        else
            rate

    let private oneOrMore = NumberRange.atLeast 1.0
    let private every = NamedChoice.number "ScheduleEvery" 1000.0 oneOrMore
    let private factor = NamedChoice.number "ScheduleFactor" 0.1 NumberRange.positive

    let private last =
        NamedChoice.number "ScheduleLast" 0.0 (NumberRange.between 0.0 1.0)

    let private rise =
        NamedChoice.number "ScheduleRise" 0.3 NumberRange.betweenZeroAndOne

    let private patience = NamedChoice.number "SchedulePatience" 10.0 oneOrMore

    /// The schedules that settings can choose, each in one entry.
    let private entries: ScheduleEntry list = [
        {
            Choice = NamedChoice.create "Constant" [] (fun _ -> ScheduleKind.Constant)
            Numbers =
                function
                | ScheduleKind.Constant -> Some []
                | _ -> None
            DependsOnLength = false
            Make = fun _ rate _ -> constant rate
        }
        {
            Choice =
                NamedChoice.create "Step" [ every; factor ] (fun number ->
                    ScheduleKind.Step(int64 (number "ScheduleEvery"), number "ScheduleFactor"))
            Numbers =
                function
                | ScheduleKind.Step(every, factor) -> Some [ float every; factor ]
                | _ -> None
            DependsOnLength = false
            Make = fun _ rate numbers -> step (int64 numbers[0]) numbers[1] rate
        }
        {
            Choice =
                NamedChoice.create "Exponential" [ every; factor ] (fun number ->
                    ScheduleKind.Exponential(
                        int64 (number "ScheduleEvery"),
                        number "ScheduleFactor"
                    ))
            Numbers =
                function
                | ScheduleKind.Exponential(every, factor) -> Some [ float every; factor ]
                | _ -> None
            DependsOnLength = false
            Make = fun _ rate numbers -> exponential (int64 numbers[0]) numbers[1] rate
        }
        {
            Choice =
                NamedChoice.create "Cosine" [ last ] (fun number ->
                    ScheduleKind.Cosine(number "ScheduleLast"))
            Numbers =
                function
                | ScheduleKind.Cosine last -> Some [ last ]
                | _ -> None
            DependsOnLength = true
            Make = fun total rate numbers -> cosine (max 1L (total - 1L)) (numbers[0] * rate) rate
        }
        {
            Choice =
                NamedChoice.create "OneCycle" [ rise ] (fun number ->
                    ScheduleKind.OneCycle(number "ScheduleRise"))
            Numbers =
                function
                | ScheduleKind.OneCycle rise -> Some [ rise ]
                | _ -> None
            DependsOnLength = true
            Make = fun total rate numbers -> oneCycle (max 1L total) numbers[0] rate
        }
        {
            Choice =
                NamedChoice.create "Plateau" [ patience; factor ] (fun number ->
                    ScheduleKind.Plateau(int (number "SchedulePatience"), number "ScheduleFactor"))
            Numbers =
                function
                | ScheduleKind.Plateau(patience, factor) -> Some [ float patience; factor ]
                | _ -> None
            DependsOnLength = false
            // The trainer lowers the rate, by the validation losses.
            Make = fun _ rate _ -> constant rate
        }
    ]

    let private find (kind: ScheduleKind) : ScheduleEntry * float list =
        entries
        |> List.pick (fun entry -> entry.Numbers kind |> Option.map (fun numbers -> entry, numbers))

    /// <summary>The names of all schedules, with the numbers that apply to each.</summary>
    [<CompiledName("Choices")>]
    let choices: ChoiceDefinition list = entries |> List.map _.Choice.Definition

    /// <summary>The schedule of a run. A plateau's factor is not in it, as that follows from the validation
    /// losses.</summary>
    /// <param name="total">Iterations of the run.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="kind">How it changes.</param>
    [<CompiledName("OfKind")>]
    let ofKind (total: int64) (rate: float) (kind: ScheduleKind) : Schedule =
        let entry, numbers = find kind
        entry.Make total rate numbers

    /// <summary>Whether an iteration's rate depends on the length of the run.</summary>
    let internal dependsOnLength (kind: ScheduleKind) : bool = (fst (find kind)).DependsOnLength

    /// Whether each number is within its range.
    let internal checks (kind: ScheduleKind) : (bool * Fault) list =
        let entry, numbers = find kind

        List.map2
            (fun (number: ChoiceNumber) value -> NumberRange.check number.name number.range value)
            entry.Choice.Definition.Numbers
            numbers

    /// <summary>The schedule of the options, or all faults: an unknown name, a number out of range, a
    /// number that does not apply to the schedule.</summary>
    [<CompiledName("Parse")>]
    let parse (options: ScheduleOptions) : Result<ScheduleKind, Fault list> =
        let every =
            options.Every |> Option.ofNullable |> Option.map float |> Option.toNullable

        let patience =
            options.Patience |> Option.ofNullable |> Option.map float |> Option.toNullable

        NamedChoice.parse
            "Schedule"
            (entries |> List.map _.Choice)
            [
                "ScheduleEvery", every
                "ScheduleFactor", options.Factor
                "ScheduleLast", options.Last
                "ScheduleRise", options.Rise
                "SchedulePatience", patience
            ]
            options.Name
