/// TableData.fs, TestRows.fs: training and test samples of tables.
module Pipeline.Properties.TableDataLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private choice = TableEncodingLaws.choice
let private fitted = TableEncodingLaws.fitted

[<Law>]
let ``a split has every row once, the same ones for the same seed`` (any: AnyTable) (Seed seed) =
    match fitted choice any with
    | None -> ()
    | Some(table, _) ->
        let prepare () : Result<TableData<float>, _> =
            TableData.prepare choice Head.Softmax ValueNone (TestRows.Fraction(0.4, seed)) "" table

        match prepare () with
        // So few rows may lack a class, a category, or any number, on one side.
        | Error faults -> Assert.NotEmpty faults
        | Ok data ->
            Exactly.equal table.Rows (data.Train.Count + data.Test.Count)
            let again = prepare () |> orFail

            let inputs (data: Dataset<float>) =
                cells (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs

            Exactly.bits (inputs data.Train) (inputs again.Train)
            Exactly.bits (inputs data.Test) (inputs again.Test)

[<Fact>]
let ``test rows have no say in the encoding`` () =
    let rows values =
        table [
            "x", texts (values |> List.map string)
            "label", texts (values |> List.mapi (fun i _ -> if i % 2 = 0 then "a" else "b"))
        ]

    let train = rows [ 1; 2; 3; 4 ]

    let encoding test =
        (TableData.prepare choice Head.Softmax ValueNone (TestRows.Separate(rows test, "")) "" train
         |> orFail
        : TableData<float>)
            .Encoding

    Exactly.equal (encoding [ 1; 2 ]) (encoding [ 1000; -1000; 7 ])
    Exactly.equal (TableEncoding.fit choice train |> orFail) (encoding [ 5; 6 ])

[<Law>]
let ``numbers to predict are shared out, though no two are the same`` (Seed seed) =
    let rows =
        table [
            "x", texts [ for i in 1..200 -> string (i * i) ]
            "price", texts [ for i in 1..200 -> string (float i / 7.0) ]
        ]

    let data: TableData<float> =
        TableData.prepare choice Head.Identity ValueNone (TestRows.Fraction(0.25, seed)) "" rows
        |> orFail

    Exactly.equal 200 (data.Train.Count + data.Test.Count)
    // Six standard deviations of 200 rows.
    Assert.InRange(data.Test.Count, 14, 86)

[<Fact>]
let ``a label of texts under Identity is one fault, on whichever sides its rows come`` () =
    let rows =
        table [
            "x", texts [ for i in 1..40 -> string i ]
            "y", texts [ for i in 1..40 -> [ "no"; "yes" ][i % 2] ]
        ]

    let prepared: Result<TableData<float>, Fault list> =
        TableData.prepare choice Head.Identity ValueNone (TestRows.Fraction(0.25, 1UL)) "" rows

    match prepared with
    | Ok _ -> failwith "expected a fault"
    | Error faults ->
        Exactly.faulted [ "column y, row 1"; "39 cells more" ] prepared
        Exactly.equal 1 faults.Length

[<Fact>]
let ``numbers to predict that single precision cannot tell apart are refused in it`` () =
    let rows offset =
        table [
            "x", texts [ for i in 1..40 -> string i ]
            "price", texts [ for i in 1..40 -> string (offset + int64 i) ]
        ]

    let prepared offset : Result<TableData<'T>, Fault list> =
        let rows = rows offset
        // A few test rows that are nearly equal are no fault.
        let test = rows |> Table.take [| 0; 1 |]
        TableData.prepare choice Head.Identity ValueNone (TestRows.Separate(test, "")) "" rows

    (prepared 1_000_000_000L: Result<TableData<float32>, _>)
    |> Exactly.faulted [ "column price"; "Training:Precision Double"; "%" ]

    (prepared 1_000_000L: Result<TableData<float32>, _>) |> orFail |> ignore
    (prepared 1_000_000_000L: Result<TableData<float>, _>) |> orFail |> ignore

    (TableFolds.create choice Head.Identity FoldRule.Stratified 1UL 3 (rows 1_000_000_000L)
     |> orFail
     |> TableFolds.samples 0
    : Result<FoldSamples<float32>, _>)
    |> Exactly.faulted [ "column price"; "Training:Precision Double" ]

[<Fact>]
let ``numbers to predict that are nearly 0 in single precision are refused in it`` () =
    let prepared scale : Result<TableData<'T>, Fault list> =
        let rows =
            table [
                "x", texts [ for i in 1..40 -> string i ]
                "price", texts [ for i in 1..40 -> string (float i * scale) ]
            ]

        TableData.prepare choice Head.Identity ValueNone (TestRows.Separate(rows, "")) "" rows

    for scale in [ 1e-38; 1e-44 ] do
        (prepared scale: Result<TableData<float32>, _>)
        |> Exactly.faulted [ "column price"; "1E-36 or greater"; "Training:Precision Double" ]

        (prepared scale: Result<TableData<float>, _>) |> orFail |> ignore

    (prepared 1e-36: Result<TableData<float32>, _>) |> orFail |> ignore

[<Fact>]
let ``under Identity the label is a number to predict`` () =
    let rows =
        table [ "x", texts [ "1"; "2"; "3" ]; "price", texts [ "10"; "20.5"; "30" ] ]

    let prepared =
        TableData.prepare choice Head.Identity ValueNone (TestRows.Separate(rows, "")) "" rows

    let data: TableData<float> = orFail prepared
    Exactly.equal 1 data.Train.Classes
    Exactly.equal [] data.Classes

    match data.Train.Targets with
    | Targets.Columns columns -> Exactly.equal [| 10.0; 20.5; 30.0 |] (cells columns)
    | Targets.Labels _ -> failwith "expected numbers"

/// Rows without names, each with a label at its end.
let private unnamed (rows: string list list) =
    List.transpose rows
    |> List.mapi (fun place cells -> string place, texts cells)
    |> table

let private apart train test : Result<TableData<float>, Fault list> =
    TableData.prepare
        plainChoice
        Head.Softmax
        ValueNone
        (TestRows.Separate(test, "test.csv"))
        "train.csv"
        train

[<Fact>]
let ``test rows without names have as many columns as the training rows`` () =
    let train = unnamed [ [ "1"; "2"; "a" ]; [ "3"; "4"; "b" ] ]
    Assert.True((apart train train).IsOk)

    let indexed = unnamed [ [ "0"; "1"; "2"; "a" ]; [ "1"; "3"; "4"; "b" ] ]

    Exactly.equal
        (Error [
            Fault.create "test.csv" "3 columns without names, like the training rows" "4"
        ])
        (apart train indexed |> Result.map ignore)

[<Fact>]
let ``training rows of one class are refused, also where a split makes them so`` () =
    let rows =
        unnamed (List.replicate 30 [ "1"; "2"; "a" ] @ List.replicate 30 [ "3"; "4"; "b" ])

    for seed in 1UL .. 20UL do
        let prepared: Result<TableData<float>, Fault list> =
            TableData.prepare
                plainChoice
                Head.Softmax
                ValueNone
                (TestRows.Fraction(0.5, seed))
                "rows.csv"
                rows

        // Either all rows are on one side, or each class is on a side of its own.
        Assert.True(prepared.IsError)

[<Fact>]
let ``a column of weights is no input, and training rows count by it`` () =
    let rows (weights: string list) =
        table [
            "x", texts [ "1"; "2"; "3"; "4" ]
            "w", texts weights
            "label", texts [ "a"; "b"; "a"; "b" ]
        ]

    let options = { choice with Weight = ValueSome "w" }

    let prepared table : Result<TableData<float>, _> =
        TableData.prepare
            options
            Head.Softmax
            ValueNone
            (TestRows.Separate(rows [ "9"; "9"; "9"; "9" ], "test.csv"))
            "rows.csv"
            table

    let data = prepared (rows [ "1"; "0"; "2"; "5" ]) |> orFail
    Exactly.equal 1 data.Train.Features
    Approximately.equal 1e-12 [| 0.5; 0.0; 1.0; 2.5 |] (Dataset.weights data.Train)
    Assert.False data.Test.HasWeights
    Assert.Contains("weights in w", TableReport.describe data.Report)

    let refused words weights =
        prepared (rows weights) |> Exactly.faulted ([ "rows.csv"; "column w" ] @ words)

    refused [ "row 3"; "a weight"; "nothing" ] [ "1"; "1"; ""; "1" ]
    refused [ "row 2"; "0 or greater"; "-1 and 1 cell more" ] [ "1"; "-1"; "-2"; "1" ]
    refused [ "row 4"; "a number"; "'x'" ] [ "1"; "1"; "1"; "x" ]
    refused [ "greater than 0"; "zeros only" ] [ "0"; "0"; "0"; "0" ]

    for wrong, words in [ "label", [ "names the label" ]; "v", [ "'v'" ] ] do
        TableLayout.ofTable
            {
                options with
                    Weight = ValueSome wrong
            }
            (rows [ "1"; "1"; "1"; "1" ])
        |> Exactly.faulted ("Data:Weight" :: words)
