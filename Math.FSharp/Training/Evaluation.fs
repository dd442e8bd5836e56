namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How well one class is told from the others.
type ClassFigures = {
    /// The class.
    Class: int
    /// Samples that are of it.
    Support: int
    /// Samples said to be of it.
    Predicted: int
    /// The share of the samples said to be of it that are; not a number where there are none.
    Precision: float
    /// The share of its samples that are found; not a number where there are none.
    Recall: float
    /// The harmonic mean of the two, 2·hits / (support + predicted); not a number where both are 0.
    F1: float
}

/// Samples whose answers are about equally confident.
type ReliabilityBin = {
    /// The least confidence, 0 to 1.
    Lower: float
    /// The next bin's least.
    Upper: float
    /// How many samples.
    Count: int
    /// Their mean confidence; not a number where there are none.
    Confidence: float
    /// The share of them that is right; not a number where there are none.
    Accuracy: float
}

/// A sample that the network is wrong about.
type Mistake = {
    /// Its place in the data set.
    Sample: int
    /// Its class.
    Expected: int
    /// What it was taken for.
    Predicted: int
    /// The probability of that.
    Confidence: float
    /// The probability of its class.
    OfExpected: float
}

/// How well a network tells classes apart.
type ClassEvaluation = {
    /// How many samples.
    Samples: int
    /// The share of them that is right.
    Accuracy: float
    /// The mean loss of the head: of Softmax the negative log-likelihood, in nats.
    Loss: float
    /// How many samples of a class (row) were taken for another (column).
    Confusion: int[,]
    /// Every class, in order.
    Classes: ClassFigures list
    /// The share of samples whose class is among the k most probable, for k = 1, 2, …
    TopK: float list
    /// Bins of equal width from 0 to 1; none where the head gives no probabilities.
    Reliability: ReliabilityBin list
    /// The mean distance of confidence and accuracy over the bins, by their counts; not a number where
    /// there are none.
    CalibrationError: float
    /// The most confident ones first.
    Mistakes: Mistake list
} with

    /// The mean of a figure over the classes that have samples or answers. One that is not a number counts 0:
    /// the precision of a class that is never answered, the recall of one that has no samples.
    member private evaluation.Mean(figure: ClassFigures -> float) =
        match
            evaluation.Classes
            |> List.filter (fun figures -> figures.Support + figures.Predicted > 0)
        with
        | [] -> nan
        | met ->
            met
            |> List.averageBy (fun figures ->
                let value = figure figures
                if Double.IsNaN value then 0.0 else value)

    /// The mean precision of the classes that have samples or answers; that of one never answered counts 0,
    /// as in scikit-learn (zero_division=0).
    member evaluation.MacroPrecision = evaluation.Mean _.Precision
    /// The mean recall of the classes that have samples or answers; that of one without samples counts 0.
    member evaluation.MacroRecall = evaluation.Mean _.Recall
    /// The mean F1 of the classes that have samples or answers.
    member evaluation.MacroF1 = evaluation.Mean _.F1

/// How near a network's numbers are.
type NumberEvaluation = {
    /// How many samples.
    Samples: int
    /// The mean loss: half the squared error.
    Loss: float
    /// √ of the mean squared error, in the targets' unit.
    RootMeanSquaredError: float
    /// R²: the share of the targets' variance that is explained.
    Determination: float
}

/// How well a network does on samples it did not learn from.
[<RequireQualifiedAccess>]
type Evaluation =
    /// Of classes.
    | Classes of ClassEvaluation
    /// Of numbers.
    | Numbers of NumberEvaluation

/// How much an evaluation tells.
type EvaluationChoice = {
    /// The greatest k of the top-k accuracies, 1 or more; never more than there are classes.
    TopK: int
    /// Bins of the reliability diagram, 1 or more.
    Bins: int
    /// Mistakes at most, 0 or more.
    Mistakes: int
}

/// <summary>Figures of networks: confusion, precision and recall, top-k, calibration, the most confident
/// mistakes.</summary>
/// <remarks>Source: Guo et al., On calibration of modern neural networks, 2017, for the expected
/// calibration error.</remarks>
[<RequireQualifiedAccess>]
module Evaluation =
    /// <summary>Top 5, 15 bins, 24 mistakes.</summary>
    [<CompiledName("Usual")>]
    let usual: EvaluationChoice = { TopK = 5; Bins = 15; Mistakes = 24 }

    /// How many of a sample's scores come before its class's: greater ones, and equal ones of lower
    /// classes.
    let private rank (scores: ReadOnlySpan<float>) (label: int) : int =
        let mutable before = 0

        for k in 0 .. scores.Length - 1 do
            if scores[k] > scores[label] || (scores[k] = scores[label] && k < label) then
                before <- before + 1

        before

    let private share (part: int) (whole: int) : float = float part / float whole

    let private classFigures (confusion: int[,]) (k: int) : ClassFigures =
        let classes = Array2D.length1 confusion
        let support = Seq.sum (seq { for other in 0 .. classes - 1 -> confusion[k, other] })

        let predicted =
            Seq.sum (seq { for other in 0 .. classes - 1 -> confusion[other, k] })

        let hits = confusion[k, k]

        {
            Class = k
            Support = support
            Predicted = predicted
            Precision = share hits predicted
            Recall = share hits support
            F1 = share (2 * hits) (support + predicted)
        }

    /// The bins of samples with these confidences, each right or not.
    let private reliability (bins: int) (confidences: float[]) (right: bool[]) =
        let places =
            confidences
            |> Array.map (fun c -> Math.Clamp(int (c * float bins), 0, bins - 1))

        [
            for bin in 0 .. bins - 1 ->
                let own = [| 0 .. places.Length - 1 |] |> Array.filter (fun s -> places[s] = bin)

                let sum figure =
                    Array.fold (fun sum s -> sum + figure s) 0.0 own

                {
                    Lower = share bin bins
                    Upper = share (bin + 1) bins
                    Count = own.Length
                    Confidence = sum (fun s -> confidences[s]) / float own.Length
                    Accuracy = sum (fun s -> if right[s] then 1.0 else 0.0) / float own.Length
                }
        ]

    /// <summary>The figures of what a network says of samples of several classes.</summary>
    /// <param name="choice">How much to tell.</param>
    /// <param name="head">What the sums stand for.</param>
    /// <param name="labels">The samples' classes.</param>
    /// <param name="sums">What the last layer gives: (classes, samples).</param>
    /// <exception cref="T:System.ArgumentException">There are not as many labels as samples, or one is
    /// not a class.</exception>
    [<CompiledName("OfSums")>]
    let ofSums
        (choice: EvaluationChoice)
        (head: Head)
        (labels: int[])
        (sums: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : ClassEvaluation =
        Targets.requireFit sums (Targets.Labels labels)
        let classes, count = sums.RowCount, labels.Length
        let scores = Kernels.values sums |> Array.map Double.CreateTruncating

        let probabilities =
            Kernels.values (Head.apply head sums) |> Array.map Double.CreateTruncating

        let said = Targets.mostProbable sums
        let right = Array.map2 (=) said labels
        let confidences = said |> Array.mapi (fun s k -> probabilities[s * classes + k])
        let confusion = Array2D.zeroCreate classes classes

        Array.iter2 (fun label k -> confusion[label, k] <- confusion[label, k] + 1) labels said

        let ranks =
            labels
            |> Array.mapi (fun s label -> rank (ReadOnlySpan(scores, s * classes, classes)) label)

        let bins =
            match head with
            | Head.Identity -> []
            | _ -> reliability choice.Bins confidences right

        {
            Samples = count
            Accuracy = share (right |> Array.filter id |> Array.length) count
            Loss = Loss.ofHead head (Targets.Labels labels) sums |> Double.CreateTruncating
            Confusion = confusion
            Classes = [ 0 .. classes - 1 ] |> List.map (classFigures confusion)
            TopK = [
                for k in 1 .. min choice.TopK classes ->
                    share (ranks |> Array.filter (fun rank -> rank < k) |> Array.length) count
            ]
            Reliability = bins
            CalibrationError =
                match bins |> List.filter (fun bin -> bin.Count > 0) with
                | [] -> nan
                | filled ->
                    filled
                    |> List.sumBy (fun bin ->
                        share bin.Count count * abs (bin.Accuracy - bin.Confidence))
            Mistakes =
                [ 0 .. count - 1 ]
                |> List.filter (fun s -> not right[s])
                |> List.sortByDescending (fun s -> confidences[s])
                |> List.truncate choice.Mistakes
                |> List.map (fun s -> {
                    Sample = s
                    Expected = labels[s]
                    Predicted = said[s]
                    Confidence = confidences[s]
                    OfExpected = probabilities[s * classes + labels[s]]
                })
        }

    /// <summary>How well a network does on a data set: on classes, or on numbers where the head is
    /// Identity and the targets are columns.</summary>
    /// <param name="choice">How much to tell.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from, 1 or more.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size; or they are
    /// answers of yes and no, one by one, and no classes; or labels of a network with one output.</exception>
    [<CompiledName("Create")>]
    let create
        (choice: EvaluationChoice)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : Evaluation =
        let head = network.Architecture.Head
        let sums = Network.sumsOfAll network data

        match head, data.Targets with
        | Head.Identity, Targets.Columns _ ->
            Evaluation.Numbers {
                Samples = data.Count
                Loss = Loss.ofHead head data.Targets sums |> Double.CreateTruncating
                RootMeanSquaredError = Metrics.rootMeanSquaredError data.Targets sums
                Determination = Metrics.determination data.Targets sums
            }
        | Head.Sigmoid, Targets.Columns _ ->
            invalidArg (nameof data) "expected a class for each sample, found answers of yes and no"
        | _, Targets.Labels _ when sums.RowCount = 1 ->
            invalidArg (nameof data) "expected two classes or more, found one output"
        | _, Targets.Labels labels -> Evaluation.Classes(ofSums choice head labels sums)
        | _, Targets.Columns columns ->
            Evaluation.Classes(ofSums choice head (Targets.mostProbable columns) sums)
