/// Leakage.fs: test samples among the training samples.
module Pipeline.Properties.LeakageLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``leaked rows are those that a search through all pairs finds``
    (train: byte list)
    (test: byte list)
    (size: FsCheck.PositiveInt)
    =
    // Few values, so that many rows are equal.
    let size = 1 + size.Get % 10

    let rows (bytes: byte list) =
        bytes
        |> List.map (fun b -> Array.init size (fun i -> if i = size - 1 then b % 3uy else 7uy))

    let train, test = rows train, rows test
    let memory rows = ReadOnlyMemory(Array.concat rows)

    test
    |> List.indexed
    |> List.filter (fun (_, row) -> List.contains row train)
    |> List.map fst
    |> Exactly.equal (List.ofArray (Leakage.find size (memory train) (memory test)))

[<Fact>]
let ``rows of no size are the caller's slip`` () =
    let bytes = ReadOnlyMemory(Array.zeroCreate<byte> 4)
    Exactly.refused [ "3"; "4" ] (fun () -> Leakage.find 3 bytes bytes)
    Exactly.refused [ "0" ] (fun () -> Leakage.find 0 bytes bytes)
