/// Diagnosis.fs: what is wrong is said, and nothing where nothing is.
module Pipeline.Properties.DiagnosisLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

let private foundBeside guessing (training: float list) (others: float list) =
    List.zip training others
    |> List.mapi (fun epoch (training, others) -> {
        Epoch = int64 epoch
        Training = training
        HeldOut = others
    })
    |> Diagnosis.ofLosses guessing

/// The losses of ten classes, of which one knows nothing.
let private found training others = foundBeside (log 10.0) training others

let private falling factor count =
    List.init count (fun i -> 2.0 * factor ** float i)

[<Fact>]
let ``a run that has settled is given no advice`` () =
    let training = falling 0.5 6 @ List.replicate 6 (2.0 * 0.5 ** 5.0)
    Assert.Empty(found training (training |> List.map ((*) 1.1)))

[<Law>]
let ``a loss that still falls evenly is said to, by its share`` (FsCheck.PositiveInt percent) =
    let share = 0.02 + float (percent % 90) / 100.0
    let training = falling (1.0 - share) 8

    match found training training with
    | [ Finding.StillFalling said ] -> Approximately.equal 1e-9 [| share |] [| said |]
    | other -> failwith $"found {other}"

[<Law>]
let ``where epochs are left out, the fall is still that of one epoch`` (FsCheck.PositiveInt gap) =
    let gap = 1 + gap % 20
    let share = 0.02 * float gap

    let losses =
        falling (1.0 - share) 8
        |> List.mapi (fun i loss -> {
            Epoch = int64 (i * gap)
            Training = loss
            HeldOut = loss
        })

    match Diagnosis.ofLosses (log 10.0) losses with
    | [ Finding.StillFalling said ] -> Approximately.equal 1e-9 [| 0.02 |] [| said |]
    | other -> failwith $"found {other}"

[<Fact>]
let ``a loss that goes up and down says that the rate is high`` () =
    let training = [ 2.3; 1.0; 0.5; 0.7; 0.4; 0.6; 0.35; 0.55 ]

    match found training training with
    | [ Finding.Oscillating(3, 5) ] -> ()
    | other -> failwith $"found {other}"

[<Fact>]
let ``over-fitting names the epoch where the other loss was lowest`` () =
    let training = [ 2.3; 1.0; 0.5; 0.2; 0.1; 0.05; 0.05; 0.05; 0.05; 0.05; 0.05 ]
    let others = [ 2.3; 1.1; 0.8; 0.7; 0.75; 0.8; 0.9; 0.9; 0.9; 0.9; 0.95 ]

    match found training others with
    | [ Finding.OverFitting(3L, 0.7, 0.95) ] -> ()
    | other -> failwith $"found {other}"

[<Law>]
let ``a run is never told both that it over-fits and that a longer one would learn more``
    (training: FsCheck.NormalFloat[])
    (others: FsCheck.NormalFloat[])
    =
    let losses (drawn: FsCheck.NormalFloat[]) =
        [ for x in drawn -> 0.001 + abs (x.Get % 2.0) ]
        @ [ for i in 1..8 -> 2.0 / float i ]

    let training, others = losses training, losses others
    let count = min training.Length others.Length
    // Half of the training losses fall steadily.
    let training =
        if count % 2 = 0 then
            List.sortDescending training
        else
            training

    let found = found (List.truncate count training) (List.truncate count others)

    let isOverFitting =
        found
        |> List.exists (fun finding ->
            match finding with
            | Finding.OverFitting _ -> true
            | _ -> false)

    for finding in found do
        match finding with
        | Finding.StillFalling _ -> Assert.False isOverFitting
        | _ -> ()

[<Fact>]
let ``a loss that falls while the other rises is over-fitting alone`` () =
    let training = falling 0.7 10
    let others = [ 2.0; 1.5; 1.2; 1.1; 1.0; 1.1; 1.2; 1.3; 1.4; 1.5 ]

    match found training others with
    | [ Finding.OverFitting(4L, 1.0, 1.5) ] -> ()
    | other -> failwith $"found {other}"

[<Fact>]
let ``a loss that ends above that of guessing is said to, and to want a lower rate`` () =
    let training = [ 2.31; 18.0; 22.0; 19.5; 20.5; 20.0 ]

    match found training training with
    | [ Finding.WorseThanGuessing(20.0, guessing) ] -> Exactly.equal (log 10.0) guessing
    | other -> failwith $"found {other}"

    // The usual start, and a bad one that is on its way.
    Assert.Empty(found [ 2.31; 2.305; 2.302; 2.301 ] [ 2.31; 2.305; 2.302; 2.301 ])

    match found (falling 0.9 4 |> List.map ((*) 20.0)) (falling 0.9 4 |> List.map ((*) 20.0)) with
    | [ Finding.StillFalling _ ] -> ()
    | other -> failwith $"found {other}"

[<Law>]
let ``the loss of guessing is the least of one answer for all samples``
    (LabelledLogits(labels, logits))
    =
    let classes = logits.RowCount
    let targets = Targets.columns classes (Targets.Labels labels)

    for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
        let loss (answer: Vector<float>) =
            Matrix<float>.Build.DenseOfColumnVectors(Array.replicate labels.Length answer)
            |> Loss.ofHead head (Targets.Columns targets)

        let guessing (targets: Targets<float>) =
            Dataset.ofColumns classes (Matrix<float>.Build.Dense(1, labels.Length)) targets
            |> Diagnosis.lossOfGuessing head classes

        let least = guessing (Targets.Columns targets)

        if head <> Head.Identity then
            Approximately.equal Approximately.rounding [| least |] [|
                guessing (Targets.Labels labels)
            |]

        // Shares of exactly 0 and 1 have no logit: all but reached.
        let means =
            (targets.RowSums() / float labels.Length).Map(fun m -> max 1e-9 (min (1.0 - 1e-9) m))

        let best =
            match head with
            | Head.Softmax -> means.PointwiseLog()
            | Head.Sigmoid -> means.Map(fun m -> log (m / (1.0 - m)))
            | Head.Identity -> means

        Approximately.equal 1e-6 [| least |] [| loss best |]

        for i in 0 .. classes - 1 do
            for step in [ -0.1; 0.1 ] do
                let moved = best.Clone()
                moved[i] <- moved[i] + step
                Assert.True(loss moved > least - 1e-6)

[<Law>]
let ``with weights, guessing is the answer learned from the weighted classes``
    (labels: NonEmptyArray<bool>, PositiveInt few, PositiveInt many)
    =
    let labels = [| 0; 1; yield! labels.Get |> Array.map (fun isYes -> if isYes then 1 else 0) |]
    let weights = [| float few; float many |]

    let data: Dataset<float> =
        Dataset.ofColumns 2 (Matrix<float>.Build.Dense(1, labels.Length)) (Targets.Labels labels)

    let weighted = Dataset.withWeights (labels |> Array.map (Array.get weights)) data

    let sums =
        Array.init 2 (fun k -> weights[k] * float (labels |> Array.filter ((=) k) |> Array.length))

    let expected =
        labels |> Array.averageBy (fun label -> -log(sums[label] / Array.sum sums))

    Approximately.equal 1e-9 [| expected |] [| Diagnosis.lossOfGuessing Head.Softmax 2 weighted |]

    let epochs =
        List.init 8 (fun epoch -> {
            Epoch = int64 epoch
            Training = 1.05 * expected
            HeldOut = 1.05 * expected
        })

    let isWorse =
        Diagnosis.ofLosses (Diagnosis.lossOfGuessing Head.Softmax 2 weighted) epochs
        |> List.exists (fun finding ->
            match finding with
            | Finding.WorseThanGuessing _ -> true
            | _ -> false)

    Assert.False isWorse

[<Fact>]
let ``two epochs are too few to tell`` () =
    Assert.Empty(found [ 2.0; 1.0 ] [ 2.0; 3.0 ])

let private network activation : Network<float> =
    Network.initialise (Initialiser.Fixed 0.1) 1UL (Architecture.dense activation [ 3; 20; 2 ])

let private batch: MiniBatch<float> =
    MiniBatch.create
        (Array.init 15 (fun i -> float i / 15.0) |> Kernels.matrix 3 5)
        (Targets.Labels [| 0; 1; 0; 1; 0 |])

/// The network whose first hidden units have this bias, the others 1.
let private pushed count bias (network: Network<float>) =
    let first = network.Parameters.Layers.Head

    let biases =
        Array.init first.Biases.Count (fun i -> if i < count then bias else 1.0)

    {
        network with
            Parameters = {
                Layers =
                    (first |> LayerParameters.withVector "b" (Kernels.vector biases))
                    :: network.Parameters.Layers.Tail
            }
    }

[<Fact>]
let ``dead and saturated units are counted, from a tenth of the layer on`` () =
    for activation, bias in
        [
            Activation.Relu, -100.0
            Activation.Sigmoid, -100.0
            Activation.Sigmoid, 100.0
            Activation.Tanh, 100.0
        ] do
        let network = network activation
        Assert.Empty(Diagnosis.ofUnits (pushed 1 bias network) batch)

        for count in [ 2; 7; 20 ] do
            match Diagnosis.ofUnits (pushed count bias network) batch with
            | [ Finding.StuckUnits(1, what, stuck, 20) ] ->
                Exactly.equal (activation = Activation.Relu) (what.StartsWith "dead")
                Exactly.equal count stuck
            | other -> failwith $"found {other}"

    // A slope of 1/100 is still one.
    Assert.Empty(Diagnosis.ofUnits (pushed 20 -100.0 (network Activation.LeakyRelu)) batch)

/// What a run of these samples is told at its end.
let private ended names (network: Network<float>) (batch: MiniBatch<float>) losses =
    let data = Dataset.ofColumns network.Architecture.Outputs batch.Inputs batch.Targets

    let epochs =
        losses
        |> List.mapi (fun epoch loss -> {
            Epoch = int64 epoch
            Training = loss
            HeldOut = loss
        })

    Diagnosis.ofRun names epochs network batch data

[<Fact>]
let ``classes that are missed are named, with how many samples are theirs`` () =
    let settled = List.replicate 8 0.1
    // The last layer's biases decide: always the first class.
    let sound = network Activation.Tanh |> pushed 0 0.0
    let last = List.last sound.Parameters.Layers

    let always = {
        sound with
            Parameters = {
                Layers = [
                    sound.Parameters.Layers.Head
                    last |> LayerParameters.withVector "b" (Kernels.vector [| 9.0; -9.0 |])
                ]
            }
    }

    match ended [ "ok"; "fraud" ] always batch settled with
    | [ Finding.MissedClasses([ "fraud" ], 0, 2) as finding ] ->
        Assert.Contains(
            "Of the 2 training samples of class fraud, none is classified correctly:",
            string finding
        )
    | other -> failwith $"found {other}"

    for classes, found, says in
        [
            [ "0"; "2" ], 0, "Of the 40 training samples of the classes 0 and 2, none is classified"
            [ "0"; "2"; "5" ], 1, "of the classes 0, 2 and 5, 1 is classified correctly"
            [ for k in 0..6 -> string k ], 3, "of the classes 0, 1, 2, 3, 4 and 2 more, 3 are"
        ] do
        Assert.Contains(says, string (Finding.MissedClasses(classes, found, 40)))

    match ended [] always batch settled with
    | [ Finding.MissedClasses([ "1" ], 0, 2) ] -> ()
    | other -> failwith $"found {other}"

    // A class that no sample is of is nobody's fault.
    Assert.Empty(
        ended [] always (MiniBatch.create batch.Inputs (Targets.Labels [| 0; 0; 0; 0; 0 |])) settled
    )

    // Nor is it told beside its cause.
    match ended [] always batch [ 2.0; 9.0; 8.0; 9.0; 9.0; 9.0 ] with
    | [ Finding.WorseThanGuessing _ ] -> ()
    | other -> failwith $"found {other}"

    match ended [] (pushed 20 -100.0 (network Activation.Relu)) batch settled with
    | [ Finding.StuckUnits(1, _, 20, 20) as finding ] ->
        Assert.Contains("No gradient passes this layer", string finding)
    | other -> failwith $"found {other}"

[<Fact>]
let ``units that large numbers to predict have saturated are told with their cause`` () =
    let network =
        Network.initialise
            (Initialiser.Fixed 0.1)
            1UL
            (Architecture.ofHidden
                Head.Identity
                3
                [
                    {
                        Width = 20
                        Normalised = false
                        Activation = Activation.Tanh
                        Dropout = 0.0
                    }
                ]
                1
             |> orFail)
        |> pushed 20 100.0

    let targets size =
        MiniBatch.create
            batch.Inputs
            (Targets.Columns(Kernels.matrix 1 5 (Array.init 5 (fun i -> size + float i))))

    match ended [] network (targets 1e5) [ 1e10; 1e10; 1e10; 1e10 ] with
    | [ Finding.LargeTargets(1, 20, 20, size) as finding ] ->
        Approximately.equal 1e-3 [| 1e5 |] [| size |]
        Assert.Contains("Scale them", string finding)
        Assert.DoesNotContain("rate", string finding)
    | other -> failwith $"found {other}"

    match ended [] network (targets 0.0) [ 1.0; 1.0; 1.0; 1.0 ] with
    | [ Finding.StuckUnits(1, _, 20, 20) ] -> ()
    | other -> failwith $"found {other}"

[<Fact>]
let ``the layer that overflows first is named`` () =
    let sound = network Activation.Identity
    Assert.Empty(Diagnosis.ofNumbers 9L sound batch)

    for bad, layer in [ infinity, 1; nan, 1 ] do
        match Diagnosis.ofNumbers 9L (pushed 1 bad sound) batch with
        | [ Finding.NotFinite(found, 9L) ] -> Exactly.equal layer found
        | other -> failwith $"found {other}"

    // Finite parameters, sums that are not.
    let huge = pushed 20 1e308 sound

    let last = List.last huge.Parameters.Layers

    let huge = {
        huge with
            Parameters = {
                Layers = [
                    huge.Parameters.Layers.Head
                    last |> LayerParameters.withMatrix "W" (last.Weights * 1e4)
                ]
            }
    }

    match Diagnosis.ofNumbers 9L huge batch with
    | [ Finding.NotFinite(2, 9L) ] -> ()
    | other -> failwith $"found {other}"

[<Fact>]
let ``every finding is a sentence that says what helps`` () =
    for finding, words in
        [
            Finding.StillFalling 0.05, "falling by 5 % an epoch"
            Finding.Oscillating(2, 5), "2 of the last 5 epochs"
            Finding.OverFitting(3L, 0.7, 0.9), "lowest at epoch 3, 0.7000, and rose to 0.9000"
            Finding.StuckUnits(1, "dead: they give 0", 3, 20), "3 of its 20 units are dead"
            Finding.StuckUnits(2, "saturated: their slope is near 0", 3, 20),
            "3 of its 20 units are saturated"
            Finding.NotFinite(2, 7L), "in layer 2, after iteration 7"
        ] do
        Assert.Contains(words, string finding)
