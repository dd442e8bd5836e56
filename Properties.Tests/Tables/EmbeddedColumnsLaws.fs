/// EmbeddedColumns.fs: which columns are embedded, and in how many numbers.
module Pipeline.Properties.EmbeddedColumnsLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private category name count : CategoryColumn = {
    Name = name
    Values = List.init count string
    Fill = ""
}

let private encoding: TableEncoding = {
    Numbers = [
        for name in [ "price"; "age" ] do
            {
                Name = name
                Fill = nan
                Centre = 0.0
                Scale = 1.0
            }
    ]
    Categories = [
        category "plan" 3
        category "town" 990
        category "kind" 20
        category "agent" 21
    ]
    Format = CellFormat.Default
}

let private named (texts: string list) : string =
    EmbeddedColumns.parse texts
    |> Result.bind (EmbeddedColumns.layerOf (Preprocessing.Table encoding))
    |> orFail
    |> ValueOption.map string
    |> ValueOption.defaultValue ""

[<Fact>]
let ``columns get the sizes given, or those of the rule for many categories`` () =
    Exactly.equal "embedding 2 3 990:50 20 21:9" (named [ "auto" ])
    Exactly.equal "embedding 2 3:2 990 20 21" (named [ "plan=2" ])
    Exactly.equal "embedding 2 3:1 990:8 20 21:9" (named [ " town = 8"; "Auto"; "plan=1" ])

    let few = {
        encoding with
            Categories = [ category "plan" 20 ]
    }

    EmbeddedColumns.parse [ "Auto" ]
    |> Result.bind (EmbeddedColumns.layerOf (Preprocessing.Table few))
    |> Exactly.equal (Ok ValueNone)

[<Law>]
let ``the rule gives min(50, 1.6·c^0.56), from 21 categories on`` (FsCheck.PositiveInt count) =
    let count = 1 + count * 37 % 1000

    let expected =
        if count <= 20 then
            0
        else
            min 50 (int (Math.Round(1.6 * Math.Pow(float count, 0.56))))

    Exactly.equal expected (EmbeddedColumns.usualSize count)

[<Fact>]
let ``faults name the column, and all are told at once`` () =
    for texts, words in
        [
            [ "town=0" ], [ "Embeddings: expected Auto, or COLUMN=SIZE"; "'town=0'" ]
            [ "town"; "=3" ], [ "'town'"; "'=3'" ]
            [ "town=3"; "town=4" ], [ "column town 2 sizes" ]
        ] do
        EmbeddedColumns.parse texts |> Exactly.faulted words

    let faulted preprocessing texts words =
        EmbeddedColumns.parse texts
        |> Result.bind (EmbeddedColumns.layerOf preprocessing)
        |> Exactly.faulted words

    faulted (Preprocessing.Table encoding) [ "price=3"; "twon=3"; "plan=3" ] [
        "Embeddings cannot embed column price of numbers; Data:Categorical"
        "expected columns of plan, town, kind, agent, found 'twon'"
        "expected fewer numbers for column plan than its 3 categories, found 3"
    ]

    faulted (Preprocessing.Table { encoding with Categories = [] }) [ "twon=3" ] [
        "none, as no input is a column of categories"
    ]

    faulted (Preprocessing.Pixels(ImageSize.Grey(4, 4))) [ "Auto" ] [
        "expected a table, found images"
    ]

    faulted Preprocessing.Numbers [ "Auto" ] [ "expected a table, found numbers" ]
