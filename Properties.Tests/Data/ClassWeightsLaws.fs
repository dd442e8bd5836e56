/// ClassWeights.fs: a sample that counts k times is k samples.
module Pipeline.Properties.ClassWeightsLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private classes = [ "a"; "b"; "c" ]

/// Samples of the three classes, each class at least once.
let private samples (Seed seed) : Dataset<float> =
    let labels =
        Array.init 9 (fun i ->
            if i < 3 then
                i
            else
                RandomNumbers.below 3 seed RandomStream.GradientCheck 0L i)

    let inputs =
        Matrix<float>
            .Build.Dense(
                4,
                9,
                fun i s ->
                    RandomNumbers.uniform seed RandomStream.GradientCheck 1L (9 * i + s) - 0.5
            )

    Dataset.ofColumns 3 inputs (Targets.Labels labels)

let private labelsOf (data: Dataset<'T>) : int[] =
    match data.Targets with
    | Targets.Labels labels -> labels
    | Targets.Columns _ -> failwith "classes were expected"

let private weighted (weights: ClassWeights) (data: Dataset<float>) : Dataset<float> =
    ClassWeights.apply classes weights data |> orFail

let private network (Seed seed) : Network<float> =
    Architecture.dense Activation.Tanh [ 4; 5; 3 ]
    |> Network.initialise (Initialiser.Fixed 0.5) seed

let private whole (data: Dataset<'T>) =
    Dataset.take [| 0 .. data.Count - 1 |] data

[<Law>]
let ``a weight of k is the loss and the gradient of k equal samples`` seed (counts: int[]) =
    let times label =
        if label < counts.Length then
            1 + abs (counts[label] % 4)
        else
            2

    let data = samples seed

    let weights =
        ClassWeights.Given(classes |> List.mapi (fun label name -> name, float (times label)))

    let repeated = [|
        for s, label in Array.indexed (labelsOf data) do
            for _ in 1 .. times label do
                s
    |]

    let network = network seed

    let struct (loss, gradient) =
        Gradient.backward network (whole (weighted weights data))

    let struct (expected, expectedGradient) =
        Gradient.backward network (Dataset.take repeated data)

    Approximately.equal 1e-12 [| expected |] [| loss |]

    Approximately.equal
        1e-12
        (Parameters.toVector expectedGradient |> _.ToArray())
        (Parameters.toVector gradient |> _.ToArray())

[<Law>]
let ``balanced classes count the same in all, and the mean weight is 1`` seed (counts: int[]) =
    let data = samples seed

    let own =
        Array.init data.Count (fun s ->
            if s < counts.Length then
                float (1 + abs (counts[s] % 4))
            else
                1.0)

    let all =
        Dataset.withWeights own data
        |> weighted ClassWeights.Balanced
        |> Dataset.weights

    let totals =
        Array.zip (labelsOf data) all
        |> Array.groupBy fst
        |> Array.map (fun (_, same) -> same |> Array.sumBy snd)

    Approximately.equal 1e-12 (Array.create 3 3.0) totals
    // Within a class, samples keep their own weights.
    let first = Array.IndexOf(labelsOf data, 0)

    for s, label in Array.indexed (labelsOf data) do
        if label = 0 then
            Approximately.equal 1e-12 [| own[s] / own[first] |] [| all[s] / all[first] |]

[<Law>]
let ``equal weights change nothing`` seed =
    let data = samples seed
    let network = network seed
    let equal = ClassWeights.Given [ "a", 7.0; "b", 7.0; "c", 7.0 ]

    Approximately.equal 1e-12 [| (Network.evaluate network data).Loss |] [|
        (Network.evaluate network (weighted equal data)).Loss
    |]

    Exactly.equal
        (Network.evaluate network data).Accuracy
        (Network.evaluate network (weighted equal data)).Accuracy

[<Fact>]
let ``weights are read from texts, or refused with the text`` () =
    Assert.Equal(Ok ClassWeights.Balanced, ClassWeights.parse [ "balanced" ])

    Assert.Equal(
        Ok(ClassWeights.Given [ "yes", 5.0; "a=b", 0.5 ]),
        ClassWeights.parse [ "yes=5"; "a=b = 0.5" ]
    )

    for wrong in [ "yes"; "yes="; "=2"; "yes=0"; "yes=-1"; "yes=NaN"; "yes=∞"; "" ] do
        Exactly.faulted
            [ "ClassWeights"; "CLASS=NUMBER"; $"'{wrong}'" ]
            (ClassWeights.parse [ wrong ])

    Exactly.faulted [ "class a 2 weights" ] (ClassWeights.parse [ "a=1"; "a=2" ])

    ClassWeights.apply classes (ClassWeights.Given [ "d", 2.0 ]) (samples (Seed 1UL))
    |> Exactly.faulted [ "a, b, c"; "'d'" ]

    let numbers =
        Dataset.ofColumns
            1
            (Matrix<float>.Build.Dense(1, 2))
            (Targets.Columns(Matrix<float>.Build.Dense(1, 2)))

    ClassWeights.apply classes ClassWeights.Balanced numbers
    |> Exactly.faulted [ "classes"; "numbers" ]
