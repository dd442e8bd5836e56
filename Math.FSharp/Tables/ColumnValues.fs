namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open Pipeline.Learning.Formats

/// The cells of a table's column as texts, numbers or indices, and the faults of cells that are none of
/// these.
[<RequireQualifiedAccess>]
module internal ColumnValues =
    let private cellName = ColumnKind.cellName
    let private quoted = ColumnKind.quoted
    let private andMore = ColumnKind.andMore

    /// The most names in a message.
    [<Literal>]
    let private MostNames = 20

    /// Some names, the first ones of many.
    let private listed (names: string list) : string =
        let first = names |> List.truncate MostNames |> String.concat ", "
        if names.Length > MostNames then $"{first}, …" else first

    /// The column of that name, if its cells can be read.
    let find (name: string) (table: Table) : Result<Column, Fault list> =
        match Table.tryNamed name table with
        | Some column -> Column.readable column
        | None ->
            let known = table.Columns |> List.map (_.Name >> quoted) |> listed
            Error [ Fault.create $"column {name}" "a column of that name" $"none among {known}" ]

    /// The text of a number that is a category.
    let private textOf (reader: CellReader) (number: float) : string =
        if reader.IsMissing number then "" else Cells.text number

    /// A text without the spaces around it, empty for a missing value.
    let private trimmed (reader: CellReader) (text: string) : string =
        if reader.IsMissing text then "" else text.Trim()

    /// Every cell as a text, empty for a missing value.
    let texts (reader: CellReader) (cells: Cells) : string[] =
        match cells with
        | Cells.Numbers numbers -> numbers |> Array.map (textOf reader)
        | Cells.Texts texts -> Cells.mapTexts (trimmed reader) texts
        | Cells.Unreadable(rows, _) -> Array.create rows ""

    /// The different texts of cells, empty for a missing value, each with a number of its cells: texts that are
    /// equal apart from spaces may come more than once.
    let different (reader: CellReader) (cells: Cells) : (string * int) list =
        match cells with
        | Cells.Texts(:? RepeatedTexts as texts) ->
            Cells.countTexts texts
            |> Seq.map (fun (text, count) -> trimmed reader text, count)
            |> List.ofSeq
        | cells -> texts reader cells |> Array.countBy id |> List.ofArray

    /// The column's numbers, NaN for a missing value; truth values as 1 and 0, or refused.
    let numbersWith
        (hasTruth: bool)
        (reader: CellReader)
        (table: Table)
        (column: Column)
        : Result<float[], Fault list> =
        let bad = ResizeArray<int>()

        let refused (expected: string) (found: string) =
            Error [
                Fault.create
                    (cellName column table bad[0])
                    expected
                    (found + andMore (bad.Count - 1))
            ]

        match column.Cells with
        | Cells.Unreadable _ -> Column.readable column |> Result.map (fun _ -> [||])
        | Cells.Numbers numbers ->
            let numbers =
                numbers
                |> Array.mapi (fun row number ->
                    if Double.IsInfinity number then
                        bad.Add row

                    if reader.IsMissing number then nan else number)

            if bad.Count = 0 then
                Ok numbers
            else
                refused "a finite number" (Cells.text numbers[bad[0]])
        | NumbersIn reader known -> Ok(known.Numbers.All())
        | Cells.Texts texts ->
            let numbers =
                Array.init texts.Count (fun row ->
                    let text = texts[row]

                    match reader.Read text with
                    | CellValue.Number number -> number
                    | CellValue.Missing -> nan
                    | CellValue.Other ->
                        match reader.Truth text with
                        | ValueSome isTrue when hasTruth -> if isTrue then 1.0 else 0.0
                        | _ ->
                            bad.Add row
                            nan)

            if bad.Count = 0 then
                Ok numbers
            else
                let text = texts[bad[0]]

                let expected =
                    match
                        ColumnKind.separatorsFor reader.Format text @ [ "Data:MissingValues" ]
                    with
                    | [ one ] -> $"a number, or {one}"
                    | several ->
                        let first = several |> List.take (several.Length - 1)
                        $"""a number, or {String.concat ", " first} or {List.last several}"""

                refused expected (quoted text)

    /// The column's numbers, truth values as 1 and 0, NaN for a missing value.
    let numbers (reader: CellReader) (table: Table) (column: Column) : Result<float[], Fault list> =
        numbersWith true reader table column

    /// The rows whose number is missing.
    let missingRows (numbers: float[]) : int[] =
        let rows = ResizeArray<int>()

        for row in 0 .. numbers.Length - 1 do
            if Double.IsNaN numbers[row] then
                rows.Add row

        rows.ToArray()

    /// What is expected in place of a missing value that settings refuse.
    [<Literal>]
    let SettingRule = "a value, or Data:Missing of Mean or Median"

    /// What is expected in place of a missing value where training rows had none.
    [<Literal>]
    let TrainingRule =
        "a value, as in training (a model that is trained with Data:Missing of Mean or Median fills blanks in)"

    /// The fault of missing values in some rows, 1 or more.
    let missingFault (column: Column) (table: Table) (expected: string) (rows: int[]) : Fault =
        let found =
            match column.Cells with
            | Cells.Texts texts when not (String.IsNullOrWhiteSpace texts[rows[0]]) ->
                $"{quoted (texts[rows[0]].Trim())}, a missing value by Data:MissingValues"
            | _ -> "nothing"

        let more =
            match rows.Length - 1 with
            | 0 -> ""
            | 1 -> ", and in 1 row more"
            | more -> invariant $", and in {more} rows more"

        Fault.create (cellName column table rows[0]) expected (found + more)

    /// The fault of a column without any value.
    let onlyMissing (column: Column) : Fault =
        Fault.message
            $"column {column.Name}"
            "has missing values only; Data:Ignored leaves a column out"

    /// The numbers in the network's precision; a fault if one is not finite there.
    let inPrecision
        (what: string)
        (column: Column)
        (table: Table)
        (numbers: float[])
        (scaled: float[])
        : Result<'T[], Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let held = scaled |> Array.map 'T.CreateTruncating

        match held |> Array.tryFindIndex ('T.IsFinite >> not) with
        | None -> Ok held
        | Some row ->
            let isDouble = typeof<'T> = typeof<float>
            let most = if isDouble then Double.MaxValue else float Single.MaxValue

            let precision =
                if isDouble then
                    "double precision"
                else
                    "single precision (Training:Precision)"

            let others = (held |> Array.filter ('T.IsFinite >> not)).Length - 1

            Error [
                Fault.create
                    (cellName column table row)
                    (invariant
                        $"""{what} at most {most.ToString("G2", CultureInfo.InvariantCulture)}, as {precision} holds""")
                    (Cells.text numbers[row] + andMore others)
            ]

    /// The weights of rows: numbers of 0 or greater, not all of them 0.
    let weights (reader: CellReader) (table: Table) (column: Column) : Result<float[], Fault list> =
        numbers reader table column
        |> Result.bind (fun weights ->
            let absent = missingRows weights
            let negative = weights |> Array.filter (fun weight -> weight < 0.0)

            if absent.Length > 0 then
                Error [ missingFault column table "a weight (Data:Weight)" absent ]
            elif negative.Length > 0 then
                let row = Array.IndexOf(weights, negative[0])

                Error [
                    Fault.create
                        (cellName column table row)
                        "a weight of 0 or greater (Data:Weight)"
                        (Cells.text negative[0] + andMore (negative.Length - 1))
                ]
            elif Array.forall ((=) 0.0) weights then
                Error [
                    Fault.create
                        $"column {column.Name}"
                        "a weight greater than 0 (Data:Weight) in a row to learn from"
                        "zeros only"
                ]
            else
                Ok weights)

    /// The index of each row's text among the values; −1 for a text that is not among them.
    let tryIndices
        (reader: CellReader)
        (values: string list)
        (fill: string)
        (column: Column)
        : int[] =
        let find = Spelling.finder reader values

        let index text =
            find (if text = "" then fill else text) |> ValueOption.defaultValue -1

        match column.Cells with
        | Cells.Texts texts -> Cells.mapTexts (trimmed reader >> index) texts
        | cells -> texts reader cells |> Array.map index

    /// The index of each row's text among the values.
    let indices
        (reader: CellReader)
        (values: string list)
        (fill: string)
        (rule: string)
        (table: Table)
        (column: Column)
        : Result<int[], Fault list> =
        let indices = tryIndices reader values fill column

        match Array.IndexOf(indices, -1) with
        | -1 -> Ok indices
        | row ->
            let texts = texts reader column.Cells
            let others = (indices |> Array.filter ((=) -1)).Length - 1

            if texts[row] = "" then
                let absent =
                    [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

                Error [ missingFault column table rule absent ]
            else
                Error [
                    Fault.create
                        (cellName column table row)
                        $"one of {listed values}"
                        (quoted texts[row] + andMore others)
                ]
