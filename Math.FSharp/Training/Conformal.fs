namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// How far samples may be from their predictions, so that a wanted share of new ones is within.
type Conformal = {
    /// The wanted share, above 0 and below 1.
    Coverage: float
    /// Of classes, one number: 1 less the lowest probability of a class that is in a prediction's set. Of numbers to
    /// predict, the half of each interval's width, one for each output.
    Margins: float list
}

/// What sets or intervals cover among samples that they were not fitted to.
type CoverageFigures = {
    /// The share that was wanted.
    Wanted: float
    /// The share of samples whose class is in its set, or whose numbers are in their intervals; for several outputs, the
    /// mean share.
    Measured: float
    /// The mean number of classes in a set, or the mean width of an interval, in the targets' unit.
    MeanSize: float
}

/// <summary>Predictions that say how sure they are: a set of classes or an interval of numbers that contains the truth
/// for a wanted share of new samples.</summary>
/// <remarks>Split conformal prediction: the margin is the k-th smallest distance of n samples that the network did not
/// learn from, k = ⌈(n + 1)·coverage⌉, where the distance is 1 − p of the sample's own class, or |y − t|. Of new samples
/// from the same distribution, at least the wanted share is covered, on average over such fits, whatever the network
/// is. Source: Angelopoulos and Bates, A gentle introduction to conformal prediction, 2021; for the sets, Sadinle, Lei
/// and Wasserman, Least ambiguous set-valued classifiers with bounded error levels, 2019.</remarks>
[<RequireQualifiedAccess>]
module Conformal =
    /// The number of distances that a margin is not below.
    let private rank (coverage: float) (count: int) : int =
        int (Math.Ceiling(coverage * float (count + 1)))

    /// The k-th smallest of n distances, k = ⌈(n + 1)·coverage⌉, at most n.
    let internal margin (coverage: float) (distances: float[]) : float =
        let sorted = Array.sort distances
        sorted[rank coverage distances.Length - 1]

    /// The distances of samples from what is predicted for them, output by output; of classes, of one output.
    let private distances
        (head: Head)
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (outputs: Matrix<'T>)
        : float[] list =
        let y = Kernels.values outputs |> Array.map Double.CreateTruncating
        let rows = outputs.RowCount

        match head, targets with
        | (Head.Softmax | Head.Sigmoid), Targets.Labels labels when rows > 1 -> [
            labels |> Array.mapi (fun s label -> 1.0 - y[s * rows + label])
          ]
        | Head.Identity, Targets.Columns columns ->
            let t = Kernels.values columns |> Array.map Double.CreateTruncating

            [
                for row in 0 .. rows - 1 ->
                    Array.init columns.ColumnCount (fun s ->
                        abs (y[s * rows + row] - t[s * rows + row]))
            ]
        | head, _ ->
            invalidArg
                (nameof targets)
                (invariant
                    $"expected classes under Softmax or Sigmoid, or numbers under Identity, found others under {head}")

    /// <summary>Whether there are samples enough for a share: k = ⌈(n + 1)·coverage⌉ must not be greater than
    /// n.</summary>
    /// <param name="coverage">The share, above 0 and below 1.</param>
    /// <param name="count">n, the number of samples.</param>
    [<CompiledName("CheckSamples")>]
    let checkSamples (coverage: float) (count: int) : Result<unit, Fault list> =
        let least = int (Math.Ceiling(coverage / (1.0 - coverage)))

        Fault.check
            [
                rank coverage count <= count,
                Fault.create
                    "Coverage"
                    $"""{Counted.text "validation sample" "validation samples" (int64 least)} or more (Data:Validation) for a coverage of {Cells.text coverage}"""
                    (string count)
            ]
            ignore

    /// <summary>The margins that cover a share of new samples.</summary>
    /// <param name="coverage">The share, above 0 and below 1.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from.</param>
    /// <returns>The margins; a fault if the samples are too few for the share, or a prediction is not a
    /// number.</returns>
    /// <exception cref="T:System.ArgumentException">The coverage is out of range; the data do not have the network's
    /// size; or they have neither classes that it gives probabilities for nor numbers that it predicts.</exception>
    [<CompiledName("Fit")>]
    let fit
        (coverage: float)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : Result<Conformal, Fault list> =
        if not (coverage > 0.0 && coverage < 1.0) then
            invalidArg
                (nameof coverage)
                $"expected a share above 0 and below 1, found {string coverage}"

        checkSamples coverage data.Count
        |> Result.bind (fun () ->
            let distances =
                Network.probabilities network data
                |> distances network.Architecture.Head data.Targets

            Fault.check
                [
                    not (List.exists (Array.exists Double.IsNaN) distances),
                    Fault.message "Coverage" "cannot be reached, as predictions are not numbers"
                ]
                (fun () -> {
                    Coverage = coverage
                    Margins = distances |> List.map (margin coverage)
                }))

    /// <summary>The classes that a sample may be of: those whose probability is within the margin; if none is, the
    /// most probable one.</summary>
    /// <param name="conformal">The margin.</param>
    /// <param name="probabilities">The probability of each class.</param>
    /// <returns>The classes in order.</returns>
    [<CompiledName("Classes")>]
    let classes (conformal: Conformal) (probabilities: float[]) : int list =
        let within =
            [ 0 .. probabilities.Length - 1 ]
            |> List.filter (fun k -> 1.0 - probabilities[k] <= conformal.Margins.Head)

        if within.IsEmpty then
            [ Decision.answer ValueNone probabilities ]
        else
            within

    /// The same with the answer of a decision, where that is another class than the most probable one.
    let internal classesWith
        (decision: Decision voption)
        (conformal: Conformal)
        (probabilities: float[])
        : int list =
        let within = classes conformal probabilities

        if decision.IsNone then
            within
        else
            Decision.answer decision probabilities :: within |> List.distinct |> List.sort

    /// <summary>The interval of a number to predict.</summary>
    /// <param name="conformal">The margins.</param>
    /// <param name="output">The output, from 0.</param>
    /// <param name="prediction">What is predicted.</param>
    /// <returns>Its lower and its upper bound.</returns>
    [<CompiledName("Interval")>]
    let interval (conformal: Conformal) (output: int) (prediction: float) : struct (float * float) =
        let margin = conformal.Margins[output]
        struct (prediction - margin, prediction + margin)

    /// What the sets of samples cover.
    let internal ofSets
        (decision: Decision voption)
        (conformal: Conformal)
        (labels: int[])
        (probabilities: float[][])
        : CoverageFigures =
        let sets = Array.map (classesWith decision conformal) probabilities

        {
            Wanted = conformal.Coverage
            Measured =
                Array.zip labels sets
                |> Array.averageBy (fun (label, set) ->
                    if List.contains label set then 1.0 else 0.0)
            MeanSize = sets |> Array.averageBy (fun set -> float set.Length)
        }

    /// What the intervals of samples cover.
    let internal ofIntervals
        (conformal: Conformal)
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (predictions: Matrix<'T>)
        : CoverageFigures =
        let shares =
            (conformal.Margins, distances Head.Identity targets predictions)
            ||> List.map2 (fun margin ->
                Array.averageBy (fun distance -> if distance <= margin then 1.0 else 0.0))

        {
            Wanted = conformal.Coverage
            Measured = List.average shares
            MeanSize = 2.0 * List.average conformal.Margins
        }
