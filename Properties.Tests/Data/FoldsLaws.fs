/// Folds.fs: each sample is tested once, classes and groups are divided evenly, and time runs forward.
module Pipeline.Properties.FoldsLaws

open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Different keys for samples.
let private keys count =
    Array.init count (fun s -> RandomNumbers.bits 3UL RandomStream.Test 0L s)

/// Classes of any number of samples, 12 or more, and a number of folds.
let private cases (NonEmptyArray(classes: byte[])) (PositiveInt folds) =
    let classes =
        Array.append
            [| 0; 0; 0; 1; 1; 1; 2; 2; 2; 2; 2; 2 |]
            (classes |> Array.map (fun k -> int k % 4))

    classes, 2 + folds % 7

let private requirePartition count (folds: Fold list) =
    let all = [| 0 .. count - 1 |]
    Exactly.equal all (folds |> Seq.collect _.Test |> Seq.sort |> Array.ofSeq)

    for fold in folds do
        Exactly.equal all (Array.sort (Array.append fold.Training fold.Test))
        Assert.NotEmpty fold.Test

let private spread (counts: int list) = List.max counts - List.min counts

[<Law>]
let ``each sample is tested once, and the folds' numbers of samples of each class differ by 1 at most``
    (seed: uint64)
    classes
    folds
    =
    let classes, count = cases classes folds
    let folds = Folds.stratified seed count (keys classes.Length) classes |> orFail
    Exactly.equal count folds.Length
    requirePartition classes.Length folds
    Assert.True(spread (folds |> List.map _.Test.Length) <= 1)

    for k in Array.distinct classes do
        let own (fold: Fold) =
            fold.Test |> Array.filter (fun s -> classes[s] = k) |> Array.length

        Assert.True(spread (folds |> List.map own) <= 1)

[<Law>]
let ``a sample's fold does not depend on its place`` (seed: uint64) classes folds =
    let classes, count = cases classes folds
    let keys = keys classes.Length

    let foldsOf (order: int[]) =
        Folds.stratified
            seed
            count
            (Array.permute (Array.get order) keys)
            (Array.permute (Array.get order) classes)
        |> orFail
        |> List.map (fun fold ->
            fold.Test |> Array.map (fun s -> keys[Array.findIndex ((=) s) order]) |> set)

    let order = RandomNumbers.permutation classes.Length seed RandomStream.Validation 1L

    Exactly.equal (foldsOf [| 0 .. classes.Length - 1 |]) (foldsOf order)

[<Law>]
let ``the samples of a group are in one fold`` (seed: uint64) classes folds (PositiveInt groups) =
    let classes, count = cases classes folds
    let different = count + groups % 20

    let groups =
        Array.init classes.Length (fun s ->
            if s < different then
                uint64 s
            else
                uint64 (s * s % different))

    match Folds.stratified seed count groups classes with
    | Error faults -> Assert.True((Array.distinct groups).Length < count, $"{faults}")
    | Ok folds ->
        requirePartition classes.Length folds

        for fold in folds do
            Assert.Empty(
                Set.intersect
                    (fold.Training |> Array.map (Array.get groups) |> set)
                    (fold.Test |> Array.map (Array.get groups) |> set)
            )

[<Law>]
let ``a fold in time is tested by what was before it``
    (NonEmptyArray(times: byte[]))
    (PositiveInt folds)
    =
    let times = Array.append [| 0.0 .. 10.0 |] (times |> Array.map float)
    let distinct = (Array.distinct times).Length
    let count = 2 + folds % 8
    let folds = Folds.forward count times |> orFail
    Exactly.equal count folds.Length

    for fold in folds do
        Assert.True(
            (fold.Training |> Array.map (Array.get times) |> Array.max) <
                (fold.Test |> Array.map (Array.get times) |> Array.min)
        )

    for earlier, later in List.pairwise folds do
        Exactly.equal later.Training (Array.sort (Array.append earlier.Training earlier.Test))

    let last = List.last folds
    Exactly.equal times.Length (last.Training.Length + last.Test.Length)
    Assert.True(Folds.forward (distinct - 1) times |> Result.isOk)
    Assert.True(Folds.forward distinct times |> Result.isError)

[<Fact>]
let ``equal parts of time have as many samples`` () =
    let folds = Folds.forward 3 (Array.init 8 float) |> orFail
    Exactly.equal [ 2; 4; 6 ] (folds |> List.map _.Training.Length)
    Exactly.equal [ 2; 2; 2 ] (folds |> List.map _.Test.Length)

[<Fact>]
let ``a number of folds that the samples cannot fill is refused with the most that they can`` () =
    let text folds =
        match Folds.stratified 1UL folds [| 1UL; 2UL; 2UL; 3UL |] [| 0; 0; 1; 1 |] with
        | Error [ fault ] -> string fault
        | other -> failwith $"found {other}"

    Exactly.equal
        "Folds: expected 2 to 3, as there are 3 different samples or groups, found 4."
        (text 4)

    Exactly.equal
        "Folds: expected 2 to 3, as there are 3 different samples or groups, found 1."
        (text 1)
