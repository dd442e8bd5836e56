/// Importance.fs: what shuffling a column costs.
module Pipeline.Properties.ImportanceLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private names = [ "first", [ 0 ]; "second", [ 1; 2 ] ]

let private samples (Seed seed) : Matrix<float> =
    Matrix<float>
        .Build.Dense(
            3,
            150,
            fun i s -> RandomNumbers.uniform seed RandomStream.GradientCheck 0L (3 * s + i) - 0.5
        )

/// A network that sees the given inputs only.
let private seeing (inputs: int list) (Seed seed) : Network<float> =
    let network =
        Architecture.dense Activation.Tanh [ 3; 4; 2 ]
        |> Network.initialise (Initialiser.Fixed 1.0) seed

    {
        network with
            Parameters = {
                Layers =
                    network.Parameters.Layers
                    |> List.mapi (fun i layer ->
                        if i > 0 then
                            layer
                        else
                            let seen =
                                layer.Weights.MapIndexed(fun _ input w ->
                                    if List.contains input inputs then w else 0.0)

                            LayerParameters.withMatrix "W" seen layer)
            }
    }

/// Labels that are what the network says.
let private labelled (network: Network<float>) (inputs: Matrix<float>) : Dataset<float> =
    Dataset.ofColumns 2 inputs (Targets.Labels(Network.classify (Network.predict network inputs)))

[<Law>]
let ``a column that the network does not use has no importance, and others are what their definition says``
    seed
    =
    let network = seeing [ 0 ] seed
    let inputs = samples seed
    let data = labelled network inputs
    let found = Importance.ofColumns 3UL 4 names network data
    Assert.Equal<string list>([ "first"; "second" ], found |> List.map _.Name)
    Exactly.equal 0.0 found[1].Loss
    Exactly.equal 0.0 found[1].Accuracy

    // The definition, one order after the other.
    let score = Network.evaluate network data

    let losses = [
        for repetition in 0L .. 3L do
            let order = RandomNumbers.permutation 150 3UL RandomStream.Permutation repetition

            let moved =
                Matrix<float>
                    .Build
                    .Dense(3, 150, fun i s -> if i = 0 then inputs[0, order[s]] else inputs[i, s])

            (Network.evaluate network (Dataset.ofColumns 2 moved data.Targets)).Loss
            - score.Loss
    ]

    let mean = List.average losses
    let deviation = losses |> List.averageBy (fun loss -> (loss - mean) ** 2.0) |> sqrt
    Approximately.equal 1e-9 [| mean; deviation |] [| found[0].Loss; found[0].LossDeviation |]

[<Law>]
let ``a column of equal values has no importance, and other columns do not change that of one``
    seed
    =
    let network = seeing [ 0; 1; 2 ] seed
    let inputs = samples seed
    let equal = inputs.MapIndexed(fun i _ x -> if i = 0 then 0.25 else x)
    let data = labelled network equal
    let found = Importance.ofColumns 3UL 2 names network data
    Exactly.equal 0.0 found[0].Loss
    Exactly.equal [ found[1] ] (Importance.ofColumns 3UL 2 [ names[1] ] network data)

[<Fact>]
let ``the columns of an encoding are its numbers, then its categories`` () =
    let encoding =
        SmallTables.table [
            "age", Cells.Numbers [| 1.0; 2.0; 3.0 |]
            "plan", SmallTables.texts [ "a"; "b"; "c" ]
            "fee", Cells.Numbers [| 1.0; 5.0; 3.0 |]
            "label", SmallTables.texts [ "x"; "y"; "x" ]
        ]
        |> TableEncoding.fit {
            SmallTables.plainChoice with
                Categorical = [ "plan" ]
        }
        |> orFail

    Assert.Equal<(string * int list) list>(
        [ "age", [ 0 ]; "fee", [ 1 ]; "plan", [ 2; 3; 4 ] ],
        Importance.columnsOf encoding
    )

[<Law>]
let ``a column that the network does not use has no importance for weighted samples either`` seed =
    let network = seeing [ 0 ] seed
    let inputs = samples seed
    let data = labelled (seeing [ 1; 2 ] seed) inputs

    let weighted =
        data |> Dataset.withWeights (Array.init data.Count (fun s -> float (1 + s % 3)))

    let found = Importance.ofColumns 3UL 2 names network weighted
    Exactly.equal 0.0 found[1].Loss
    Exactly.equal 0.0 found[1].Accuracy
