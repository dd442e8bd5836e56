/// TableFolds.fs: preprocessing is fitted to the rows of a fold to learn from, and to no others.
module Pipeline.Properties.TableFoldsLaws

open System
open System.Globalization
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private table columns =
    columns
    |> List.map (fun (name, cells) -> name, texts cells)
    |> SmallTables.table

let private options = {
    TableOptions.Default with
        Label = ValueSome "label"
        Ignored = [ "day" ]
        Missing = Missing.Mean
}

let private rows = 40

let private example =
    table [
        "x", List.init rows (fun row -> string (row * row))
        "kind", List.init rows (fun row -> if row = 7 then "rare" else [ "a"; "b" ][row % 2])
        "who", List.init rows (fun row -> $"p%d{row / 4}")
        "day", List.init rows (fun row -> $"2026-11-%02d{1 + row * 3 % 28}")
        "label", List.init rows (fun row -> [ "yes"; "no"; "no" ][row % 3])
    ]

let private divide rule folds =
    TableFolds.create options Head.Softmax rule 1UL folds example |> orFail

let private samples division index : FoldSamples<float> =
    TableFolds.samples index division |> orFail

[<Fact>]
let ``a fold's encoding is the one that fits its training rows alone`` () =
    for rule in [ FoldRule.Stratified; FoldRule.Grouped "who"; FoldRule.Forward "day" ] do
        let division = divide rule 4

        division.Folds
        |> List.iteri (fun index fold ->
            let found = samples division index

            let ignored =
                match rule with
                | FoldRule.Stratified -> [ "day" ]
                | FoldRule.Grouped column
                | FoldRule.Forward column -> [ column; "day" ]

            let alone =
                TableEncoding.fit
                    { options with Ignored = ignored }
                    (Table.take fold.Training example)
                |> orFail

            Exactly.equal alone found.Encoding
            Exactly.equal fold.Training.Length found.Train.Count
            Exactly.equal fold.Test.Length found.Test.Count

            let encoded: Matrix<float> =
                TableEncoding.encode found.Encoding (Table.take fold.Training example) |> orFail

            Exactly.equal
                encoded
                (Dataset.take [| 0 .. found.Train.Count - 1 |] found.Train).Inputs)

[<Fact>]
let ``validation rows of a fold are no equals of its rows to learn from, and of no group of theirs``
    ()
    =
    // Every row comes twice, and a group has two different rows twice each.
    let rows = 200

    let repeated =
        table [
            "x", List.init rows (fun row -> string (row / 2))
            "who", List.init rows (fun row -> string (row / 4))
            "day", List.init rows (fun row -> string (row * 7 % 50))
            "label", List.init rows (fun row -> [ "yes"; "no" ][row % 2])
        ]

    for rule, together in
        [
            FoldRule.Stratified, 1.0
            FoldRule.Grouped "who", 2.0
            FoldRule.Forward "day", 1.0
        ] do
        let options = {
            options with
                Ignored = [ "day"; "who" ]
                Scaling = Scaling.None
        }

        let division = TableFolds.create options Head.Softmax rule 1UL 4 repeated |> orFail

        for index in 0..3 do
            let found = samples division index
            let struct (train, validation) = Dataset.split 5UL 0.3 found.Train

            let groups (data: Dataset<float>) =
                let inputs = (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs
                set [ for x in inputs.Row 0 -> floor (x / together) ]

            Assert.NotEmpty(groups validation)
            Assert.Empty(Set.intersect (groups train) (groups validation))

[<Fact>]
let ``groups of whole numbers that double precision rounds stay different`` () =
    let customer row = 9007199254740992L + int64 (row % 2)

    // All spellings of a number are one group.
    for spelling in
        [
            fun row -> string (customer row)
            fun row -> (if row < 20 then " " else "+") + string (customer row)
            fun row -> (if row < 20 then "000" else "") + string (customer row)
        ] do
        let rows =
            table [
                "x", List.init 40 string
                "who", List.init 40 spelling
                "label", List.init 40 (fun row -> [ "yes"; "no" ][row / 2 % 2])
            ]

        let division =
            TableFolds.create
                { options with Ignored = [] }
                Head.Softmax
                (FoldRule.Grouped "who")
                1UL
                2
                rows
            |> orFail

        let groups = [
            for fold in division.Folds -> fold.Test |> Array.map customer |> Array.distinct
        ]

        Exactly.equal [ 1; 1 ] (List.map Array.length groups)

[<Fact>]
let ``a test row with a category that no training row has gets inputs of 0, and is reported`` () =
    let division = divide FoldRule.Stratified 5

    let told =
        division.Folds
        |> List.mapi (fun index fold ->
            let found = samples division index
            let isTested = Array.contains 7 fold.Test

            Exactly.equal (if isTested then [ "kind", 1 ] else []) found.Unknown

            if isTested then
                let row = Array.findIndex ((=) 7) fold.Test
                let inputs = (Dataset.take [| row |] found.Test).Inputs.Column 0
                let names = found.Encoding.Inputs
                Assert.DoesNotContain("kind = rare", names)

                for name, input in Seq.zip names inputs do
                    if name.StartsWith "kind" then
                        Exactly.equal 0.0 input

            isTested)

    Exactly.equal 1 (told |> List.filter id |> List.length)

[<Fact>]
let ``rows of a group and rows of a day stay together`` () =
    for fold in (divide (FoldRule.Grouped "who") 4).Folds do
        let people rows =
            rows |> Array.map (fun row -> row / 4) |> set

        Assert.Empty(Set.intersect (people fold.Training) (people fold.Test))

    for fold in (divide (FoldRule.Forward "day") 4).Folds do
        let days = Array.map (fun row -> row * 3 % 28)
        Assert.True(Array.max (days fold.Training) < Array.min (days fold.Test))

[<Theory>]
[<InlineData("label",
             "column label is the label and cannot divide rows into folds; --group or --time needs another column.")>]
[<InlineData("kind",
             "column kind, row 1: expected a number, or a date like 2026-11-30 or 2026-11-30T09:30:00Z, found 'a' and 39 cells more.")>]
let ``what cannot order rows is refused`` (column: string) (expected: string) =
    match TableFolds.create options Head.Softmax (FoldRule.Forward column) 1UL 3 example with
    | Error [ fault ] -> Exactly.equal expected (string fault)
    | other -> failwith $"found {other}"

[<Fact>]
let ``times of any spelling are in order`` () =
    let spelt = [
        "2026-01-31"
        "2026-02-01T08:00"
        "2026-02-01 09:00:00"
        "2026-02-01T12:00:00+01:00"
        "2026-02-01T11:30:00.25Z"
        "20260202"
    ]

    let rows =
        table [
            "when", List.permute (fun i -> (i * 5 + 2) % 6) spelt
            "x", List.init 6 string
            "label", [ "a"; "b"; "a"; "b"; "a"; "b" ]
        ]

    let division =
        TableFolds.create
            { options with Ignored = [] }
            Head.Softmax
            (FoldRule.Forward "when")
            1UL
            5
            rows
        |> orFail

    let order = division.Folds |> List.map (fun fold -> (fold.Test[0] * 5 + 2) % 6)
    // Six times in order: each is tested after the one before.
    Exactly.equal 5 (List.distinct order).Length

    let firsts =
        division.Folds
        |> List.map (fun fold ->
            let cells = List.permute (fun i -> (i * 5 + 2) % 6) spelt
            cells[fold.Test[0]])

    Exactly.equal (List.tail spelt) firsts

[<Law>]
let ``a date is the second that .NET takes it for``
    (when': DateTimeOffset)
    (later: DateTimeOffset)
    =
    let texts (time: DateTimeOffset) = [
        time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
        time.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture)
        time.ToUniversalTime().ToString("yyyyMMdd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
    ]

    let seconds (text: string) =
        (DateTimeOffset.Parse(
            (if text[4] = '-' then
                 text
             else
                 text.Insert(6, "-").Insert(4, "-")),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal
        ))
            .Subtract(DateTimeOffset.UnixEpoch)
            .TotalSeconds

    let cells = texts when' @ texts later

    let column = {
        Name = "when"
        Cells = Cells.Texts(Array.ofList cells)
    }

    let found =
        TimeColumn.times (CellReader CellFormat.Default) (Table.create [ column ] |> orFail) column
        |> orFail

    Approximately.equal 1e-12 (cells |> List.map seconds |> Array.ofList) found

[<Fact>]
let ``a text that is not a date of ISO 8601 is refused`` () =
    for text in
        [
            "2026-02-29"
            "2026-13-01"
            "2026-00-10"
            "0000-01-01"
            "2026-01-01T24:00"
            "30.11.2026"
            "11/30/2026"
        ] do
        let column = {
            Name = "when"
            Cells = Cells.Texts [| "2026-01-01"; text |]
        }

        match
            TimeColumn.times
                (CellReader CellFormat.Default)
                (Table.create [ column ] |> orFail)
                column
        with
        | Error [ fault ] -> Assert.Contains($"found '{text}'", string fault)
        | other -> failwith $"{text}: found {other}"

[<Fact>]
let ``the label and the columns are checked as for training`` () =
    let numbers =
        table [
            "id", List.init rows string
            "x", List.init rows (fun row -> string (row * 7 % 31))
            "label", List.init rows (fun row -> $"%d{row}.5")
        ]

    let divided head =
        TableFolds.create { options with Ignored = [] } head FoldRule.Stratified 1UL 4 numbers

    let trained: Result<TableData<float>, Fault list> =
        TableData.prepare
            { options with Ignored = [] }
            Head.Softmax
            ValueNone
            (TestRows.Separate(numbers, "rows"))
            "rows"
            numbers

    match divided Head.Softmax, trained with
    | Error divided, Error trained ->
        Exactly.equal
            (trained |> List.map string)
            (divided |> List.map (Fault.within "rows" >> string))
    | other -> failwith $"faults were expected, found {other}"

    match divided Head.Identity with
    | Ok division ->
        Assert.Contains(division.Warnings, fun warning -> warning.Contains "looks like an index")
    | Error faults -> failwith $"{faults}"
