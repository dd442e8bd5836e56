namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics

/// When a class is answered: if its probability is not below a threshold. Otherwise the answer is the most probable of
/// the other classes.
type Decision = {
    /// The class, from 0.
    Class: int
    /// The threshold, 0 to 1.
    Threshold: float
}

/// What a threshold is chosen for.
[<RequireQualifiedAccess>]
type DecisionGoal =
    /// The threshold itself.
    | Threshold of float
    /// The highest threshold at which at least this fraction of the class's samples is found.
    | Recall of float
    /// The lowest threshold at which at least this fraction of the samples that are answered as the class are of it.
    | Precision of float
    /// The least cost, where a sample of the class that is not found costs so much, and a sample of another class that
    /// is answered as the class costs 1. Where it costs least never to answer the class, the threshold is half-way from the
    /// greatest probability to 1.
    | Cost of float

    /// The case's name, and what belongs to it.
    override goal.ToString() =
        match goal with
        | Threshold value -> invariant $"Threshold {value}"
        | Recall value -> invariant $"Recall {value}"
        | Precision value -> invariant $"Precision {value}"
        | Cost value -> invariant $"Cost {value}"

/// Choosing thresholds, and answering by them.
[<RequireQualifiedAccess>]
module Decision =
    [<Literal>]
    let private Setting = "Decision"

    /// <summary>The class and the goal in a text: <c>yes:recall=0.9</c>, <c>yes:precision=0.8</c>,
    /// <c>yes:cost=5</c> or <c>yes:threshold=0.3</c>.</summary>
    [<CompiledName("Parse")>]
    let parse (text: string) : Result<struct (string * DecisionGoal), Fault list> =
        let colon, equals = text.LastIndexOf ':', text.LastIndexOf '='

        let number =
            match
                Double.TryParse(
                    text.AsSpan(equals + 1),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture
                )
            with
            | true, number -> number
            | _ -> nan

        let name = text[.. colon - 1].Trim()
        let isShare = number > 0.0 && number < 1.0

        let goal =
            if colon < 1 || equals < colon || name = "" then
                ValueNone
            else
                match text[colon + 1 .. equals - 1].Trim().ToLowerInvariant() with
                | "threshold" when isShare -> ValueSome(DecisionGoal.Threshold number)
                | "recall" when isShare || number = 1.0 -> ValueSome(DecisionGoal.Recall number)
                | "precision" when isShare || number = 1.0 ->
                    ValueSome(DecisionGoal.Precision number)
                | "cost" when number > 0.0 && Double.IsFinite number ->
                    ValueSome(DecisionGoal.Cost number)
                | _ -> ValueNone

        match goal with
        | ValueSome goal -> Ok(struct (name, goal))
        | ValueNone ->
            Error [
                Fault.create
                    Setting
                    "CLASS:recall=0.9, CLASS:precision=0.8, CLASS:cost=5 or CLASS:threshold=0.3, shares above 0 and up to 1"
                    $"'{text}'"
            ]

    /// <summary>The decision of a class's name, or the fault of a name that is no class's.</summary>
    /// <param name="classes">The classes' names.</param>
    /// <param name="name">The class.</param>
    [<CompiledName("ClassOf")>]
    let classOf (classes: string list) (name: string) : Result<int, Fault list> =
        match List.tryFindIndex ((=) name) classes with
        | Some k -> Ok k
        | None ->
            Error [
                Fault.create
                    Setting
                    $"""one of the classes {String.concat ", " classes}"""
                    $"'{name}'"
            ]

    /// <summary>The threshold that meets a goal on samples that the network did not learn from.</summary>
    /// <remarks>Thresholds lie half-way between two neighbouring probabilities of the samples, so that a rounding
    /// changes no answer.</remarks>
    /// <param name="goal">The goal.</param>
    /// <param name="isOfClass">Whether each sample is of the class; some are, and some are not.</param>
    /// <param name="probabilities">The class's probability for each sample.</param>
    /// <returns>The threshold; nothing where no threshold reaches a wanted precision.</returns>
    /// <exception cref="T:System.ArgumentException">There are not as many probabilities as samples, or no sample of the
    /// class.</exception>
    let internal choose
        (goal: DecisionGoal)
        (isOfClass: bool[])
        (probabilities: float[])
        : float voption =
        match goal with
        | DecisionGoal.Threshold threshold -> ValueSome threshold
        | _ ->
            let points = ThresholdCurve.points isOfClass probabilities

            // From the highest threshold to the lowest.
            match goal with
            | DecisionGoal.Recall wanted ->
                points |> List.find (fun point -> point.Recall >= wanted) |> ValueSome
            | DecisionGoal.Precision wanted ->
                points
                |> List.tryFindBack (fun point -> point.Precision >= wanted)
                |> ValueOption.ofOption
            | DecisionGoal.Cost cost ->
                let top = Array.max probabilities

                // Where false alarms are dear, it may cost least never to answer the class.
                let never = {
                    points.Head with
                        Threshold = (top + 1.0) / 2.0
                        Found = 0
                        FalseAlarms = 0
                }

                points
                @ [
                    if top < never.Threshold then
                        never
                ]
                |> List.minBy (fun point ->
                    cost * float (point.Positives - point.Found) + float point.FalseAlarms)
                |> ValueSome
            | DecisionGoal.Threshold _ -> ValueNone
            |> ValueOption.map _.Threshold

    /// <summary>The decision that meets a goal on samples that the network did not learn from.</summary>
    /// <param name="goal">The goal.</param>
    /// <param name="k">The class, from 0.</param>
    /// <param name="network">A network with a Softmax head.</param>
    /// <param name="data">Samples with classes, some of which are of the class.</param>
    /// <returns>The decision; nothing where no threshold reaches a wanted precision, or a probability is not a
    /// number.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size or no classes, or no sample
    /// is of the class.</exception>
    [<CompiledName("Fit")>]
    let fit
        (goal: DecisionGoal)
        (k: int)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : Decision voption =
        let labels =
            match data.Targets with
            | Targets.Labels labels -> labels
            | Targets.Columns _ -> invalidArg (nameof data) "expected classes, found numbers"

        let probabilities =
            (Network.probabilities network data).Row(k).ToArray()
            |> Array.map Double.CreateTruncating

        if Array.exists Double.IsNaN probabilities then
            ValueNone
        else
            choose goal (labels |> Array.map ((=) k)) probabilities
            |> ValueOption.map (fun threshold -> { Class = k; Threshold = threshold })

    /// The answer for a sample, without memory of its own.
    let internal answerIn (decision: Decision voption) (probabilities: ReadOnlySpan<float>) : int =
        let decided =
            match decision with
            | ValueSome decision -> decision.Class
            | ValueNone -> -1

        if decided >= 0 && probabilities[decided] >= decision.Value.Threshold then
            decided
        else
            let mutable best = if decided = 0 then 1 else 0

            for k in best + 1 .. probabilities.Length - 1 do
                if k <> decided && probabilities[k] > probabilities[best] then
                    best <- k

            best

    /// <summary>The answer for a sample.</summary>
    /// <param name="decision">The decision; without one, the most probable class is the answer.</param>
    /// <param name="probabilities">The probability of each class.</param>
    /// <returns>The class; of equally probable ones, the first.</returns>
    [<CompiledName("Answer")>]
    let answer (decision: Decision voption) (probabilities: float[]) : int =
        answerIn decision (ReadOnlySpan probabilities)
