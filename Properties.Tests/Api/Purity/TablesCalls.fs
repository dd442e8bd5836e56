/// Calls of the public functions of Tables that are given something changeable.
module internal Pipeline.Properties.TablesCalls

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats

let calls (given: PurityGiven) : PureCall list =
    let bytes = ReadOnlyMemory given.File


    [
        "TextLabels.Classes", fun () -> TextLabels.classes given.TextLabels
        "TextLabels.Indices", fun () -> TextLabels.indices [ "a"; "b" ] given.TextLabels
        "TableEncoding.Fit", fun () -> TableEncoding.fit choice given.Table |> sure
        "TableEncoding.Encode",
        fun () ->
            (TableEncoding.encode (TableEncoding.fit choice given.Table |> orFail) given.Table
            : Result<Matrix<float>, _>)
            |> sure
        "TableSummary.Create", fun () -> TableSummary.create choice Head.Identity given.Table
        "TableFolds.Create",
        fun () -> TableFolds.create choice Head.Identity FoldRule.Stratified 1UL 2 given.Table
        "Histogram.Create", fun () -> Histogram.create 3 given.Numbers
        "Leakage.Find", fun () -> Leakage.find 1 bytes bytes
        "Rows.WithNames", fun () -> Rows.withNames [ "Numbers" ] given.Table
        "TableData.Samples",
        fun () ->
            let encoding = TableEncoding.fit choice given.Table |> orFail
            let column = given.Columns.Head

            (TableData.samples encoding [ "1"; "3" ] column (Table.take [| 0; 2 |] given.Table)
            : Result<Dataset<float>, _>)
        "TableData.WithoutLabels",
        fun () ->
            let encoding = TableEncoding.fit choice given.Table |> orFail

            (TableData.withoutLabels encoding 2 given.Table: Result<Dataset<float>, _>)
            |> sure
        "TableData.Prepare",
        fun () ->
            let test = TestRows.Separate(given.Table, "test")

            (TableData.prepare choice Head.Softmax ValueNone test "train" given.Table
            : Result<TableData<float>, _>)
        "Preprocessing.EncodingOf",
        fun () -> Preprocessing.encodingOf Preprocessing.Numbers CellRules.Default 2 given.Table
        "TableEncoding.Inputs", fun () -> TableEncoding.inputs choice given.Table
    ]
