/// Spelling.fs, LabelCheck.fs, TableLabels.fs: which texts are one class.
module Pipeline.Properties.SpellingLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private choice = plainChoice
let private labelled = CellFormatLaws.labelled
let private numbers = CellFormatLaws.numbers

let private label (cells: string list) = { Name = "label"; Cells = texts cells }

let private classes (cells: string list) =
    TableLabels.classes CellFormat.Default (label cells) (labelled cells) |> orFail

let private places classes (cells: string list) =
    TableLabels.labels CellFormat.Default classes (label cells) (labelled cells)
    |> orFail

[<Fact>]
let ``all spellings of a number or a truth value are one class, in any file`` () =
    Exactly.equal [ "0"; "1" ] (classes [ "0"; "0.0"; "1"; "1e0" ])
    Exactly.equal [ "0.0"; "1.0" ] (classes [ "0.0"; "1.0" ])
    Exactly.equal [| 0; 1; 0; 1 |] (places [ "0.0"; "1.0" ] [ "0"; "1"; "-0"; "+1" ])
    Exactly.equal [ "False"; "True" ] (classes [ "False"; "True" ])
    Exactly.equal [| 0; 1; 1 |] (places [ "False"; "True" ] [ "false"; "TRUE"; "true" ])
    // JSON's truth values were 1 and 0 to models trained before.
    Exactly.equal [| 0; 1 |] (places [ "0"; "1" ] [ "false"; "true" ])
    Exactly.equal [ "No"; "no"; "yes" ] (classes [ "no"; "No"; " yes"; "yes" ])

[<Fact>]
let ``warnings name texts that differ by case or spaces only, and spellings of one number`` () =
    let rows =
        table [
            "x", texts (numbers 20)
            "answer",
            texts [ for i in 0..19 -> [ "Yes"; "yes"; "no"; "New  York"; "new york" ][i % 5] ]
            "label", texts [ for i in 0..19 -> [ "0"; "0.0"; "1" ][i % 3] ]
        ]

    let data = prepared choice rows |> orFail

    for words in
        [
            "'Yes' (8 cells) and 'yes' (8 cells) differ by"
            "'New  York' (8 cells) and 'new york' (8 cells) differ by"
            "'0' (14 cells) and '0.0' (14 cells) are taken for one value"
        ] do
        Assert.Contains(data.Report.Warnings, fun (sentence: string) -> sentence.Contains words)

[<Theory>]
[<InlineData("yes", "yes ", "'yes' (20 cells) and 'yes ' (20 cells) are taken for one value, yes.")>]
[<InlineData("yes",
             "\u00A0yes",
             "'yes' (20 cells) and '\\u00A0yes' (20 cells) are taken for one value, yes.")>]
[<InlineData("New York",
             "New\u00A0York",
             "'New York' (20 cells) and 'New\\u00A0York' (20 cells) differ by")>]
[<InlineData("yes", "y\u200Bes", "'yes' (20 cells) and 'y\\u200Bes' (20 cells) differ by")>]
[<InlineData("caf\u00E9",
             "cafe\u0301",
             "'cafe\\u0301' (20 cells) and 'caf\u00E9' (20 cells) may be one text")>]
[<InlineData("yes", "true", "'true' (20 cells) and 'yes' (20 cells) may mean the same")>]
[<InlineData("N", "no", "'N' (20 cells) and 'no' (20 cells) may mean the same")>]
let ``values that may mean the same are never merged or kept apart silently``
    (one: string, other: string, says: string)
    =
    let values = [ for i in 0..39 -> [ one; other; "maybe"; "perhaps" ][i % 4] ]

    for rows, name in
        [
            table [ "x", texts (numbers 40); "answer", texts values ], "Label answer: "
            table [
                "answer", texts values
                "label", texts [ for i in 0..39 -> [ "a"; "b" ][i / 4 % 2] ]
            ],
            "Column answer: "
        ] do
        let warnings = (prepared choice rows |> orFail).Report.Warnings
        Assert.Contains(warnings, fun (sentence: string) -> sentence.StartsWith(name + says))

[<Fact>]
let ``a warning names a value that test rows spell in another way`` () =
    let rows (space: string) =
        table [
            "x", texts (numbers 20)
            "label", texts [ for i in 0..19 -> [ "a"; "b" ][i % 2] + space ]
        ]

    let data: TableData<float> =
        TableData.prepare
            choice
            Head.Softmax
            ValueNone
            (TestRows.Separate(rows " ", ""))
            ""
            (rows "")
        |> orFail

    Assert.Contains(
        "Label label: 'a' (10 cells) and 'a ' (10 cells) are taken for one value, a.",
        data.Report.Warnings
    )

[<Fact>]
let ``labels that mix truth values and the numbers that stand for them are refused`` () =
    let rows values =
        table [
            "x", texts (numbers 40)
            "label", texts [ for i in 0..39 -> List.item (i % List.length values) values ]
        ]

    for values in [ [ "1"; "true"; "0"; "false" ]; [ "1.0"; "False" ]; [ "0"; "TRUE"; "maybe" ] ] do
        prepared choice (rows values)
        |> Exactly.faulted [ "column label"; "mixes truth values and numbers"; "Data:Categorical" ]

    Exactly.equal
        4
        (prepared
            {
                choice with
                    Categorical = [ "label" ]
            }
            (rows [ "1"; "true"; "0"; "false" ])
         |> orFail)
            .Classes.Length

[<Fact>]
let ``numbers as labels are classes where they are whole and recur, else Identity is meant`` () =
    let prepare labels =
        prepared choice (table [ "x", texts (numbers 40); "label", texts labels ])

    prepare [ for i in 0..39 -> string (float (i % 4) + 0.5) ]
    |> Exactly.faulted [ "column label"; "Model:Head Identity"; "4 different numbers, such as 0.5" ]

    prepare [ for i in 0..39 -> string (1000 * i) ]
    |> Exactly.faulted [ "Model:Head Identity"; "40 different numbers in 40 rows" ]

    prepare [ for i in 0..39 -> $"name {i}" ]
    |> Exactly.faulted [ "40 different texts in 40 rows"; "too many for classes" ]

    Exactly.equal 10 (prepare [ for i in 0..39 -> string (i % 10) ] |> orFail).Classes.Length
