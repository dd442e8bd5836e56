/// ThresholdCurve.fs, Decision.fs: what a threshold finds, and the threshold that a goal asks for.
module Pipeline.Properties.DecisionLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Some samples with probabilities in sixteenths, so that many are equal; both kinds of samples are among them.
let private cases (NonEmptyArray(samples: (bool * byte)[])) : bool[] * float[] =
    let samples = Array.append [| true, 5uy; false, 9uy |] samples

    samples |> Array.map fst, samples |> Array.map (fun (_, p) -> float (p % 17uy) / 16.0)

/// Found samples of the class and false alarms, counted one by one.
let private count threshold (isOfClass: bool[]) (probabilities: float[]) =
    let answered = probabilities |> Array.map (fun p -> p >= threshold)

    let number wanted =
        Array.zip isOfClass answered
        |> Array.filter (fun (isOf, isAnswered) -> isAnswered && isOf = wanted)
        |> Array.length

    number true, number false

/// Every threshold that makes a difference, from a bit below each probability.
let private thresholds (probabilities: float[]) =
    probabilities |> Array.map (fun p -> p - 1.0 / 64.0) |> Array.distinct

[<Law>]
let ``a point counts what its threshold finds`` samples =
    let isOfClass, probabilities = cases samples
    let points = ThresholdCurve.points isOfClass probabilities
    Exactly.equal (Array.distinct probabilities).Length points.Length

    for point in points do
        let found, falseAlarms = count point.Threshold isOfClass probabilities
        Exactly.equal (found, falseAlarms) (point.Found, point.FalseAlarms)
        Exactly.equal isOfClass.Length (point.Positives + point.Negatives)

    let last = List.last points
    Exactly.equal (1.0, 1.0) (last.Recall, last.FalseAlarmRate)

[<Law>]
let ``the area under the ROC points is that of the pairs in the right order`` samples =
    let isOfClass, probabilities = cases samples
    let points = ThresholdCurve.points isOfClass probabilities

    let area =
        (0.0, 0.0)
        :: (points |> List.map (fun point -> point.FalseAlarmRate, point.Recall))
        |> List.pairwise
        |> List.sumBy (fun ((x0, y0), (x1, y1)) -> (x1 - x0) * (y0 + y1) / 2.0)

    Approximately.equal 1e-12 [| Metrics.areaUnderRoc isOfClass probabilities |] [| area |]

[<Fact>]
let ``the average precision is scikit-learn's`` () =
    // average_precision_score([0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.4, 0.4]) of scikit-learn 1.2: the recall rises by
    // 1/3 at 0.8 with precision 1, by 1/3 at 0.4 with 2/4, by 1/3 at 0.35 with 3/5.
    let points =
        ThresholdCurve.points [| false; false; true; true; false; true |] [|
            0.1
            0.4
            0.35
            0.8
            0.4
            0.4
        |]

    Approximately.equal 1e-15 [| (1.0 + 0.5 + 0.6) / 3.0 |] [|
        ThresholdCurve.averagePrecision points
    |]

[<Law>]
let ``a recall is reached, and by no higher threshold`` samples (PositiveInt percent) =
    let isOfClass, probabilities = cases samples
    let wanted = float (1 + percent % 100) / 100.0
    let positives = isOfClass |> Array.filter id |> Array.length

    let recall threshold =
        float (fst (count threshold isOfClass probabilities)) / float positives

    match Decision.choose (DecisionGoal.Recall wanted) isOfClass probabilities with
    | ValueNone -> failwith "a threshold was expected"
    | ValueSome chosen ->
        Assert.True(recall chosen >= wanted)

        for other in thresholds probabilities do
            if other > chosen then
                Assert.True(recall other < wanted || recall other = recall chosen)

[<Law>]
let ``a precision is reached with the highest recall, or by no threshold``
    samples
    (PositiveInt percent)
    =
    let isOfClass, probabilities = cases samples
    let wanted = float (1 + percent % 100) / 100.0

    let precision threshold =
        let found, falseAlarms = count threshold isOfClass probabilities
        float found / float (found + falseAlarms)

    let reached =
        thresholds probabilities |> Array.filter (fun t -> precision t >= wanted)

    match Decision.choose (DecisionGoal.Precision wanted) isOfClass probabilities with
    | ValueNone -> Assert.Empty reached
    | ValueSome chosen ->
        Assert.True(precision chosen >= wanted)

        Exactly.equal
            (reached
             |> Array.map (fun t -> fst (count t isOfClass probabilities))
             |> Array.max)
            (fst (count chosen isOfClass probabilities))

[<Law>]
let ``no threshold costs less`` samples (PositiveInt cost) =
    let isOfClass, probabilities = cases samples
    let cost = float (1 + cost % 20) / 10.0
    let positives = isOfClass |> Array.filter id |> Array.length

    let costOf threshold =
        let found, falseAlarms = count threshold isOfClass probabilities
        cost * float (positives - found) + float falseAlarms

    match Decision.choose (DecisionGoal.Cost cost) isOfClass probabilities with
    | ValueNone -> failwith "a threshold was expected"
    | ValueSome chosen ->
        // 1 is above all probabilities, unless one of them is 1.
        let all = Array.append (thresholds probabilities) [| 1.0 |]
        Exactly.equal (all |> Array.map costOf |> Array.min) (costOf chosen)

[<Fact>]
let ``the class is answered at its threshold, otherwise the most probable of the others`` () =
    let decide k threshold =
        Decision.answer (ValueSome { Class = k; Threshold = threshold }) [| 0.2; 0.5; 0.3 |]

    Exactly.equal 0 (decide 0 0.2)
    Exactly.equal 1 (decide 0 0.21)
    Exactly.equal 2 (decide 1 0.6)
    Exactly.equal 1 (Decision.answer ValueNone [| 0.2; 0.5; 0.3 |])
    Exactly.equal 0 (Decision.answer ValueNone [| 0.4; 0.4; 0.2 |])

[<Fact>]
let ``goals are read, and anything else is refused`` () =
    for text, expected in
        [
            "yes:recall=0.9", ("yes", DecisionGoal.Recall 0.9)
            "a:b=c:Precision = 1", ("a:b=c", DecisionGoal.Precision 1.0)
            " yes :cost=5", ("yes", DecisionGoal.Cost 5.0)
            "3:threshold=0.3", ("3", DecisionGoal.Threshold 0.3)
        ] do
        match Decision.parse text with
        | Ok(struct (name, goal)) -> Exactly.equal expected (name, goal)
        | Error faults -> failwith $"{text}: {faults}"

    for text in
        [
            ""
            "yes"
            "yes:recall"
            ":recall=0.9"
            "yes:recall=0"
            "yes:recall=1.1"
            "yes:threshold=1"
            "yes:cost=-1"
            "yes:cost=NaN"
            "yes:f1=0.5"
            "yes=recall:0.9"
        ] do
        Assert.True(Decision.parse text |> Result.isError, text)

[<Fact>]
let ``a model keeps its decision, and a damaged one is refused`` () =
    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.5) 1UL (Architecture.dense Activation.Relu [ 2; 3 ])

    for classes in [ [ "a"; "b"; "c" ]; [] ] do
        let model = {
            Model.ofNetwork network with
                Classes = classes
                Decision = ValueSome { Class = 1; Threshold = 1.0 / 3.0 }
        }

        let file = Model.toTensors model

        match Model.ofTensors ModelDefaults.None file with
        | Ok(read: Model<float>) -> Exactly.equal model.Decision read.Decision
        | Error faults -> failwith $"{faults}"

        for text in
            [
                "{}"
                "[]"
                "1"
                """{"class":"d","threshold":0.5}"""
                """{"class":"b","threshold":1.5}"""
                """{"class":"b","threshold":"x"}"""
                """{"class":1,"threshold":0.5}"""
            ] do
            let damaged = file |> withMetadata "decision" text

            match Model.ofTensors ModelDefaults.None damaged with
            | Ok(_: Model<float>) -> failwith $"{text}: a fault was expected"
            | Error faults -> Assert.Contains("decision", string faults.Head)

[<Law>]
let ``an evaluation counts the answers of the decision`` samples =
    let isOfClass, probabilities = cases samples
    let labels = isOfClass |> Array.map (fun isOf -> if isOf then 1 else 0)
    // A network that passes its inputs on as logits.
    let architecture =
        Architecture.create Head.Softmax (Shape.Vector 2) [ Layers.dense 2 ] |> orFail

    let network = {
        Network.initialise (Initialiser.Fixed 1.0) 1UL architecture with
            Parameters = {
                Layers = [
                    LayerParameters.dense
                        (Matrix<float>.Build.DenseIdentity 2)
                        (Vector<float>.Build.Dense 2)
                ]
            }
    }

    let inputs =
        Matrix<float>
            .Build.Dense(
                2,
                labels.Length,
                fun k s -> if k = 1 then 4.0 * probabilities[s] - 2.0 else 0.0
            )

    let data = Dataset.ofColumns 2 inputs (Targets.Labels labels)

    for goal in [ DecisionGoal.Recall 0.8; DecisionGoal.Cost 3.0 ] do
        let decision = Decision.fit goal 1 network data

        match
            Evaluation.create
                {
                    EvaluationOptions.Default with
                        Decision = decision
                }
                network
                data
        with
        | Evaluation.Classification figures ->
            let given = (Network.probabilities network data).Row(1).ToArray()
            let found, falseAlarms = count decision.Value.Threshold isOfClass given
            Exactly.equal found figures.Confusion[1, 1]
            Exactly.equal falseAlarms figures.Confusion[0, 1]
        | Evaluation.Regression _ -> failwith "classes were expected"
