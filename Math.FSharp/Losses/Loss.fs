namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// x / n.
[<Struct>]
type internal DivideOp<'T> = {
    Divisor: 'T
} with

    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) = 'L.Divide(x, 'L.Create op.Divisor)

/// <summary>How far a network's predictions are from their targets.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, for the two forms of the book.</remarks>
[<RequireQualifiedAccess>]
module Loss =
    /// ln of a number of either precision: computed in double, then rounded.
    let private log (x: 'T :> IBinaryFloatingPointIeee754<'T>) : 'T =
        'T.CreateTruncating(ScalarMath.Log(Double.CreateTruncating x))

    let private requireSameLength (target: Vector<'T>) (prediction: Vector<'T>) : unit =
        if target.Count <> prediction.Count then
            invalidArg
                (nameof prediction)
                (invariant
                    $"expected as many elements as the target's {target.Count}, found {prediction.Count}")

    /// <summary>Half the sum of squared errors of one sample: ½ Σₖ (yₖ − tₖ)².</summary>
    /// <param name="target">t, one element a class.</param>
    /// <param name="prediction">y, as long as t.</param>
    /// <returns>0 or greater; 0 only where y = t.</returns>
    /// <exception cref="T:System.ArgumentException">The lengths differ.</exception>
    [<CompiledName("SumSquaredError")>]
    let sumSquaredError
        (target: Vector<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (prediction: Vector<'T>)
        : 'T =
        requireSameLength target prediction
        let mutable sum = 'T.Zero

        for k in 0 .. target.Count - 1 do
            let error = prediction[k] - target[k]
            sum <- 'T.FusedMultiplyAdd(error, error, sum)

        sum / ('T.One + 'T.One)

    /// <summary>The book's cross entropy of one sample: −Σₖ tₖ ln(yₖ + 10⁻⁷).</summary>
    /// <param name="target">t, one element a class.</param>
    /// <param name="prediction">y, probabilities, as long as t.</param>
    /// <returns>−10⁻⁷ or greater: the 10⁻⁷, which keeps ln 0 away, takes it just below 0 at y = t.</returns>
    /// <exception cref="T:System.ArgumentException">The lengths differ.</exception>
    /// <remarks>Train with <c>crossEntropy</c> instead: the gradient of this loss vanishes where the network is
    /// confidently wrong.</remarks>
    [<CompiledName("CrossEntropyError")>]
    let crossEntropyError
        (target: Vector<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (prediction: Vector<'T>)
        : 'T =
        requireSameLength target prediction
        let delta = 'T.CreateTruncating 1e-7
        let mutable sum = 'T.Zero

        for k in 0 .. target.Count - 1 do
            // 0·ln(…) is 0: most elements of a one-hot target need no logarithm.
            if not ('T.IsZero target[k]) then
                sum <- 'T.FusedMultiplyAdd(-target[k], log (prediction[k] + delta), sum)

        sum

    /// <summary>The mean over a batch of a loss of one sample.</summary>
    /// <param name="loss">The loss of one sample, from its target and its prediction:
    /// for example <c>sumSquaredError</c> or <c>crossEntropyError</c>.</param>
    /// <param name="targets">Labels (made one-hot) or columns.</param>
    /// <param name="predictions">(classes, batch), a sample a column.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many targets as predictions, or a
    /// label is not a class (of a single row, any label is a target).</exception>
    [<CompiledName("OfBatch")>]
    let ofBatch
        (loss: Vector<'T> -> Vector<'T> -> 'T when 'T :> IBinaryFloatingPointIeee754<'T>)
        (targets: Targets<'T>)
        (predictions: Matrix<'T>)
        : 'T =
        let columns = Targets.columns predictions.RowCount targets

        if columns.ColumnCount <> predictions.ColumnCount then
            invalidArg
                (nameof predictions)
                (invariant
                    $"expected as many columns as the {columns.ColumnCount} targets, found {predictions.ColumnCount}")

        let mutable sum = 'T.Zero

        for s in 0 .. predictions.ColumnCount - 1 do
            sum <- sum + loss (columns.Column s) (predictions.Column s)

        sum / 'T.CreateTruncating predictions.ColumnCount

    /// The mean cross entropy, and softmax of the logits.
    let private crossEntropyParts
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        Targets.requireFit logits targets
        let rows = logits.RowCount
        let z = Kernels.values logits
        let struct (softmax, greatest, sums) = Softmax.parts logits
        let mutable loss = 'T.Zero

        match targets with
        | Targets.Labels labels ->
            for s in 0 .. sums.Length - 1 do
                loss <- loss + (log sums[s] - (z[s * rows + labels[s]] - greatest[s]))
        | Targets.Columns columns ->
            let t = Kernels.values columns

            for s in 0 .. sums.Length - 1 do
                let logSum = log sums[s]
                let mutable sample = 'T.Zero

                for i in s * rows .. s * rows + rows - 1 do
                    if not ('T.IsZero t[i]) then
                        sample <- 'T.FusedMultiplyAdd(t[i], logSum - (z[i] - greatest[s]), sample)

                loss <- loss + sample

        struct (loss / 'T.CreateTruncating sums.Length, softmax)

    /// <summary>Cross entropy from logits, the mean over a batch: (1/n) Σₛ Σₖ tₖ (ln Σⱼ e^(zⱼ) − zₖ),
    /// and its gradient in the logits, (softmax(z)·Σₖ tₖ − t) / n.</summary>
    /// <param name="targets">t: n labels, or columns (classes, n).</param>
    /// <param name="logits">z: (classes, n), what the last layer gives before softmax.</param>
    /// <returns>The loss, 0 or greater where t is, and the gradient: (classes, n).</returns>
    /// <exception cref="T:System.ArgumentException">Targets and logits differ in shape, or a label is
    /// not a class.</exception>
    /// <remarks>Unlike the book's form it needs no 10⁻⁷: the logarithm of the sum of exponentials is
    /// finite for finite logits.</remarks>
    [<CompiledName("CrossEntropyWithGradient")>]
    let crossEntropyWithGradient
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        let struct (loss, softmax) = crossEntropyParts targets logits
        let rows = logits.RowCount
        // A new array, which becomes the gradient.
        let gradient = Kernels.values softmax

        match targets with
        | Targets.Labels labels ->
            for s in 0 .. labels.Length - 1 do
                let own = s * rows + labels[s]
                gradient[own] <- gradient[own] - 'T.One
        | Targets.Columns columns ->
            let t = Kernels.values columns
            let masses = Kernels.columnSums columns

            for s in 0 .. masses.Length - 1 do
                for i in s * rows .. s * rows + rows - 1 do
                    gradient[i] <- gradient[i] * masses[s] - t[i]

        let op: DivideOp<'T> = {
            Divisor = 'T.CreateTruncating logits.ColumnCount
        }

        Kernels.mapInto gradient op gradient
        struct (loss, softmax)

    /// <summary>Cross entropy from logits, the mean over a batch:
    /// (1/n) Σₛ Σₖ tₖ (ln Σⱼ e^(zⱼ) − zₖ).</summary>
    /// <param name="targets">t: n labels, or columns (classes, n).</param>
    /// <param name="logits">z: (classes, n), what the last layer gives before softmax.</param>
    /// <returns>The loss in nats, 0 or greater where t is.</returns>
    /// <exception cref="T:System.ArgumentException">Targets and logits differ in shape, or a label is
    /// not a class.</exception>
    /// <remarks>Unlike the book's form it needs no 10⁻⁷: the logarithm of the sum of exponentials is
    /// finite for finite logits. Source: Deep Learning from Scratch, ch. 4.</remarks>
    [<CompiledName("CrossEntropy")>]
    let crossEntropy (targets: Targets<'T>) (logits: Matrix<'T>) : 'T =
        let struct (loss, _) = crossEntropyParts targets logits
        loss

    /// The targets as columns of the outputs' shape.
    let private columnsFor (outputs: Matrix<'T>) (targets: Targets<'T>) : Matrix<'T> =
        let columns = Targets.columns outputs.RowCount targets
        Kernels.requireSameShape (nameof outputs) columns outputs
        columns

    /// The numbers of samples, each times its sample's weight.
    let private weigh
        (weights: 'T[] voption)
        (rows: int)
        (values: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        : 'T[] =
        match weights with
        | ValueNone -> values
        | ValueSome weights -> values |> Array.mapi (fun i value -> value * weights[i / rows])

    /// The squared error of samples with weights, and its gradient.
    let private squaredErrorOf
        (weights: 'T[] voption)
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (outputs: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        let t, y = Kernels.values (columnsFor outputs targets), Kernels.values outputs
        let n = 'T.CreateTruncating outputs.ColumnCount
        let errors = Array.map2 (fun y t -> y - t) y t
        let weighted = weigh weights outputs.RowCount errors

        let squares =
            Array.fold2 (fun sum e w -> 'T.FusedMultiplyAdd(e, w, sum)) 'T.Zero errors weighted

        struct (squares / (n + n),
                weighted
                |> Array.map (fun error -> error / n)
                |> Kernels.matrix outputs.RowCount outputs.ColumnCount)

    /// <summary>Half the sum of squared errors, the mean over a batch: (1/n) Σₛ ½ Σₖ (yₖ − tₖ)², and its
    /// gradient in the outputs, (y − t) / n.</summary>
    /// <param name="targets">t: n labels (made one-hot; of a single output, the labels themselves), or
    /// columns (outputs, n).</param>
    /// <param name="outputs">y: (outputs, n).</param>
    /// <returns>The loss, 0 or greater, and the gradient: (outputs, n).</returns>
    /// <exception cref="T:System.ArgumentException">Targets and outputs differ in shape, or a label is not
    /// a class (of a single output, any label is a target).</exception>
    [<CompiledName("SquaredErrorWithGradient")>]
    let squaredErrorWithGradient
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (outputs: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        squaredErrorOf ValueNone targets outputs

    /// The binary cross entropy of samples with weights, and its gradient.
    let private binaryCrossEntropyOf
        (weights: 'T[] voption)
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        let t, z = Kernels.values (columnsFor logits targets), Kernels.values logits
        let n = 'T.CreateTruncating logits.ColumnCount

        for target in t do
            if 'T.op_LessThan (target, 'T.Zero) || 'T.op_GreaterThan (target, 'T.One) then
                invalidArg
                    (nameof targets)
                    (invariant
                        $"expected targets of 0 to 1, as of yes-or-no answers, found {target}")

        let away =
            z
            |> Array.map (fun z -> -('T.Abs z))
            |> Kernels.matrix logits.RowCount logits.ColumnCount

        let rests = Kernels.values (Activation.apply Activation.Softplus away)

        let losses =
            Array.init z.Length (fun i ->
                // NaN stays NaN.
                let positive = if 'T.op_LessThan (z[i], 'T.Zero) then 'T.Zero else z[i]
                positive - z[i] * t[i] + rests[i])
            |> weigh weights logits.RowCount

        struct (Array.fold (+) 'T.Zero losses / n,
                Kernels.values (Activation.apply Activation.Sigmoid logits)
                |> Array.map2 (fun t y -> y - t) t
                |> weigh weights logits.RowCount
                |> Array.map (fun slope -> slope / n)
                |> Kernels.matrix logits.RowCount logits.ColumnCount)

    /// <summary>Binary cross entropy from logits, the mean over a batch of the sum over outputs:
    /// −(1/n) Σₛ Σₖ (tₖ ln σ(zₖ) + (1 − tₖ) ln(1 − σ(zₖ))), and its gradient in the logits,
    /// (σ(z) − t) / n.</summary>
    /// <param name="targets">t, 0 to 1: n labels (made one-hot; of a single output, the labels
    /// themselves), or columns (outputs, n).</param>
    /// <param name="logits">z: (outputs, n).</param>
    /// <returns>The loss in nats, 0 or greater, and the gradient: (outputs, n).</returns>
    /// <exception cref="T:System.ArgumentException">Targets and logits differ in shape, or a label is not
    /// a class (of a single output, any label is a target).</exception>
    /// <remarks>Computed as Σ max(z, 0) − zt + ln(1 + e^(−|z|)), finite for finite logits. PyTorch's
    /// BCEWithLogitsLoss takes the mean over outputs as well.</remarks>
    [<CompiledName("BinaryCrossEntropyWithGradient")>]
    let binaryCrossEntropyWithGradient
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        binaryCrossEntropyOf ValueNone targets logits

    /// `ofHeadWithGradient` of samples with weights.
    let private weightedWithGradient
        (weights: 'T[] voption)
        (head: Head)
        (targets: Targets<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        match head with
        | Head.Softmax when weights.IsNone -> crossEntropyWithGradient targets logits
        | Head.Softmax ->
            let columns = Targets.columns logits.RowCount targets

            let weighted =
                Kernels.values columns
                |> weigh weights columns.RowCount
                |> Kernels.matrix columns.RowCount columns.ColumnCount

            crossEntropyWithGradient (Targets.Columns weighted) logits
        | Head.Sigmoid -> binaryCrossEntropyOf weights targets logits
        | Head.Identity -> squaredErrorOf weights targets logits

    /// <summary>The loss that fits a head, the mean over a batch, and its gradient in the last layer's
    /// logits: cross entropy, binary cross entropy or half the squared error.</summary>
    /// <param name="head">The head.</param>
    /// <param name="targets">n labels, or columns (outputs, n).</param>
    /// <param name="logits">(outputs, n).</param>
    /// <returns>The loss and the gradient: (outputs, n).</returns>
    /// <exception cref="T:System.ArgumentException">Targets and logits differ in shape, or a label is not a
    /// class (of a single output that is no softmax, any label is a target).</exception>
    [<CompiledName("OfHeadWithGradient")>]
    let ofHeadWithGradient
        (head: Head)
        (targets: Targets<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        weightedWithGradient ValueNone head targets logits

    /// <summary>The loss that fits a head, the mean over a batch: cross entropy, binary cross entropy or
    /// half the squared error.</summary>
    /// <param name="head">The head.</param>
    /// <param name="targets">n labels, or columns (outputs, n).</param>
    /// <param name="logits">The last layer's outputs before the head: (outputs, n).</param>
    /// <returns>The loss, the same as of <c>ofHeadWithGradient</c>.</returns>
    /// <exception cref="T:System.ArgumentException">Targets and logits differ in shape, or a label is not a
    /// class (of a single output that is no softmax, any label is a target).</exception>
    [<CompiledName("OfHead")>]
    let ofHead (head: Head) (targets: Targets<'T>) (logits: Matrix<'T>) : 'T =
        match head with
        | Head.Softmax -> crossEntropy targets logits
        | _ ->
            let struct (loss, _) = ofHeadWithGradient head targets logits
            loss

    /// The loss of a mini-batch with its weights, and the gradient in the logits.
    let internal ofSamplesWithGradient
        (head: Head)
        (batch: MiniBatch<'T>)
        (logits: Matrix<'T>)
        : struct ('T * Matrix<'T>) =
        weightedWithGradient batch.Weights head batch.Targets logits

    /// The loss of a mini-batch with its weights.
    let internal ofSamples (head: Head) (batch: MiniBatch<'T>) (logits: Matrix<'T>) : 'T =
        match batch.Weights with
        | ValueNone -> ofHead head batch.Targets logits
        | ValueSome _ ->
            let struct (loss, _) = ofSamplesWithGradient head batch logits
            loss
