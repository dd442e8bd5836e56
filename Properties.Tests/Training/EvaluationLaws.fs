/// Evaluation.fs: every figure is its definition, counted a second time over plain lists.
module Pipeline.Properties.EvaluationLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private all = {
    EvaluationOptions.Default with
        TopK = 9
        Mistakes = 99
}

/// Samples of up to 40 with their labels: the columns of a few, over and over, moved a little.
let private many (labels: int[]) (logits: Matrix<float>) (seed: uint64) =
    let count = 10 * labels.Length

    let shift =
        Array.init (count * logits.RowCount) (fun i ->
            8.0 * RandomNumbers.uniform seed RandomStream.GradientCheck 0L i)

    Array.init count (fun s -> labels[s % labels.Length]),
    Matrix<float>
        .Build.Dense(
            logits.RowCount,
            count,
            fun k s -> logits[k, s % labels.Length] / 4.0 + shift[s * logits.RowCount + k]
        )

/// What the definition says of a sample: its class, the answer, every probability.
let private samples (labels: int[]) (logits: Matrix<float>) =
    List.zip (List.ofArray labels) (columns logits)
    |> List.map (fun (label, z) ->
        let y = Reference.softmax z
        label, List.findIndex ((=) (Array.max z)) (List.ofArray z), y)

let private evaluated (labels: int[]) (logits: Matrix<float>) =
    Evaluation.ofLogits all Head.Softmax labels logits

let private count predicate items =
    items |> List.filter predicate |> List.length |> float

[<Law>]
let ``confusion counts every sample once, at its class and its answer``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    let labels, logits = many labels logits seed
    let samples = samples labels logits
    let evaluation = evaluated labels logits

    for i in 0 .. logits.RowCount - 1 do
        for j in 0 .. logits.RowCount - 1 do
            Exactly.equal
                (count (fun (label, said, _) -> label = i && said = j) samples)
                (float evaluation.Confusion[i, j])

    Exactly.equal
        (count (fun (label, said, _) -> label = said) samples / float labels.Length)
        evaluation.Accuracy

[<Law>]
let ``precision, recall and F1 are their definitions``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    let labels, logits = many labels logits seed
    let samples = samples labels logits
    let evaluation = evaluated labels logits
    Exactly.equal [ 0 .. logits.RowCount - 1 ] (evaluation.Classes |> List.map _.Class)

    for figures in evaluation.Classes do
        let k = figures.Class
        let hits = count (fun (label, said, _) -> label = k && said = k) samples
        let support = count (fun (label, _, _) -> label = k) samples
        let predicted = count (fun (_, said, _) -> said = k) samples
        let precision, recall = hits / predicted, hits / support

        let f1 =
            if hits > 0.0 then 2.0 / (1.0 / precision + 1.0 / recall)
            elif support + predicted > 0.0 then 0.0
            else nan

        Approximately.equal Approximately.rounding [| precision; recall; f1; support; predicted |] [|
            figures.Precision
            figures.Recall
            figures.F1
            float figures.Support
            float figures.Predicted
        |]

    // As scikit-learn has it: over the classes that come up among labels or answers, 0 for 0/0.
    let met =
        evaluation.Classes |> List.filter (fun k -> k.Support > 0 || k.Predicted > 0)

    let mean figure =
        (met |> List.map figure |> List.filter Double.IsFinite |> List.sum)
        / float met.Length

    Approximately.equal Approximately.rounding [| mean _.Precision; mean _.Recall; mean _.F1 |] [|
        evaluation.MacroPrecision
        evaluation.MacroRecall
        evaluation.MacroF1
    |]

[<Fact>]
let ``a class that is never answered counts 0 in the macro precision, as in scikit-learn`` () =
    // precision_recall_fscore_support(average="macro") of 400 samples, 4 of the second class, all said to be
    // of the first; a third class comes up nowhere.
    let labels = Array.init 400 (fun s -> if s < 4 then 1 else 0)

    let evaluation =
        evaluated labels (Matrix<float>.Build.Dense(3, 400, fun k _ -> -float k))

    Approximately.equal Approximately.rounding [| 0.495; 0.5; 0.49748743718592964 |] [|
        evaluation.MacroPrecision
        evaluation.MacroRecall
        evaluation.MacroF1
    |]

[<Law>]
let ``top k counts the samples whose class is among the k first of the sorted classes``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    let labels, logits = many labels logits seed
    let evaluation = evaluated labels logits

    let places =
        List.map2
            (fun label (z: float[]) ->
                [ 0 .. z.Length - 1 ]
                |> List.sortBy (fun k -> -z[k], k)
                |> List.findIndex ((=) label))
            (List.ofArray labels)
            (columns logits)

    let expected = [
        for k in 1 .. logits.RowCount -> count (fun place -> place < k) places / float labels.Length
    ]

    Exactly.equal expected evaluation.TopK
    Exactly.equal evaluation.Accuracy evaluation.TopK.Head
    Exactly.equal 1.0 (List.last evaluation.TopK)

[<Law>]
let ``equal scores rank by their classes, so that the first of them is the answer`` (Seed seed) =
    let label = RandomNumbers.below 4 seed RandomStream.GradientCheck 0L 0
    let evaluation = evaluated [| label |] (Matrix<float>.Build.Dense(4, 1, 0.5))
    Exactly.equal [ for k in 1..4 -> if label < k then 1.0 else 0.0 ] evaluation.TopK

[<Law>]
let ``the loss is the mean of −ln of the class's probability`` (LabelledLogits(labels, logits)) =
    let expected =
        samples labels logits
        |> List.averageBy (fun (label, _, y) -> -Math.Log y[label])

    Approximately.equal Approximately.rounding [| expected |] [| (evaluated labels logits).Loss |]

[<Law>]
let ``the calibration error is its definition over bins that hold every sample once``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    let labels, logits = many labels logits seed
    let evaluation = evaluated labels logits

    let expected =
        samples labels logits
        |> List.groupBy (fun (_, said, y) -> min 14 (int (y[said] * 15.0)))
        |> List.sumBy (fun (_, own) ->
            let right =
                own |> List.averageBy (fun (l, said, _) -> if l = said then 1.0 else 0.0)

            let confidence = own |> List.averageBy (fun (_, said, y) -> y[said])
            float own.Length / float labels.Length * abs (right - confidence))

    Approximately.equal Approximately.rounding [| expected |] [| evaluation.CalibrationError |]
    Exactly.equal labels.Length (evaluation.Reliability |> List.sumBy _.Count)

    for bin in evaluation.Reliability do
        if bin.Count > 0 then
            Assert.InRange(bin.Confidence, bin.Lower - 1e-12, bin.Upper + 1e-12)

[<Law>]
let ``the mistakes are the wrong answers, the most confident ones first``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    let labels, logits = many labels logits seed
    let samples = samples labels logits
    let evaluation = evaluated labels logits

    let wrong =
        samples
        |> List.indexed
        |> List.filter (fun (_, (label, said, _)) -> label <> said)
        |> List.sortBy (fun (s, (_, said, y)) -> -y[said], s)

    Exactly.equal
        (wrong |> List.map (fun (s, (label, said, _)) -> s, label, said))
        (evaluation.Mistakes |> List.map (fun m -> m.Sample, m.Expected, m.Predicted))

    Approximately.equal Approximately.rounding [|
        for _, (label, said, y) in wrong do
            y[said]
            y[label]
    |] [|
        for m in evaluation.Mistakes do
            m.Confidence
            m.OfExpected
    |]

    let few = Evaluation.ofLogits { all with Mistakes = 2 } Head.Softmax labels logits
    Exactly.equal (List.truncate 2 evaluation.Mistakes) few.Mistakes

[<Law>]
let ``evaluation of a network agrees with its loss and accuracy, under every head``
    (Trainable(network, batch))
    =
    for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
        let a = network.Architecture
        let outputs = a.Outputs

        let network = {
            network with
                Architecture = Architecture.create head a.Shape a.Layers |> orFail
        }

        let labels = Array.init batch.Count (fun s -> s % outputs)
        let data = Dataset.ofColumns outputs batch.Inputs (Targets.Labels labels)
        let score = Network.evaluate network data

        match Evaluation.create all network data with
        | Evaluation.Regression _ -> failwith "expected figures of classes"
        | Evaluation.Classification found ->
            Exactly.equal score.Accuracy found.Accuracy
            Approximately.equal Approximately.rounding [| score.Loss |] [| found.Loss |]
            Exactly.equal (head = Head.Identity) found.Reliability.IsEmpty
            Exactly.equal (head = Head.Identity) (Double.IsNaN found.CalibrationError)

[<Law>]
let ``answers of yes and no are no classes, and not evaluated as such``
    (Trainable(network, batch))
    =
    let a = network.Architecture

    let network = {
        network with
            Architecture = Architecture.create Head.Sigmoid a.Shape a.Layers |> orFail
    }

    let answers =
        Targets.Columns(Matrix<float>.Build.Dense(a.Outputs, batch.Count, 1.0))

    let data = Dataset.ofColumns a.Outputs batch.Inputs answers

    Exactly.refused [ "data"; "answers of yes and no" ] (fun () ->
        Evaluation.create all network data)

[<Law>]
let ``numbers are judged as Metrics has it`` (Trainable(network, batch)) =
    let a = network.Architecture
    let outputs = a.Outputs

    let network = {
        network with
            Architecture = Architecture.create Head.Identity a.Shape a.Layers |> orFail
    }

    let answers = Network.predict network batch.Inputs
    let targets = Targets.Columns(answers + 0.5)
    let data = Dataset.ofColumns outputs batch.Inputs targets

    match Evaluation.create all network data with
    | Evaluation.Classification _ -> failwith "expected figures of numbers"
    | Evaluation.Regression found ->
        let mean = Array.create (answers.RowCount * answers.ColumnCount) 0.0

        for i in 0 .. answers.RowCount - 1 do
            for s in 0 .. answers.ColumnCount - 1 do
                mean[s * answers.RowCount + i] <-
                    (answers.Row i).ToArray() |> Array.average |> (+) 0.5

        let always =
            Matrix<float>.Build.Dense(answers.RowCount, answers.ColumnCount, mean)
            |> Metrics.rootMeanSquaredError targets

        Approximately.equal 1e-9 [| 0.5; 0.5; always; Metrics.rSquared targets answers |] [|
            found.RootMeanSquaredError
            found.MeanAbsoluteError
            found.BaselineError
            found.RSquared
        |]

[<Fact>]
let ``six samples of three classes, counted by hand`` () =
    // Answers 0, 0, 1, 1, 1, 0 to classes 0, 0, 0, 1, 1, 2; class 2 is never said.
    let logits =
        Matrix<float>
            .Build.DenseOfColumnArrays(
                [| 2.0; 0.0; 0.0 |],
                [| 2.0; 0.0; 0.0 |],
                [| 0.0; 3.0; 0.0 |],
                [| 0.0; 1.0; 0.0 |],
                [| 0.0; 1.0; 0.0 |],
                [| 1.0; 0.0; 0.0 |]
            )

    let found = evaluated [| 0; 0; 0; 1; 1; 2 |] logits
    Exactly.equal (array2D [ [ 2; 1; 0 ]; [ 0; 2; 0 ]; [ 1; 0; 0 ] ]) found.Confusion

    let third = 1.0 / 3.0

    Approximately.equal Approximately.rounding [|
        2.0 * third
        2.0 * third
        nan
        2.0 * third
        1.0
        0.0
        2.0 * third
        0.8
        0.0
    |] [|
        yield! found.Classes |> List.map _.Precision
        yield! found.Classes |> List.map _.Recall
        yield! found.Classes |> List.map _.F1
    |]

    Exactly.equal [ 2; 5 ] (found.Mistakes |> List.map _.Sample)

[<Law>]
let ``the area under the ROC curve is the share of pairs in the right order, ties half``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    // Few different scores, so that many are equal.
    let labels, logits = many labels logits seed
    let scores = logits.Row(0).ToArray() |> Array.map (fun z -> Math.Round(z / 4.0))
    let isPositive = labels |> Array.map ((=) labels[0])

    let pairs = [
        for s in 0 .. scores.Length - 1 do
            for other in 0 .. scores.Length - 1 do
                if isPositive[s] && not isPositive[other] then
                    (1.0 + float (sign (scores[s] - scores[other]))) / 2.0
    ]

    let area = Metrics.areaUnderRoc isPositive scores

    if pairs.IsEmpty then
        Assert.True(Double.IsNaN area)
    else
        Approximately.equal 1e-9 [| List.average pairs |] [| area |]
        // Only the order counts, and the other way round is the rest.
        let moved = scores |> Array.map (fun z -> 3.0 * z + 1.0)
        Exactly.equal area (Metrics.areaUnderRoc isPositive moved)
        let reversed = Metrics.areaUnderRoc isPositive (scores |> Array.map (~-))
        Approximately.equal 1e-9 [| 1.0 |] [| area + reversed |]

[<Law>]
let ``balanced accuracy, areas and the baseline follow from the samples``
    (LabelledLogits(labels, logits))
    (Seed seed)
    =
    let labels, logits = many labels logits seed
    let samples = samples labels logits
    let evaluation = evaluated labels logits
    let present = List.ofArray labels |> List.distinct

    let ofClass k =
        samples |> List.filter (fun (label, _, _) -> label = k)

    let recall k =
        count (fun (_, said, _) -> said = k) (ofClass k) / float (ofClass k).Length

    Approximately.equal 1e-9 [|
        present |> List.averageBy recall
        float (present |> List.map (fun k -> (ofClass k).Length) |> List.max)
        / float labels.Length
    |] [| evaluation.BalancedAccuracy; evaluation.BaselineAccuracy |]

    let probabilities = Head.apply Head.Softmax logits

    for figures in evaluation.Classes do
        let area =
            probabilities.Row(figures.Class).ToArray()
            |> Metrics.areaUnderRoc (labels |> Array.map ((=) figures.Class))

        Assert.Equal(area, figures.AreaUnderRoc)

[<Fact>]
let ``areas under the ROC curve are those of scikit-learn's documentation`` () =
    // sklearn.metrics.roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).
    Exactly.equal
        0.75
        (Metrics.areaUnderRoc [| false; false; true; true |] [| 0.1; 0.4; 0.35; 0.8 |])

    Assert.True(Double.IsNaN(Metrics.areaUnderRoc [| true; false |] [| nan; 1.0 |]))

    Exactly.refused [ "4 samples"; "found 1" ] (fun () ->
        Metrics.areaUnderRoc (Array.create 4 true) [| 1.0 |])
