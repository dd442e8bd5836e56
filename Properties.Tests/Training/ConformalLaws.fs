/// Conformal.fs: sets and intervals that contain the truth for a wanted share of new samples.
module Pipeline.Properties.ConformalLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

let private coverageOf (PositiveInt percent) = float (1 + percent % 99) / 100.0

[<Law>]
let ``of samples in any order, the margin of the others covers the wanted share``
    (NonEmptyArray(distances: NormalFloat[]))
    percent
    =
    let coverage = coverageOf percent
    let distances = distances |> Array.map (fun d -> abs d.Get)
    let others = distances.Length - 1

    match Conformal.checkSamples coverage others with
    | Error _ -> ()
    | Ok() ->
        let covered =
            Array.init distances.Length (fun i ->
                distances[i] <= Conformal.margin coverage (Array.removeAt i distances))

        let share =
            float (covered |> Array.filter id |> Array.length) / float distances.Length

        Assert.True(share >= coverage, $"{share} of {coverage}")

        if (Array.distinct distances).Length = distances.Length then
            // No more than one in n + 1 beyond it.
            Assert.True(share <= coverage + 1.0 / float distances.Length + 1e-12)

[<Law>]
let ``samples are enough exactly where a margin exists`` (PositiveInt count) percent =
    let coverage = coverageOf percent
    let k = Math.Ceiling(coverage * float (count + 1)) |> int

    match Conformal.checkSamples coverage count with
    | Ok() -> Assert.True(k <= count)
    | Error faults ->
        Assert.True(k > count)
        Assert.Contains("Data:Validation", string faults.Head)

/// A network and samples for it, 40 of them.
let private case (head: Head) (Seed seed) : Network<float> * Dataset<float> =
    let random draw i =
        RandomNumbers.uniform seed RandomStream.GradientCheck draw i

    let network =
        LayerKinds.parse [] [ "dense 4"; "tanh"; "dense 3" ]
        |> Result.bind (Architecture.create head (Shape.Vector 2))
        |> orFail
        |> Network.initialise (Initialiser.Fixed 2.0) seed

    let inputs =
        Matrix<float>.Build.Dense(2, 40, fun i s -> random 0L (2 * s + i) - 0.5)

    let targets =
        if head = Head.Identity then
            Targets.Columns(Matrix<float>.Build.Dense(3, 40, fun i s -> random 1L (3 * s + i)))
        else
            Targets.Labels(Array.init 40 (fun s -> int (3.0 * random 2L s)))

    network, Dataset.ofColumns 3 inputs targets

let private coverageFigures options network data =
    match Evaluation.create options network data with
    | Evaluation.Classification figures -> figures.Coverage
    | Evaluation.Regression figures -> figures.Coverage

[<Law>]
let ``the samples that a margin is fitted to are covered, and a higher share needs no less``
    seed
    percent
    =
    for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
        let network, data = case head seed
        let coverage = coverageOf percent

        match Conformal.fit coverage network data with
        | Error faults -> Assert.True(coverage > 40.0 / 41.0, string faults.Head)
        | Ok conformal ->
            let figures =
                coverageFigures
                    {
                        EvaluationOptions.Default with
                            Conformal = ValueSome conformal
                    }
                    network
                    data
                |> ValueOption.get

            Exactly.equal coverage figures.Wanted
            Assert.True(figures.Measured >= coverage)

            let lower = Conformal.fit (coverage / 2.0) network data |> orFail

            List.iter2
                (fun (lower: float) higher -> Assert.True(lower <= higher))
                lower.Margins
                conformal.Margins

[<Law>]
let ``a set has the answer of a decision, too`` seed percent =
    let network, data = case Head.Softmax seed

    match Conformal.fit (coverageOf percent) network data with
    | Error _ -> ()
    | Ok conformal ->
        let outputs = Network.probabilities network data

        for goal in [ DecisionGoal.Threshold 0.01; DecisionGoal.Threshold 0.99 ] do
            let decision = Decision.fit goal 1 network data

            for s in 0 .. data.Count - 1 do
                let p = outputs.Column(s).ToArray()
                let set = Conformal.classesWith decision conformal p

                Exactly.equal
                    (Decision.answer decision p :: Conformal.classes conformal p
                     |> List.distinct
                     |> List.sort)
                    set

[<Law>]
let ``a set has the classes within the margin, and at least the most probable one`` seed percent =
    let network, data = case Head.Softmax seed
    let coverage = coverageOf percent
    let outputs = Network.probabilities network data

    match Conformal.fit coverage network data with
    | Error _ -> ()
    | Ok conformal ->
        let margin = List.exactlyOne conformal.Margins

        for s in 0 .. data.Count - 1 do
            let p = outputs.Column(s).ToArray()
            let set = Conformal.classes conformal p

            Exactly.equal
                (if Array.max p >= 1.0 - margin then
                     [
                         for k in 0..2 do
                             if 1.0 - p[k] <= margin then
                                 k
                     ]
                 else
                     [ Array.IndexOf(p, Array.max p) ])
                set

[<Law>]
let ``an interval is the prediction and its margin to either side`` seed =
    let network, data = case Head.Identity seed
    let conformal = Conformal.fit 0.8 network data |> orFail
    let outputs = Network.probabilities network data
    let targets = Targets.columns 3 data.Targets

    for output in 0..2 do
        let inside =
            Array.init data.Count (fun s ->
                let struct (lower, upper) = Conformal.interval conformal output outputs[output, s]
                Approximately.equal 1e-12 [| outputs[output, s] |] [| (lower + upper) / 2.0 |]
                targets[output, s] >= lower - 1e-12 && targets[output, s] <= upper + 1e-12)

        // ⌈41·0.8⌉ = 33 of the 40 samples it was fitted to.
        Exactly.equal 33 (inside |> Array.filter id |> Array.length)

[<Fact>]
let ``new samples are covered as wanted`` () =
    let coverages = [
        for seed in 1UL .. 60UL do
            let network, fitted = case Head.Identity (Seed seed)
            let conformal = Conformal.fit 0.9 network fitted |> orFail
            let _, fresh = case Head.Identity (Seed(1000UL + seed))

            (coverageFigures
                {
                    EvaluationOptions.Default with
                        Conformal = ValueSome conformal
                }
                network
                fresh
             |> ValueOption.get)
                .Measured
    ]

    Assert.InRange(List.average coverages, 0.89, 0.94)

[<Fact>]
let ``coverages, samples and predictions that do not fit are refused`` () =
    let network, data = case Head.Softmax (Seed 1UL)

    for wrong in [ 0.0; 1.0; -0.1; nan ] do
        Exactly.refused [ "above 0 and below 1" ] (fun () ->
            Conformal.fit wrong network data |> ignore)

    Conformal.fit 0.99 network data
    |> Exactly.faulted [ "Coverage"; "99 validation samples"; "0.99"; "40" ]

    let _, numbers = case Head.Identity (Seed 1UL)
    Exactly.refused [ "expected classes" ] (fun () -> Conformal.fit 0.9 network numbers |> ignore)

    let broken =
        Dataset.ofColumns 3 (Matrix<float>.Build.Dense(2, 40, nan)) data.Targets

    Conformal.fit 0.9 network broken |> Exactly.faulted [ "not numbers" ]

[<Law>]
let ``a model keeps its margins, and damaged ones are refused`` seed percent =
    for head in [ Head.Softmax; Head.Identity ] do
        let network, data = case head seed

        match Conformal.fit (coverageOf percent) network data with
        | Error _ -> ()
        | Ok conformal ->
            let model = {
                Model.ofNetwork network with
                    Conformal = ValueSome conformal
            }

            let file = Model.toTensors model
            let read: Model<float> = Model.ofTensors ModelDefaults.None file |> orFail
            Exactly.equal model.Conformal read.Conformal

            for text in
                [
                    "[]"
                    """{"coverage":1,"margins":[1,1,1]}"""
                    """{"coverage":0.5,"margins":[1,1]}"""
                    """{"coverage":0.5,"margins":[-1]}"""
                    """{"coverage":"0.5","margins":[1]}"""
                ] do
                let damaged = file |> withMetadata "conformal" text

                (Model.ofTensors ModelDefaults.None damaged: Result<Model<float>, _>)
                |> Exactly.faulted [ "conformal"; "margin" ]
