/// TableSummary.fs: the figures of columns, and columns that need a setting.
module Pipeline.Properties.TableSummaryLaws

open System
open System.Globalization
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private table columns =
    columns
    |> List.map (fun (name, cells) -> name, texts cells)
    |> SmallTables.table

let private summarise options head table =
    TableSummary.create options head table |> orFail

let private column name (summary: TableSummary) =
    summary.Columns |> List.find (fun column -> column.Name = name)

[<Law>]
let ``a column of numbers has their figures, blanks left out``
    (NonEmptyArray(numbers: int16 option[]))
    =
    let cells = Some 3s :: List.ofArray numbers

    let found =
        table [
            "x", cells |> List.map (Option.map string >> Option.defaultValue "")
            "label", cells |> List.mapi (fun row _ -> [ "a"; "b" ][row % 2])
        ]
        |> summarise TableOptions.Default Head.Softmax
        |> column "x"

    let present = cells |> List.choose id |> List.map float
    Exactly.equal ColumnUse.Numbers found.Use
    Exactly.equal (cells.Length - present.Length) found.Missing
    Exactly.equal (List.distinct present).Length found.Different
    let mean = List.average present

    Approximately.equal 1e-9 [|
        List.min present
        mean
        sqrt (present |> List.averageBy (fun x -> (x - mean) ** 2.0))
        List.max present
    |] [| found.Lowest; found.Mean; found.Deviation; found.Highest |]

    let struct (text, count) = found.MostFrequent
    Exactly.equal count (present |> List.filter ((=) (float text)) |> List.length)
    Exactly.equal count (present |> List.countBy id |> List.map snd |> List.max)

[<Law>]
let ``equal numbers have themselves as their mean, and no deviation``
    (NormalFloat number)
    (PositiveInt count)
    =
    let number = number + 0.0

    let found =
        table [
            "x", List.replicate (count + 1) (number.ToString("R", CultureInfo.InvariantCulture))
            "label", List.init (count + 1) (fun row -> [ "a"; "b" ][row % 2])
        ]
        |> summarise TableOptions.Default Head.Softmax
        |> column "x"

    Exactly.equal number found.Mean
    Exactly.equal 0.0 found.Deviation

[<Fact>]
let ``each column has its use, and a column that needs a setting has its fault among the warnings``
    ()
    =
    let rows = 60

    let some =
        table [
            "Unnamed: 0", List.init rows string
            "name", List.init rows (fun row -> $"customer %d{row}")
            "kind", List.init rows (fun row -> [ "a"; "b"; "c" ][row % 3])
            "code", List.init rows string
            "price", List.init rows (fun row -> $"%d{row * 7 % 31}.5")
            "label", List.init rows (fun row -> if row % 4 = 0 then "yes" else "no")
        ]

    let found =
        summarise
            {
                TableOptions.Default with
                    Ignored = [ "code" ]
            }
            Head.Softmax
            some

    for name, expected in
        [
            "Unnamed: 0", ColumnUse.RowNumbers
            "name", ColumnUse.Unclear
            "kind", ColumnUse.Categories
            "code", ColumnUse.Ignored
            "price", ColumnUse.Numbers
            "label", ColumnUse.Label
        ] do
        Exactly.equal expected (column name found).Use

    Exactly.equal [ "no", 45; "yes", 15 ] found.Classes
    Assert.Contains("column name has 60 different texts in 60 rows", Assert.Single found.Warnings)
    Assert.True(Double.IsNaN (column "kind" found).Mean)

    // What is wrong with settings stays a fault.
    match
        TableSummary.create
            {
                TableOptions.Default with
                    Ignored = [ "nothing" ]
            }
            Head.Softmax
            some
    with
    | Error [ fault ] -> Assert.StartsWith("Data:Ignored: expected one of", string fault)
    | other -> failwith $"found {other}"
