/// EncodedRows.fs: columns of categories take one number a row, and mean an input for each category.
module Pipeline.Properties.EncodedRowsLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables
open Pipeline.Properties.TableEncodingLaws

[<Law>]
let ``what is taken of a table's rows has the bits of their inputs`` (any: AnyTable) (Seed seed) =
    match fitted choice any with
    | None -> ()
    | Some(table, encoding) ->
        let inputs: Matrix<float> = TableEncoding.encode encoding table |> orFail
        let data: Dataset<float> = TableData.withoutLabels encoding 2 table |> orFail
        Exactly.equal (inputs.RowCount, inputs.ColumnCount) (data.Features, data.Count)

        let some iteration =
            Array.init 7 (RandomNumbers.below table.Rows seed RandomStream.GradientCheck iteration)

        let places, again = some 0L, some 1L |> Array.map (fun place -> place % 7)
        let taken = (Dataset.select places data |> Dataset.take again).Inputs

        for s in 0..6 do
            Exactly.bits ((inputs.Column places[again[s]]).ToArray()) ((taken.Column s).ToArray())

[<Law>]
let ``test rows that leaked are those with the inputs of a training row``
    (train: byte list)
    (test: byte list)
    =
    // Few values, so that many rows are equal.
    let rows (bytes: byte list) =
        let bytes = 0uy :: 1uy :: bytes

        table [
            "size", texts (bytes |> List.map (fun b -> string (b / 4uy % 3uy)))
            "colour", texts (bytes |> List.map (fun b -> $"c{b % 2uy}"))
            "label", texts (bytes |> List.mapi (fun i _ -> if i % 2 = 0 then "a" else "b"))
        ]

    let choice = {
        plainChoice with
            Categorical = [ "colour" ]
    }

    let prepared: TableData<float> =
        TableData.prepare
            choice
            Head.Softmax
            ValueNone
            (TestRows.Separate(rows test, ""))
            ""
            (rows train)
        |> orFail

    let inputsOf (data: Dataset<float>) =
        let inputs = (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs
        [ for s in 0 .. data.Count - 1 -> List.ofSeq (inputs.Column s) ]

    let known = inputsOf prepared.Train

    inputsOf prepared.Test
    |> List.indexed
    |> List.filter (fun (_, row) -> List.contains row known)
    |> List.map fst
    |> Exactly.equal (List.ofArray prepared.Leaked)

[<Fact>]
let ``a column of many categories takes no memory for each of them`` () =
    let rows = 20000

    let column factor =
        texts (Array.init rows (fun row -> $"c{row * factor % 900}"))

    let rows =
        table [
            "one", column 1
            "other", column 7
            "label", texts (Array.init rows (fun row -> if row % 3 = 0 then "a" else "b"))
        ]

    let before = GC.GetAllocatedBytesForCurrentThread()
    let data = prepared plainChoice rows |> orFail
    let bytes = GC.GetAllocatedBytesForCurrentThread() - before
    Exactly.equal 1800 data.Train.Features
    // Training and test inputs would be 288 MB each.
    Assert.True(bytes < 144_000_000L, $"%d{bytes} bytes")
