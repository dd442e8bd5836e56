namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// <summary>Figures of predictions: correct answers for classes, root mean squared error and R² for
/// numbers.</summary>
[<RequireQualifiedAccess>]
module Metrics =
    /// The number of columns whose greatest element is in the row of their target's; a column with an element that is
    /// not a number has no greatest.
    let private correctClasses
        (targets: Targets<'T>)
        (logits: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float =
        let expected =
            match targets with
            | Targets.Labels labels -> labels
            | Targets.Columns columns -> Targets.argMax columns

        let values, rows = Kernels.values logits, logits.RowCount

        let isNumber (column: int) =
            Array.sub values (column * rows) rows |> Array.exists 'T.IsNaN |> not

        let answers =
            if Array.exists 'T.IsNaN values then
                Targets.argMax logits
                |> Array.mapi (fun column row -> if isNumber column then row else -1)
            else
                Targets.argMax logits

        Array.fold2 (fun n a b -> if a = b then n + 1 else n) 0 expected answers
        |> float

    /// The sum over the columns of the fraction of logits whose sign agrees with the target; what is not a number has
    /// none.
    let private correctAnswers
        (columns: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (logits: Matrix<'T>)
        : float =
        let half = 'T.CreateTruncating 0.5

        let correct =
            Array.fold2
                (fun n t z ->
                    if
                        not ('T.IsNaN z)
                        && 'T.op_GreaterThan (t, half) = 'T.op_GreaterThan (z, 'T.Zero)
                    then
                        n + 1
                    else
                        n)
                0
                (Kernels.values columns)
                (Kernels.values logits)

        float correct / float logits.RowCount

    /// <summary>The number of samples that are classified correctly: whose greatest logit is the target's.
    /// A sample of independent yes-or-no answers (a Sigmoid head without labels of several classes) counts
    /// with the fraction of its answers that are correct. NaN for numbers to predict (an Identity head
    /// without labels of several classes).</summary>
    /// <param name="head">The network's head.</param>
    /// <param name="targets">One a sample.</param>
    /// <param name="logits">The last layer's outputs before the head: (outputs, batch).</param>
    /// <exception cref="T:System.ArgumentException">Targets and logits differ in shape.</exception>
    let internal correct (head: Head) (targets: Targets<'T>) (logits: Matrix<'T>) : float =
        let hasClasses =
            match targets with
            | Targets.Labels _ -> logits.RowCount > 1
            | Targets.Columns _ -> head = Head.Softmax

        if hasClasses then
            correctClasses targets logits
        else
            match head with
            | Head.Identity -> nan
            | _ -> correctAnswers (Targets.columns logits.RowCount targets) logits

    /// The mean of a function of y − t over all outputs of all samples.
    let private meanOfErrors
        (f: float -> float)
        (targets: Targets<'T>)
        (predictions: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float =
        let columns = Targets.columns predictions.RowCount targets
        Kernels.requireSameShape (nameof predictions) columns predictions
        let t, y = Kernels.values columns, Kernels.values predictions

        let sum =
            Array.fold2
                (fun sum t y -> sum + f (Double.CreateTruncating y - Double.CreateTruncating t))
                0.0
                t
                y

        sum / float t.Length

    /// <summary>√ of the mean squared difference, over all outputs of all samples.</summary>
    /// <param name="targets">t: labels (made one-hot) or columns.</param>
    /// <param name="predictions">y: (outputs, samples).</param>
    /// <returns>0 or greater, in the targets' unit.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("RootMeanSquaredError")>]
    let rootMeanSquaredError (targets: Targets<'T>) (predictions: Matrix<'T>) : float =
        meanOfErrors (fun error -> error * error) targets predictions |> Math.Sqrt

    /// Σ(t − t̄)² over all outputs of all samples, where t̄ is each output's mean target.
    let private variation (columns: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : float =
        let rows, count = columns.RowCount, columns.ColumnCount
        let t = Kernels.values columns |> Array.map Double.CreateTruncating
        let mutable variation = 0.0

        for row in 0 .. rows - 1 do
            let own = Array.init count (fun s -> t[s * rows + row])
            let mean = Array.fold (+) 0.0 own / float count
            variation <- Array.fold (fun sum x -> sum + (x - mean) * (x - mean)) variation own

        variation

    /// <summary>The root mean squared error of always predicting each output's mean target.</summary>
    /// <param name="targets">t: labels (made one-hot) or columns.</param>
    /// <param name="outputs">The number of outputs.</param>
    /// <returns>0 or greater, in the targets' unit.</returns>
    [<CompiledName("BaselineError")>]
    let baselineError (targets: Targets<'T>) (outputs: int) : float =
        let columns = Targets.columns outputs targets
        Math.Sqrt(variation columns / float (columns.RowCount * columns.ColumnCount))

    /// <summary>The coefficient of determination, R² = 1 − Σ(y − t)² / Σ(t − t̄)², where t̄ is each
    /// output's mean target: the fraction of the targets' variance that the predictions explain.</summary>
    /// <param name="targets">t: labels (made one-hot) or columns.</param>
    /// <param name="predictions">y: (outputs, samples).</param>
    /// <returns>1 for perfect predictions, 0 for the mean targets, less for worse ones; −∞ or NaN where the
    /// targets do not vary.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("RSquared")>]
    let rSquared
        (targets: Targets<'T>)
        (predictions: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float =
        let columns = Targets.columns predictions.RowCount targets
        let error = rootMeanSquaredError targets predictions
        let count = columns.RowCount * columns.ColumnCount
        1.0 - error * error * float count / variation columns

    /// <summary>The mean absolute difference, over all outputs of all samples.</summary>
    /// <param name="targets">t: labels (made one-hot) or columns.</param>
    /// <param name="predictions">y: (outputs, samples).</param>
    /// <returns>0 or greater, in the targets' unit.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("MeanAbsoluteError")>]
    let meanAbsoluteError (targets: Targets<'T>) (predictions: Matrix<'T>) : float =
        meanOfErrors abs targets predictions

    /// <summary>The area under the ROC curve: the probability that a positive sample has a greater score than a
    /// negative one, equal scores counting half.</summary>
    /// <param name="isPositive">Whether each sample is positive.</param>
    /// <param name="scores">A score for each sample.</param>
    /// <returns>1 if all positive samples come first, 0.5 for scores without meaning; NaN if there is no positive or
    /// no negative sample, or a score is NaN.</returns>
    /// <exception cref="T:System.ArgumentException">The lengths differ.</exception>
    [<CompiledName("AreaUnderRoc")>]
    let areaUnderRoc (isPositive: bool[]) (scores: float[]) : float =
        if isPositive.Length <> scores.Length then
            invalidArg
                (nameof scores)
                (invariant
                    $"expected as many scores as the {isPositive.Length} samples, found {scores.Length}")

        let hasBoth = Array.contains true isPositive && Array.contains false isPositive

        if not hasBoth || Array.exists Double.IsNaN scores then
            nan
        else
            ThresholdCurve.points isPositive scores |> ThresholdCurve.areaUnderRoc
