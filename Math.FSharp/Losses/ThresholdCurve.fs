namespace Pipeline.Learning

open System

/// What a threshold for the probability of a class finds among samples.
[<Struct>]
type ThresholdPoint = {
    /// The threshold: a sample is answered as the class if its probability is not below it.
    Threshold: float
    /// How many samples are of the class.
    Positives: int
    /// How many samples are not.
    Negatives: int
    /// How many samples of the class are answered as the class.
    Found: int
    /// How many other samples are answered as the class.
    FalseAlarms: int
} with

    /// The fraction of the class's samples that is found.
    member point.Recall = float point.Found / float point.Positives
    /// The fraction of the other samples that is answered as the class.
    member point.FalseAlarmRate = float point.FalseAlarms / float point.Negatives
    /// The fraction of the samples answered as the class that are of it.
    member point.Precision = float point.Found / float (point.Found + point.FalseAlarms)

/// <summary>All thresholds for the probability of a class: the points of its ROC curve and of its precision-recall
/// curve.</summary>
/// <remarks>Source: Fawcett, An introduction to ROC analysis, 2006; Davis and Goadrich, The relationship between
/// precision-recall and ROC curves, 2006.</remarks>
[<RequireQualifiedAccess>]
module ThresholdCurve =
    /// <summary>A point for each different probability, from the highest threshold to the lowest.</summary>
    /// <param name="isOfClass">Whether each sample is of the class.</param>
    /// <param name="probabilities">The class's probability for each sample.</param>
    /// <returns>Thresholds half-way to the next lower probability; the lowest one half-way to 0.</returns>
    /// <exception cref="T:System.ArgumentException">There are not as many probabilities as samples, one is not a
    /// number, or no sample is of the class.</exception>
    [<CompiledName("Points")>]
    let points (isOfClass: bool[]) (probabilities: float[]) : ThresholdPoint list =
        if isOfClass.Length <> probabilities.Length then
            invalidArg
                (nameof probabilities)
                (invariant
                    $"expected as many probabilities as the {isOfClass.Length} samples, found {probabilities.Length}")

        if Array.exists Double.IsNaN probabilities then
            invalidArg (nameof probabilities) "expected numbers, found NaN"

        let positives = isOfClass |> Array.filter id |> Array.length

        if positives = 0 then
            invalidArg (nameof isOfClass) "expected a sample of the class, found none"

        let groups =
            Array.zip probabilities isOfClass
            |> Array.groupBy fst
            |> Array.sortByDescending fst

        let next = Array.append (groups |> Array.skip 1 |> Array.map fst) [| 0.0 |]

        let points, _ =
            Array.zip groups next
            |> List.ofArray
            |> List.mapFold
                (fun struct (found, falseAlarms) ((probability, samples), lower) ->
                    let own = samples |> Array.filter snd |> Array.length
                    let found = found + own
                    let falseAlarms = falseAlarms + samples.Length - own

                    {
                        Threshold = (probability + lower) / 2.0
                        Positives = positives
                        Negatives = isOfClass.Length - positives
                        Found = found
                        FalseAlarms = falseAlarms
                    },
                    struct (found, falseAlarms))
                (struct (0, 0))

        points

    /// <summary>The area under the ROC curve: the probability that a sample of the class has a greater probability than
    /// another sample, equal ones counting half.</summary>
    /// <remarks>Computed from the pairs in the right order, as in Hanley and McNeil, The meaning and use of the area
    /// under a receiver operating characteristic (ROC) curve, 1982.</remarks>
    /// <param name="points">The points of <c>points</c>.</param>
    /// <returns>0 to 1; NaN if every sample is of the class, or there are no points.</returns>
    [<CompiledName("AreaUnderRoc")>]
    let areaUnderRoc (points: ThresholdPoint list) : float =
        match points with
        | [] -> nan
        | first :: _ ->
            // Pairs of a sample of the class and another one in the right order, doubled so that ties count 1.
            let struct (doubled, _, _) =
                points
                |> List.fold
                    (fun struct (doubled, found, falseAlarms) point ->
                        let own = int64 (point.Found - found)
                        let equal = int64 (point.FalseAlarms - falseAlarms)
                        let below = int64 (point.Negatives - point.FalseAlarms)

                        struct (doubled + own * (2L * below + equal),
                                point.Found,
                                point.FalseAlarms))
                    (struct (0L, 0, 0))

            float doubled / (2.0 * float first.Positives * float first.Negatives)

    /// <summary>The area under the precision-recall curve as the average precision, Σ (Rₙ − Rₙ₋₁)·Pₙ over the
    /// thresholds from the highest to the lowest.</summary>
    /// <param name="points">The points of <c>points</c>.</param>
    /// <returns>0 to 1; NaN if there are no points.</returns>
    [<CompiledName("AveragePrecision")>]
    let averagePrecision (points: ThresholdPoint list) : float =
        let struct (area, _) =
            points
            |> List.fold
                (fun struct (area, before) point ->
                    struct (area + (point.Recall - before) * point.Precision, point.Recall))
                (struct (0.0, 0.0))

        if points.IsEmpty then nan else area
