/// DataSplit.fs: the samples that a run uses, and those kept for validation.
module Pipeline.Properties.DataSplitLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

let private splitOf samples validation seed =
    DataSplit.create samples 0.2 validation seed |> orFail

/// Samples whose number is their place, the classes taking turns.
let private numbered count : Dataset<float> =
    let inputs = Matrix<float>.Build.Dense(1, count, (fun _ place -> float place))
    Dataset.ofColumns 2 inputs (Targets.Labels [| for place in 0 .. count - 1 -> place % 2 |])

let private numbers (data: Dataset<float>) =
    let batch = Dataset.take [| 0 .. data.Count - 1 |] data
    Kernels.values batch.Inputs |> List.ofArray

[<Law>]
let ``a split has samples of 1 or more and shares of 0 to 0.9, or a fault for each that it has not``
    (samples: int)
    (testShare: float)
    (validation: float)
    (Seed seed)
    =
    let isShare share = share >= 0.0 && share <= 0.9

    let expected = [
        if samples < 1 then
            "Samples"
        if not (isShare testShare) then
            "TestShare"
        if not (isShare validation) then
            "Validation"
    ]

    let found =
        match DataSplit.create (Nullable samples) testShare validation seed with
        | Ok _ -> []
        | Error faults -> faults |> List.map _.Subject

    Exactly.equal expected found

[<Law>]
let ``without a number of samples and a share nothing is split`` (PositiveInt count) (Seed seed) =
    let data = numbered (count + 1)

    let struct (train, validation) =
        DataSplit.training (splitOf (Nullable()) 0.0 seed) data |> orFail

    Assert.True validation.IsNone
    Exactly.equal (numbers data) (numbers train)

[<Law>]
let ``training and validation together are the samples used, each once and in order`` (Seed seed) =
    let split = splitOf (Nullable 20) 0.3 seed
    let struct (train, validation) = DataSplit.training split (numbered 40) |> orFail
    let train, validation = numbers train, numbers validation.Value
    Exactly.equal (14, 6) (train.Length, validation.Length)

    let struct (used, _) =
        DataSplit.training (splitOf (Nullable 20) 0.0 seed) (numbered 40) |> orFail

    Exactly.equal (numbers used) (List.sort (train @ validation))
    Exactly.equal (List.sort train) train

[<Fact>]
let ``a split that leaves one side empty is refused, with the numbers`` () =
    let faults split count =
        match DataSplit.training split (numbered count) with
        | Ok _ -> failwith "expected a fault"
        | Error faults -> faults |> List.map string

    Assert.Equal<string list>(
        [
            "Validation: expected a share that leaves samples on both sides, found 0.1 of 4: 0 to validate with (equal rows are on the same side)."
        ],
        faults (splitOf (Nullable()) 0.1 1UL) 4
    )

    let one: Dataset<float> =
        Dataset.ofColumns 9 (Matrix<float>.Build.Dense(1, 9)) (Targets.Labels [| 0..8 |])

    match DataSplit.training (splitOf (Nullable 1) 0.0 1UL) one with
    | Error [ fault ] ->
        Assert.StartsWith("Samples: expected enough for a sample of a class", string fault)
    | other -> failwith $"{other}"
