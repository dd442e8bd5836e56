namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// <summary>How good predictions are, in figures that people know: accuracy for classes, root mean
/// squared error and R² for numbers.</summary>
[<RequireQualifiedAccess>]
module Metrics =
    /// How many of the columns have their greatest element where their target has it.
    let private greatestRight (targets: Targets<'T>) (sums: Matrix<'T>) : float =
        let expected =
            match targets with
            | Targets.Labels labels -> labels
            | Targets.Columns columns -> Targets.mostProbable columns

        Array.fold2 (fun n a b -> if a = b then n + 1 else n) 0 expected (Targets.mostProbable sums)
        |> float

    /// For every column, the share of its sums on the right side of 0; their sum.
    let private sidesRight
        (columns: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (sums: Matrix<'T>)
        : float =
        let half = 'T.CreateTruncating 0.5

        let right =
            Array.fold2
                (fun n t z ->
                    if 'T.op_GreaterThan (t, half) = 'T.op_GreaterThan (z, 'T.Zero) then
                        n + 1
                    else
                        n)
                0
                (Kernels.values columns)
                (Kernels.values sums)

        float right / float sums.RowCount

    /// <summary>How many samples a network is right about: where its greatest sum is its target's; of
    /// answers of yes and no (a head of Sigmoid without labels of several classes), the share of each
    /// sample's answers that are right counts. Not a number where there are no classes: a head of
    /// Identity without labels of several classes.</summary>
    /// <param name="head">What the sums stand for.</param>
    /// <param name="targets">One a sample.</param>
    /// <param name="sums">What the last layer gives: (outputs, batch).</param>
    /// <exception cref="T:System.ArgumentException">Targets and sums differ in shape.</exception>
    [<CompiledName("Right")>]
    let right (head: Head) (targets: Targets<'T>) (sums: Matrix<'T>) : float =
        let hasClasses =
            match targets with
            | Targets.Labels _ -> sums.RowCount > 1
            | Targets.Columns _ -> head = Head.Softmax

        if hasClasses then
            greatestRight targets sums
        else
            match head with
            | Head.Identity -> nan
            | _ -> sidesRight (Targets.columns sums.RowCount targets) sums

    /// <summary>√ of the mean squared difference, over all outputs of all samples.</summary>
    /// <param name="targets">t: labels (made one-hot) or columns.</param>
    /// <param name="predictions">y: (outputs, samples).</param>
    /// <returns>0 or greater, in the targets' unit.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("RootMeanSquaredError")>]
    let rootMeanSquaredError
        (targets: Targets<'T>)
        (predictions: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float =
        let columns = Targets.columns predictions.RowCount targets
        Kernels.requireSameShape (nameof predictions) columns predictions
        let t, y = Kernels.values columns, Kernels.values predictions

        let squares =
            Array.fold2
                (fun sum t y ->
                    let error = Double.CreateTruncating y - Double.CreateTruncating t
                    sum + error * error)
                0.0
                t
                y

        Math.Sqrt(squares / float t.Length)

    /// <summary>The coefficient of determination, R² = 1 − Σ(y − t)² / Σ(t − t̄)², where t̄ is each
    /// output's mean target: the share of the targets' variance that the predictions explain.</summary>
    /// <param name="targets">t: labels (made one-hot) or columns.</param>
    /// <param name="predictions">y: (outputs, samples).</param>
    /// <returns>1 where all are right, 0 for the means, less for worse; −∞ or not a number where the
    /// targets do not vary.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("Determination")>]
    let determination
        (targets: Targets<'T>)
        (predictions: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float =
        let columns = Targets.columns predictions.RowCount targets
        let error = rootMeanSquaredError targets predictions
        let rows, count = columns.RowCount, columns.ColumnCount
        let t = Kernels.values columns |> Array.map Double.CreateTruncating
        let mutable variation = 0.0

        for row in 0 .. rows - 1 do
            let own = Array.init count (fun s -> t[s * rows + row])
            let mean = Array.fold (+) 0.0 own / float count
            variation <- Array.fold (fun sum x -> sum + (x - mean) * (x - mean)) variation own

        1.0 - error * error * float t.Length / variation
