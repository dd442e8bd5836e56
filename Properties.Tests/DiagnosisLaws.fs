/// Diagnosis.fs: what is wrong is said, and nothing where nothing is.
module Pipeline.Properties.DiagnosisLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private found (training: float list) (others: float list) =
    List.zip training others
    |> List.mapi (fun epoch (training, others) -> {
        Epoch = int64 epoch
        Training = training
        Others = others
    })
    |> Diagnosis.ofLosses

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
            Others = loss
        })

    match Diagnosis.ofLosses losses with
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
                    {
                        first with
                            Biases = Kernels.vector biases
                    }
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
            | [ Finding.StuckUnits(1, of', stuck, 20) ] ->
                Exactly.equal activation of'
                Exactly.equal count stuck
            | other -> failwith $"found {other}"

    // A slope of 1/100 is still one.
    Assert.Empty(Diagnosis.ofUnits (pushed 20 -100.0 (network Activation.LeakyRelu)) batch)

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
                    {
                        last with
                            Weights = last.Weights * 1e4
                    }
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
            Finding.StuckUnits(1, Activation.Relu, 3, 20), "3 of its 20 units are dead"
            Finding.StuckUnits(2, Activation.Tanh, 3, 20), "3 of its 20 units are saturated"
            Finding.NotFinite(2, 7L), "in layer 2, after iteration 7"
        ] do
        Assert.Contains(words, string finding)
