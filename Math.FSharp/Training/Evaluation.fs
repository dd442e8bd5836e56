namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How well one class is distinguished from the others.
type ClassMetrics = {
    /// The class.
    Class: int
    /// Samples that are of it.
    Support: int
    /// Samples that are predicted as it.
    Predicted: int
    /// The fraction of the samples predicted as it that are of it; NaN where there are none.
    Precision: float
    /// The fraction of its samples that are predicted as it; NaN where there are none.
    Recall: float
    /// The harmonic mean of the two, 2·hits / (support + predicted); NaN where both are 0.
    F1: float
    /// The area under the ROC curve of this class against all others, by its probability; NaN where all samples
    /// are of it, or none.
    AreaUnderRoc: float
    /// The area under its precision-recall curve, as the average precision; NaN where no sample is of it.
    AveragePrecision: float
    /// What each threshold for its probability finds, from the highest to the lowest; none where no sample is of it.
    Thresholds: ThresholdPoint list
}

/// Samples with predictions of similar confidence.
type ReliabilityBin = {
    /// The lower bound of the confidence, 0 to 1.
    Lower: float
    /// The upper bound, which is the next bin's lower one.
    Upper: float
    /// How many samples.
    Count: int
    /// Their mean confidence; NaN where there are none.
    Confidence: float
    /// The fraction of them that is correct; NaN where there are none.
    Accuracy: float
}

/// A sample that is classified wrongly.
type Mistake = {
    /// Its index in the data set.
    Sample: int
    /// Its class.
    Expected: int
    /// The predicted class.
    Predicted: int
    /// The probability of the predicted class.
    Confidence: float
    /// The probability of its class.
    OfExpected: float
}

/// Figures of a classifier.
type ClassificationEvaluation = {
    /// How many samples.
    Samples: int
    /// The fraction of them that is classified correctly.
    Accuracy: float
    /// The mean loss of the head; for Softmax the negative log-likelihood, in nats.
    Loss: float
    /// The number of samples of a class (row) that are predicted as a class (column).
    Confusion: int[,]
    /// Every class, in order.
    Classes: ClassMetrics list
    /// The fraction of samples whose class is among the k most probable, for k = 1, 2, …
    TopK: float list
    /// Bins of equal width from 0 to 1; none where the head gives no probabilities.
    Reliability: ReliabilityBin list
    /// The mean distance of confidence and accuracy over the bins, weighted by their counts; NaN where there
    /// are no bins.
    CalibrationError: float
    /// The most confident ones first.
    Mistakes: Mistake list
    /// What the sets of classes cover; nothing for models without them.
    Coverage: CoverageFigures voption
} with

    /// The mean of a figure over the classes that have samples or predictions. NaN counts 0: the precision of a
    /// class that is never predicted, the recall of a class without samples.
    member private evaluation.Mean(figure: ClassMetrics -> float) =
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

    /// The mean precision of the classes that have samples or predictions; a class that is never predicted
    /// counts 0, as in scikit-learn (zero_division=0).
    member evaluation.MacroPrecision = evaluation.Mean _.Precision
    /// The mean recall of the classes that have samples or predictions; a class without samples counts 0.
    member evaluation.MacroRecall = evaluation.Mean _.Recall
    /// The mean F1 of the classes that have samples or predictions.
    member evaluation.MacroF1 = evaluation.Mean _.F1

    /// The mean recall of the classes that have samples.
    member evaluation.BalancedAccuracy =
        evaluation.Classes
        |> List.filter (fun figures -> figures.Support > 0)
        |> List.averageBy _.Recall

    /// The mean area under the ROC curve of the classes that have one; NaN if none has.
    member evaluation.MacroAreaUnderRoc =
        match
            evaluation.Classes
            |> List.map _.AreaUnderRoc
            |> List.filter (Double.IsNaN >> not)
        with
        | [] -> nan
        | areas -> List.average areas

    /// The figures of the class that most samples are of.
    member evaluation.MostFrequent = evaluation.Classes |> List.maxBy _.Support

    /// The accuracy of always answering the most frequent class.
    member evaluation.BaselineAccuracy =
        float evaluation.MostFrequent.Support / float evaluation.Samples

/// Figures of a network that predicts numbers.
type RegressionEvaluation = {
    /// How many samples.
    Samples: int
    /// The mean loss: half the squared error.
    Loss: float
    /// √ of the mean squared error, in the targets' unit.
    RootMeanSquaredError: float
    /// The mean absolute error, in the targets' unit.
    MeanAbsoluteError: float
    /// The root mean squared error of always answering the targets' mean: their standard deviation.
    BaselineError: float
    /// R²: the fraction of the targets' variance that is explained.
    RSquared: float
    /// The target and the prediction of each sample, output by output.
    Pairs: struct (float * float)[] list
    /// What the intervals cover; nothing for models without them.
    Coverage: CoverageFigures voption
}

/// How well a network predicts samples that it did not learn from.
[<RequireQualifiedAccess>]
type Evaluation =
    /// Of a classifier.
    | Classification of ClassificationEvaluation
    /// Of a network that predicts numbers.
    | Regression of RegressionEvaluation

/// How detailed an evaluation is.
type EvaluationOptions = {
    /// The greatest k of the top-k accuracies, 1 or more; at most the number of classes is used.
    TopK: int
    /// Bins of the reliability diagram, 1 or more.
    Bins: int
    /// The most mistakes to list, 0 or more.
    Mistakes: int
    /// When a class is answered; nothing for the most probable class.
    Decision: Decision voption
    /// The margins of sets or intervals; nothing for none.
    Conformal: Conformal voption
} with

    /// Top 5, 15 bins, 24 mistakes; the most probable class is answered, without sets or intervals.
    static member Default: EvaluationOptions = {
        TopK = 5
        Bins = 15
        Mistakes = 24
        Decision = ValueNone
        Conformal = ValueNone
    }

/// <summary>Figures of networks: confusion, precision and recall, top-k, calibration, the most confident
/// mistakes.</summary>
/// <remarks>Source: Guo et al., On calibration of modern neural networks, 2017, for the expected
/// calibration error.</remarks>
[<RequireQualifiedAccess>]
module Evaluation =
    /// The number of a sample's scores that rank before its class's: greater ones, and equal ones of lower
    /// classes.
    let private rank (scores: ReadOnlySpan<float>) (label: int) : int =
        let mutable before = 0

        for k in 0 .. scores.Length - 1 do
            if scores[k] > scores[label] || (scores[k] = scores[label] && k < label) then
                before <- before + 1

        before

    let private fraction (part: int) (whole: int) : float = float part / float whole

    let private classFigures
        (confusion: int[,])
        (labels: int[])
        (probabilities: float[])
        (k: int)
        : ClassMetrics =
        let classes = Array2D.length1 confusion
        let support = Seq.sum (seq { for other in 0 .. classes - 1 -> confusion[k, other] })

        let predicted =
            Seq.sum (seq { for other in 0 .. classes - 1 -> confusion[other, k] })

        let hits = confusion[k, k]
        let isOfClass = labels |> Array.map ((=) k)

        let scores = Array.init labels.Length (fun s -> probabilities[s * classes + k])

        let thresholds =
            if support = 0 || Array.exists Double.IsNaN scores then
                []
            else
                ThresholdCurve.points isOfClass scores

        {
            Class = k
            Support = support
            Predicted = predicted
            Precision = fraction hits predicted
            Recall = fraction hits support
            F1 = fraction (2 * hits) (support + predicted)
            AreaUnderRoc =
                if thresholds.IsEmpty then
                    nan
                else
                    ThresholdCurve.areaUnderRoc thresholds
            AveragePrecision =
                if thresholds.IsEmpty then
                    nan
                else
                    ThresholdCurve.averagePrecision thresholds
            Thresholds = thresholds
        }

    /// The bins of samples with these confidences.
    let private reliability (bins: int) (confidences: float[]) (correct: bool[]) =
        let indices =
            confidences
            |> Array.map (fun c -> Math.Clamp(int (c * float bins), 0, bins - 1))

        [
            for bin in 0 .. bins - 1 ->
                let own = [| 0 .. indices.Length - 1 |] |> Array.filter (fun s -> indices[s] = bin)

                let sum figure =
                    Array.fold (fun sum s -> sum + figure s) 0.0 own

                {
                    Lower = fraction bin bins
                    Upper = fraction (bin + 1) bins
                    Count = own.Length
                    Confidence = sum (fun s -> confidences[s]) / float own.Length
                    Accuracy = sum (fun s -> if correct[s] then 1.0 else 0.0) / float own.Length
                }
        ]

    /// <summary>The figures of a classifier's outputs.</summary>
    /// <param name="options">How detailed the figures are.</param>
    /// <param name="head">The network's head.</param>
    /// <param name="labels">The samples' classes.</param>
    /// <param name="logits">The last layer's outputs: (classes, samples).</param>
    /// <exception cref="T:System.ArgumentException">There are not as many labels as samples, or one is
    /// not a class.</exception>
    let internal ofLogits
        (options: EvaluationOptions)
        (head: Head)
        (labels: int[])
        (logits: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : ClassificationEvaluation =
        Targets.requireFit logits (Targets.Labels labels)
        let classes, count = logits.RowCount, labels.Length
        let scores = Kernels.values logits |> Array.map Double.CreateTruncating

        let probabilities =
            Kernels.values (Head.apply head logits) |> Array.map Double.CreateTruncating

        let predicted =
            match options.Decision with
            | ValueNone -> Targets.argMax logits
            | decision ->
                probabilities
                |> Array.chunkBySize classes
                |> Array.map (Decision.answer decision)

        let coverage =
            options.Conformal
            |> ValueOption.map (fun conformal ->
                probabilities
                |> Array.chunkBySize classes
                |> Conformal.ofSets options.Decision conformal labels)

        let correct = Array.map2 (=) predicted labels

        let confidences =
            predicted |> Array.mapi (fun s k -> probabilities[s * classes + k])

        let confusion = Array2D.zeroCreate classes classes

        Array.iter2 (fun label k -> confusion[label, k] <- confusion[label, k] + 1) labels predicted

        let ranks =
            labels
            |> Array.mapi (fun s label -> rank (ReadOnlySpan(scores, s * classes, classes)) label)

        let bins =
            match head with
            | Head.Identity -> []
            | _ -> reliability options.Bins confidences correct

        {
            Samples = count
            Accuracy = fraction (correct |> Array.filter id |> Array.length) count
            Loss = Loss.ofHead head (Targets.Labels labels) logits |> Double.CreateTruncating
            Confusion = confusion
            Classes = [ 0 .. classes - 1 ] |> List.map (classFigures confusion labels probabilities)
            TopK = [
                for k in 1 .. min options.TopK classes ->
                    fraction (ranks |> Array.filter (fun rank -> rank < k) |> Array.length) count
            ]
            Reliability = bins
            CalibrationError =
                match bins |> List.filter (fun bin -> bin.Count > 0) with
                | [] -> nan
                | filled ->
                    filled
                    |> List.sumBy (fun bin ->
                        fraction bin.Count count * abs (bin.Accuracy - bin.Confidence))
            Mistakes =
                [ 0 .. count - 1 ]
                |> List.filter (fun s -> not correct[s])
                |> List.sortByDescending (fun s -> confidences[s])
                |> List.truncate options.Mistakes
                |> List.map (fun s -> {
                    Sample = s
                    Expected = labels[s]
                    Predicted = predicted[s]
                    Confidence = confidences[s]
                    OfExpected = probabilities[s * classes + labels[s]]
                })
            Coverage = coverage
        }

    /// The figures of a network that predicts numbers.
    let private ofNumbers
        (options: EvaluationOptions)
        (columns: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (logits: Matrix<'T>)
        : RegressionEvaluation =
        let targets = Targets.Columns columns

        {
            Samples = columns.ColumnCount
            Loss = Loss.ofHead Head.Identity targets logits |> Double.CreateTruncating
            RootMeanSquaredError = Metrics.rootMeanSquaredError targets logits
            MeanAbsoluteError = Metrics.meanAbsoluteError targets logits
            BaselineError = Metrics.baselineError targets logits.RowCount
            RSquared = Metrics.rSquared targets logits
            Pairs = [
                for output in 0 .. logits.RowCount - 1 ->
                    Array.init columns.ColumnCount (fun s ->
                        struct (Double.CreateTruncating columns[output, s],
                                Double.CreateTruncating logits[output, s]))
            ]
            Coverage =
                options.Conformal
                |> ValueOption.map (fun conformal -> Conformal.ofIntervals conformal targets logits)
        }

    /// <summary>The figures of a network on a data set: those of numbers if the head is Identity and the
    /// targets are columns, otherwise those of classes.</summary>
    /// <param name="options">How detailed the figures are.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from, 1 or more.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size; or the
    /// targets are independent yes-or-no answers; or they are labels of a network with one output.</exception>
    [<CompiledName("Create")>]
    let create
        (options: EvaluationOptions)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : Evaluation =
        let head = network.Architecture.Head
        let logits = Network.sumsOfAll network data

        match head, data.Targets with
        | Head.Identity, Targets.Columns columns ->
            Evaluation.Regression(ofNumbers options columns logits)
        | Head.Sigmoid, Targets.Columns _ ->
            invalidArg (nameof data) "expected a class for each sample, found answers of yes and no"
        | _, Targets.Labels _ when logits.RowCount = 1 ->
            invalidArg (nameof data) "expected two classes or more, found one output"
        | _, Targets.Labels labels -> Evaluation.Classification(ofLogits options head labels logits)
        | _, Targets.Columns columns ->
            Evaluation.Classification(ofLogits options head (Targets.argMax columns) logits)
