/// Targets.fs and Loss.fs: bounds, known values, and gradients held to their definition.
module Pipeline.Properties.LossLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private gradientOf targets logits : Matrix<'T> =
    let struct (_, gradient) = Loss.crossEntropyWithGradient targets logits
    gradient

[<Law>]
let ``squared error is zero only when prediction equals target`` (SameLength(target, prediction)) =
    (Loss.sumSquaredError target prediction = 0.0) = (target = prediction)

[<Law>]
let ``squared error is half the sum of squares, the same both ways``
    (SameLength(target, prediction))
    =
    let expected =
        Array.fold2
            (fun sum t y -> sum + (y - t) * (y - t) / 2.0)
            0.0
            (target.ToArray())
            (prediction.ToArray())

    [| Loss.sumSquaredError target prediction |]
    |> Approximately.equal 1e-14 [| expected |]

    Exactly.equal (Loss.sumSquaredError target prediction) (Loss.sumSquaredError prediction target)

    [|
        float (Loss.sumSquaredError (singleVector target) (singleVector prediction))
    |]
    |> Approximately.equal 1e-5 [| expected |]

[<Law>]
let ``the book's cross entropy is −Σ t·ln(y + 1e-7)`` (SoftTargets(distributions, logits)) =
    for s in 0 .. logits.ColumnCount - 1 do
        let t = distributions.Column s
        let y = (Softmax.apply logits).Column s

        let expected =
            Array.fold2
                (fun sum t y -> sum - t * Math.Log(y + 1e-7))
                0.0
                (t.ToArray())
                (y.ToArray())

        [| Loss.crossEntropyError t y |] |> Approximately.equal 1e-14 [| expected |]

        [| float (Loss.crossEntropyError (singleVector t) (singleVector y)) |]
        |> Approximately.equal 1e-5 [| expected |]

[<Law>]
let ``the book's cross entropy of a one-hot target lies between −1e-7 and 16.2``
    (LabelledLogits(labels, logits))
    =
    let t: Matrix<float> = Targets.oneHot logits.RowCount labels
    let y = Softmax.apply logits

    for s in 0 .. labels.Length - 1 do
        Assert.InRange(Loss.crossEntropyError (t.Column s) (y.Column s), -1.01e-7, 16.2)

[<Law>]
let ``the book's cross entropy never asks for the logarithm of a class of no share``
    (SameLength(target, _))
    =
    // y + 1e-7 below 0 has none; where t is 0 it does not matter.
    let y = Vector<float>.Build.Dense(target.Count, -1.0)
    Exactly.equal 0.0 (Loss.crossEntropyError (target * 0.0) y)

[<Law>]
let ``a batch's loss is the mean of its samples'`` (SoftTargets(distributions, logits)) =
    for loss in [ Loss.sumSquaredError; Loss.crossEntropyError ] do
        let y = Softmax.apply logits

        let expected =
            List.average [
                for s in 0 .. logits.ColumnCount - 1 -> loss (distributions.Column s) (y.Column s)
            ]

        [| Loss.ofBatch loss (Targets.Columns distributions) y |]
        |> Approximately.equal 1e-14 [| expected |]

[<Law>]
let ``labels are one-hot columns in every loss`` (LabelledLogits(labels, logits)) =
    let oneHot = Targets.Columns(Targets.oneHot logits.RowCount labels)
    let labels = Targets.Labels labels
    let y = Softmax.apply logits

    for loss in [ Loss.sumSquaredError; Loss.crossEntropyError ] do
        Exactly.equal (Loss.ofBatch loss oneHot y) (Loss.ofBatch loss labels y)

    Exactly.equal (Loss.crossEntropy oneHot logits) (Loss.crossEntropy labels logits)
    Exactly.bits (cells (gradientOf oneHot logits)) (cells (gradientOf labels logits))

[<Law>]
let ``one-hot columns hold a single 1, at the label`` (Classed(classes, labels)) =
    if labels.Length > 0 then
        let columns: Matrix<float> = Targets.oneHot classes labels
        Exactly.equal classes columns.RowCount
        Exactly.equal labels.Length columns.ColumnCount

        for s in 0 .. labels.Length - 1 do
            for k in 0 .. classes - 1 do
                Exactly.equal (if k = labels[s] then 1.0 else 0.0) columns[k, s]

        Exactly.equal labels (Network.classify columns)
        Exactly.equal labels.Length (Targets.count (Targets.Columns columns))

[<Law>]
let ``cross entropy is the plain one, from logits`` (SoftTargets(distributions, logits)) =
    let expected =
        List.map2 Reference.crossEntropy (columns distributions) (columns logits)
        |> List.average

    [| Loss.crossEntropy (Targets.Columns distributions) logits |]
    |> Approximately.equal 1e-14 [| expected |]

    [|
        float (Loss.crossEntropy (Targets.Columns(single distributions)) (single logits))
    |]
    |> Approximately.equal 1e-5 [| expected |]

[<Law>]
let ``cross entropy of labels is 0 or greater, and at most the widest gap of logits plus ln k``
    (LabelledLogits(labels, logits))
    =
    let widest =
        columns logits |> List.map (fun z -> Array.max z - Array.min z) |> List.max

    Assert.InRange(
        Loss.crossEntropy (Targets.Labels labels) logits,
        0.0,
        widest + Math.Log(float logits.RowCount) + 1e-12
    )

[<Law>]
let ``cross entropy is never below the targets' own entropy`` (SoftTargets(distributions, logits)) =
    let entropy =
        columns distributions
        |> List.averageBy (Array.sumBy (fun t -> if t = 0.0 then 0.0 else -t * Math.Log t))

    Loss.crossEntropy (Targets.Columns distributions) logits >= entropy - 1e-14

[<Law>]
let ``cross entropy of equal logits is ln k`` (LabelledLogits(labels, logits)) (level: int) =
    let equal = logits.Map(fun _ -> float level)

    [| Loss.crossEntropy (Targets.Labels labels) equal |]
    |> Approximately.equal 1e-15 [| Math.Log(float logits.RowCount) |]

[<Law>]
let ``every loss of a head keeps the laws of one`` () =
    let softmax t z =
        Loss.ofHeadWithGradient Head.Softmax (Targets.Columns t) z

    let sigmoid t z =
        Loss.ofHeadWithGradient Head.Sigmoid (Targets.Columns t) z

    let identity t y =
        Loss.ofHeadWithGradient Head.Identity (Targets.Columns t) y

    Law.Together [
        yield! LossLaw.All(TargetKind.Distributions, softmax)
        // Targets of any mass too, which logits have no reason to be near.
        LossLaw.GradientIsDefinition(TargetKind.Numbers, softmax)
        LossLaw.IsPure(TargetKind.Numbers, softmax)
        LossLaw.IsMeanOverBatch(TargetKind.Numbers, softmax)
        LossLaw.IsNonNegative(TargetKind.Distributions, softmax)
        LossLaw.IgnoresShift(TargetKind.Distributions, softmax)
        LossLaw.IgnoresOrderOfOutputs(TargetKind.Distributions, softmax)
        yield! LossLaw.All(TargetKind.Shares, sigmoid)
        LossLaw.IsNonNegative(TargetKind.Shares, sigmoid)
        LossLaw.IgnoresOrderOfOutputs(TargetKind.Shares, sigmoid)
        yield! LossLaw.All(TargetKind.Numbers, identity)
        LossLaw.IsZeroAtTargetAlone(TargetKind.Numbers, identity)
        LossLaw.IgnoresOrderOfOutputs(TargetKind.Numbers, identity)
    ]

[<Law>]
let ``cross entropy's gradient is (softmax − target) / n, its columns sum to 0``
    (SoftTargets(distributions, logits))
    =
    let gradient = gradientOf (Targets.Columns distributions) logits

    cells gradient
    |> Approximately.equal
        1e-15
        (cells ((Softmax.apply logits - distributions) / float logits.ColumnCount))

    for column in columns gradient do
        [| Array.sum column |] |> Approximately.equal 1e-15 [| 0.0 |]

    gradientOf (Targets.Columns(single distributions)) (single logits)
    |> cells
    |> Array.map float
    |> Approximately.equal 1e-6 (cells gradient)

[<Fact>]
let ``cross entropy stays exact where softmax underflows`` () =
    let logits: Matrix<float> = Matrix<float>.Build.Dense(3, 1, [| 1e4; -1e4; 0.0 |])

    for label, expected in [ 0, 0.0; 1, 2e4; 2, 1e4 ] do
        let targets = Targets.Labels [| label |]
        Exactly.equal expected (Loss.crossEntropy targets logits)

        Exactly.equal
            (float32 expected)
            (Loss.crossEntropy (Targets.Labels [| label |]) (single logits))

        // The slope does not die where the network is confidently wrong.
        if label = 1 then
            Exactly.bits [| 1.0; -1.0; 0.0 |] (cells (gradientOf targets logits))

[<Fact>]
let ``a loss that is no number says so`` () =
    let logits: Matrix<float> =
        Matrix<float>.Build.Dense(2, 2, [| 1.0; nan; 0.0; 1.0 |])

    Assert.True(Double.IsNaN(Loss.crossEntropy (Targets.Labels [| 0; 1 |]) logits))
    let logits: Matrix<float> = Matrix<float>.Build.Dense(2, 1, [| infinity; 0.0 |])
    Assert.True(Double.IsNaN(Loss.crossEntropy (Targets.Labels [| 0 |]) logits))

[<Fact>]
let ``targets that do not fit are refused`` () =
    let m rows columns : Matrix<float> =
        Matrix<float>.Build.Dense(rows, columns)

    let v length : Vector<float> = Vector<float>.Build.Dense(length: int)
    Exactly.refused [ "2"; "3" ] (fun () -> Loss.sumSquaredError (v 2) (v 3))
    Exactly.refused [ "2"; "3" ] (fun () -> Loss.crossEntropyError (v 2) (v 3))

    for label in [ -1; 3 ] do
        Exactly.refused [ "0 to 2"; $"{label}" ] (fun () ->
            Loss.crossEntropy (Targets.Labels [| label |]) (m 3 1))

    Exactly.refused [ "2 labels"; "(3, 1)" ] (fun () ->
        Loss.crossEntropy (Targets.Labels [| 0; 1 |]) (m 3 1))

    Exactly.refused [ "(2, 1)"; "(3, 1)" ] (fun () ->
        Loss.crossEntropy (Targets.Columns(m 2 1)) (m 3 1))

    Exactly.refused [ "2"; "1" ] (fun () ->
        Loss.ofBatch Loss.sumSquaredError (Targets.Labels [| 0; 1 |]) (m 3 1))

[<Law>]
let ``smoothing shares out a part of every target, and keeps its sum``
    (SoftTargets(columns, z))
    (Fraction epsilon)
    =
    let classes = columns.RowCount
    // Targets need not sum to 1: a sample may belong to several classes.
    let sum s = float (s + 1) / 2.0
    let columns = columns.MapIndexed(fun _ s t -> sum s * t)

    let smoothed =
        Targets.smooth epsilon classes (Targets.Columns columns)
        |> Targets.columns classes

    for s in 0 .. columns.ColumnCount - 1 do
        for k in 0 .. classes - 1 do
            [| smoothed[k, s] |]
            |> Approximately.equal 1e-14 [|
                (1.0 - epsilon) * columns[k, s] + epsilon * sum s / float classes
            |]

        [| (smoothed.Column s).Sum() |] |> Approximately.equal 1e-14 [| sum s |]

    // The loss is the mean of the two losses, so weighted.
    let even = columns.MapIndexed(fun _ s _ -> sum s / float classes)

    let loss (targets: Matrix<float>) =
        Loss.crossEntropy (Targets.Columns targets) z

    [| loss smoothed |]
    |> Approximately.equal 1e-13 [| (1.0 - epsilon) * loss columns + epsilon * loss even |]

    Exactly.bits
        (columns.ToColumnMajorArray())
        ((Targets.smooth 0.0 classes (Targets.Columns columns) |> Targets.columns classes)
            .ToColumnMajorArray())

[<Fact>]
let ``smoothed labels are PyTorch's`` () =
    let found: Matrix<float> =
        Targets.smooth 0.1 4 (Targets.Labels [| 2; 0 |]) |> Targets.columns 4

    found.ToColumnMajorArray()
    |> Approximately.equal 1e-15 [| 0.025; 0.025; 0.925; 0.025; 0.925; 0.025; 0.025; 0.025 |]

    for epsilon in [ -0.1; 1.1; nan ] do
        Exactly.refused [ "epsilon" ] (fun () ->
            (Targets.smooth epsilon 4 (Targets.Labels [| 0 |]): Targets<float>))

[<Fact>]
let ``binary cross entropy refuses targets that are no probability`` () =
    let logits = Kernels.matrix 1 2 [| 10.0; -3.0 |]

    for labels in [ [| 0; 2 |]; [| -1; 1 |] ] do
        Exactly.refused [ "0 to 1" ] (fun () ->
            Loss.ofHead Head.Sigmoid (Targets.Labels labels) logits)

    Exactly.refused [ "0 to 1"; "1.5" ] (fun () ->
        Loss.ofHeadWithGradient
            Head.Sigmoid
            (Targets.Columns(Kernels.matrix 1 2 [| 0.5; 1.5 |]))
            logits)
