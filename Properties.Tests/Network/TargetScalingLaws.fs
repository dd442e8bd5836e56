/// TargetScaling.fs: scaled numbers to predict, and networks that predict them in their own unit.
module Pipeline.Properties.TargetScalingLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private samples (targets: float[]) : Dataset<float> =
    let inputs =
        Matrix<float>.Build.Dense(2, targets.Length, fun i s -> float ((s * (i + 3)) % 7) - 3.0)

    Dataset.ofColumns
        1
        inputs
        (Targets.Columns(Matrix<float>.Build.Dense(1, targets.Length, targets)))

let private targetsOf (data: Dataset<float>) : float[] =
    match data.Targets with
    | Targets.Columns columns -> columns.Row(0).ToArray()
    | Targets.Labels _ -> failwith "numbers were expected"

let private architecture =
    Architecture.create Head.Identity (Shape.Vector 2) [
        Layers.dense 3
        Layers.activation Activation.Tanh
        Layers.dense 1
    ]
    |> orFail

let private network (seed: uint64) =
    Network.initialise (Initialiser.Fixed 0.7) seed architecture

/// Prices, in units from thousandths to billions, that differ.
let private prices (Seed seed) (centre: int) (unit: int) : float[] =
    let unit = 10.0 ** float (abs unit % 10 - 3)

    Array.init 12 (fun i ->
        unit
        * (float (centre % 1000)
           + float (RandomNumbers.below 100 seed RandomStream.GradientCheck 0L i)))

[<Law>]
let ``scaled targets have mean 0 and deviation 1, or lie from 0 to 1`` seed centre unit =
    let data = samples (prices seed centre unit)

    let scaled scaling =
        match TargetScaling.fit scaling data with
        | ValueSome fitted -> targetsOf (TargetScaling.apply fitted data)
        | ValueNone -> failwith "a scaling was expected"

    let standard = scaled Scaling.Standard
    let mean = Array.average standard
    let deviation = standard |> Array.averageBy (fun t -> t * t) |> sqrt

    if Array.distinct standard |> Array.length > 1 then
        Approximately.equal 1e-6 [| 0.0; 1.0 |] [| mean; deviation |]
        let minMax = scaled Scaling.MinMax
        Approximately.equal 1e-9 [| 0.0; 1.0 |] [| Array.min minMax; Array.max minMax |]

[<Law>]
let ``the restored network predicts in the targets' unit what the other predicts scaled``
    (Seed seed)
    centre
    unit
    =
    let data = samples (prices (Seed seed) centre unit)
    let network: Network<float> = network seed

    match TargetScaling.fit Scaling.Standard data with
    | ValueNone -> failwith "a scaling was expected"
    | ValueSome scaling ->
        let restored = TargetScaling.restore scaling network
        let scale, centre = scaling.Scales[0], scaling.Centres[0]

        let predictions network =
            (Network.probabilities network data).Row(0).ToArray()

        Approximately.equal
            1e-9
            (predictions network
             |> Array.map (fun y -> (y * scale + centre) / (abs centre + scale)))
            (predictions restored |> Array.map (fun y -> y / (abs centre + scale)))

        // Half the squared error is of the unit squared.
        let loss network data = (Network.evaluate network data).Loss

        Approximately.equal 1e-6 [| loss network (TargetScaling.apply scaling data) |] [|
            loss restored data / (scale * scale)
        |]

[<Fact>]
let ``targets that do not vary become 0, classes and no scaling stay`` () =
    let data = samples (Array.create 5 170000.0)

    match TargetScaling.fit Scaling.Standard data with
    | ValueSome scaling ->
        Assert.All(targetsOf (TargetScaling.apply scaling data), fun t -> Assert.Equal(0.0, t))
    | ValueNone -> failwith "a scaling was expected"

    Assert.True (TargetScaling.fit Scaling.None data).IsNone

    let classes =
        Dataset.ofColumns 2 (Matrix<float>.Build.Dense(1, 2)) (Targets.Labels [| 0; 1 |])

    Assert.True (TargetScaling.fit Scaling.Standard classes).IsNone

[<Fact>]
let ``a network that cannot take a scaling over, and other targets, are refused`` () =
    let scaling = {
        Centres = [| 1.0 |]
        Scales = [| 2.0 |]
    }

    let ending layers head =
        Architecture.create head (Shape.Vector 2) layers |> orFail

    let bounded =
        ending [ Layers.dense 1; Layers.activation Activation.Tanh ] Head.Identity

    let classes = ending [ Layers.dense 2 ] Head.Softmax
    Assert.True(TargetScaling.applies architecture)

    for other in [ bounded; classes ] do
        Assert.False(TargetScaling.applies other)
        let network: Network<float> = Network.initialise (Initialiser.Fixed 0.1) 1UL other

        Exactly.refused [ "dense layer as the last" ] (fun () ->
            TargetScaling.restore scaling network)

    let labels =
        Dataset.ofColumns 2 (Matrix<float>.Build.Dense(1, 2)) (Targets.Labels [| 0; 1 |])

    Exactly.refused [ "1 numbers to predict" ] (fun () -> TargetScaling.apply scaling labels)
