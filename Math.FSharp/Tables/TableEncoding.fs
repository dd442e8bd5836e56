namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// A column of numbers, and what becomes of them: (x − Centre) / Scale.
type NumberColumn = {
    /// The column.
    Name: string
    /// What stands for a missing cell; not a number where that is refused.
    Fill: float
    /// What becomes 0.
    Centre: float
    /// What becomes 1 more; not 0.
    Scale: float
}

/// A column of categories, each of which becomes an input of its own: 1 where the row has it, else 0.
type CategoryColumn = {
    /// The column.
    Name: string
    /// The categories, 1 or more.
    Values: string list
    /// What stands for a missing cell; empty where that is refused.
    Fill: string
}

/// How the rows of a table become samples: the numbers first, then the categories' inputs.
type TableEncoding = {
    /// Columns of numbers, an input each.
    Numbers: NumberColumn list
    /// Columns of categories, an input for each of their values.
    Categories: CategoryColumn list
    /// How cells are written.
    Format: CellFormat
} with

    /// The inputs' names: a column's, or a column's and one of its categories.
    member encoding.Inputs = [
        for column in encoding.Numbers do
            column.Name
        for column in encoding.Categories do
            for value in column.Values do
                $"{column.Name} = {value}"
    ]

    /// How many inputs a row gives.
    member encoding.Features =
        encoding.Numbers.Length + (encoding.Categories |> List.sumBy _.Values.Length)

/// Fitting encodings to training rows, and applying them to any.
[<RequireQualifiedAccess>]
module TableEncoding =
    /// The most categories that a column may have.
    [<Literal>]
    let MaximumCategories = 1000

    let private cellName = ColumnKind.cellName
    let private quoted = ColumnKind.quoted
    let private andMore = ColumnKind.andMore

    /// The text of a number that is a category.
    let private textOf (reader: CellReader) (number: float) : string =
        if reader.IsMissing number then "" else Table.text number

    /// Every cell as a text; what is missing is empty.
    let internal textsOf (reader: CellReader) (cells: Cells) : string[] =
        match cells with
        | Cells.Numbers numbers -> numbers |> Array.map (textOf reader)
        | Cells.Texts texts ->
            Array.init texts.Count (fun row ->
                let text = texts[row]
                if reader.IsMissing text then "" else text.Trim())
        | Cells.Unreadable(rows, _) -> Array.create rows ""

    /// The column's numbers, truth values as 1 and 0; not a number where one is missing.
    let internal numbersOf
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
        | Cells.Unreadable _ -> Table.readable column |> Result.map (fun _ -> [||])
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
                refused "a finite number" (Table.text numbers[bad[0]])
        | NumbersIn reader known -> Ok known.Numbers
        | Cells.Texts texts ->
            let numbers =
                Array.init texts.Count (fun row ->
                    let text = texts[row]

                    match reader.Read text with
                    | CellValue.Number number -> number
                    | CellValue.Missing -> nan
                    | CellValue.Other ->
                        match reader.Truth text with
                        | ValueSome isTrue -> if isTrue then 1.0 else 0.0
                        | ValueNone ->
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

    /// The rows without a number.
    let private absentOf (numbers: float[]) : int[] =
        if Array.exists Double.IsNaN numbers then
            [| 0 .. numbers.Length - 1 |]
            |> Array.filter (fun row -> Double.IsNaN numbers[row])
        else
            [||]

    let private missing (column: Column) (table: Table) (expected: string) (rows: int[]) : Fault =
        let found =
            match column.Cells with
            | Cells.Texts texts when not (String.IsNullOrWhiteSpace texts[rows[0]]) ->
                $"{quoted (texts[rows[0]].Trim())}, a missing value by Data:MissingValues"
            | _ -> "nothing"

        let more =
            match rows.Length - 1 with
            | 0 -> ""
            | 1 -> ", and in 1 row more"
            | more -> $", and in %d{more} rows more"

        Fault.create (cellName column table rows[0]) expected (found + more)

    let private setRule = "a value, or Data:Missing of Mean or Median"

    let private missingOnly (column: Column) : Fault =
        Fault.message
            $"column {column.Name}"
            "has missing values only; Data:Ignored leaves a column out"

    /// What becomes 0, and what becomes 1 more. A column that does not vary becomes 0.
    let private centreAndScale (scaling: Scaling) (name: string) (numbers: float[]) =
        let least, most = Array.min numbers, Array.max numbers
        let plain centre = Ok(struct (centre, 1.0))

        match scaling with
        | Scaling.None -> plain 0.0
        | _ when least = most -> plain least
        | Scaling.MinMax ->
            let range = most - least

            if Spread.isRounding range numbers then
                plain least
            elif Double.IsFinite range then
                Ok(struct (least, range))
            else
                Error [
                    Fault.create
                        $"column {name}"
                        $"numbers with a range of at most {Table.text Double.MaxValue}, or Data:Scaling of Standard"
                        $"{Table.text least} to {Table.text most}"
                ]
        | Scaling.Standard ->
            let mean = Spread.mean numbers
            let deviation = Spread.deviation mean numbers

            if Spread.isRounding deviation numbers then
                plain mean
            else
                Ok(struct (mean, deviation))

    let private fitNumbers
        (choice: TableOptions)
        (reader: CellReader)
        (table: Table)
        (column: Column)
        =
        numbersOf reader table column
        |> Result.bind (fun numbers ->
            let absent = absentOf numbers

            let there =
                if absent.Length = 0 then
                    numbers
                else
                    numbers |> Array.filter (Double.IsNaN >> not)

            if there.Length = 0 then
                Error [ missingOnly column ]
            elif absent.Length > 0 && choice.Missing = Missing.Refuse then
                Error [ missing column table setRule absent ]
            else
                centreAndScale choice.Scaling column.Name there
                |> Result.map (fun struct (centre, scale) -> {
                    NumberColumn.Name = column.Name
                    Fill =
                        match choice.Missing with
                        | Missing.Refuse -> nan
                        | Missing.Mean -> Spread.mean there
                        | Missing.Median -> Spread.median there
                    Centre = centre
                    Scale = scale
                }))

    let private fitCategories
        (choice: TableOptions)
        (reader: CellReader)
        (table: Table)
        (column: Column)
        =
        let texts = textsOf reader column.Cells

        let absent =
            [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

        let there = texts |> Array.filter ((<>) "")
        let values = Spelling.groups reader there |> List.map fst

        Fault.check
            [
                there.Length > 0, missingOnly column
                absent.Length = 0 || choice.Missing <> Missing.Refuse,
                (if absent.Length > 0 then
                     missing column table setRule absent
                 else
                     Fault.create "" "" "")
                values.Length <= MaximumCategories,
                Fault.message
                    $"column {column.Name}"
                    $"has %d{values.Length} categories, more than %d{MaximumCategories}; Data:Ignored leaves a column out"
            ]
            (fun () -> {
                CategoryColumn.Name = column.Name
                Values = values
                Fill =
                    match choice.Missing with
                    | Missing.Refuse -> ""
                    | _ ->
                        let place = Spelling.finder reader values

                        let counts =
                            there |> Array.countBy (fun text -> (place text).Value) |> Map.ofArray

                        values
                        |> List.indexed
                        |> List.maxBy (fun (place, _) -> counts[place])
                        |> snd
            })

    /// <summary>The label's column of a table.</summary>
    [<CompiledName("Label")>]
    let label (choice: TableOptions) (table: Table) : Result<Column, Fault list> =
        TableLayout.label choice table

    /// <summary>A table without its label and the columns that settings leave out.</summary>
    [<CompiledName("Inputs")>]
    let inputs (choice: TableOptions) (table: Table) : Result<Table, Fault list> =
        TableLayout.besides choice table
        |> Result.bind (fun columns -> Table.withColumns columns table)

    let private column (name: string) (table: Table) : Result<Column, Fault list> =
        match Table.tryNamed name table with
        | Some column -> Table.readable column
        | None -> Error [ Fault.message $"column {name}" "does not exist" ]

    /// The encoding of a layout that fits training rows.
    let internal fitLayout
        (choice: TableOptions)
        (layout: TableLayout)
        (table: Table)
        : Result<TableEncoding, Fault list> =
        let reader = CellReader layout.Format

        let each fit names =
            names
            |> List.map (fun name -> column name table |> Result.bind (fit choice reader table))
            |> Fault.all

        Fault.both (each fitNumbers layout.Numbers) (each fitCategories layout.Categories)
        |> Result.map (fun (numbers, categories) -> {
            Numbers = numbers
            Categories = categories
            Format = layout.Format
        })

    /// <summary>The encoding that fits training rows, or everything that is wrong with them.</summary>
    /// <param name="choice">What to do with columns.</param>
    /// <param name="table">The training rows, and no others: what is learned from test rows would make
    /// the test worth nothing.</param>
    [<CompiledName("Fit")>]
    let fit (choice: TableOptions) (table: Table) : Result<TableEncoding, Fault list> =
        TableLayout.ofTable choice table
        |> Result.bind (fun (layout, table) -> fitLayout choice layout table)

    /// Numbers of the network's precision, all of them finite.
    let private hold
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
                    $"""{what} at most {most.ToString("G2", CultureInfo.InvariantCulture)}, as {precision} holds"""
                    (Table.text numbers[row] + andMore others)
            ]

    /// The column's numbers, as the network takes them.
    let private encodeNumbers
        (reader: CellReader)
        (table: Table)
        (encoding: NumberColumn)
        : Result<'T[], Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        column encoding.Name table
        |> Result.bind (fun column ->
            numbersOf reader table column
            |> Result.bind (fun numbers ->
                let absent = absentOf numbers

                if absent.Length > 0 && Double.IsNaN encoding.Fill then
                    Error [ missing column table "a value, as in training" absent ]
                else
                    numbers
                    |> Array.map (fun x ->
                        let x = if Double.IsNaN x then encoding.Fill else x
                        let scaled = (x - encoding.Centre) / encoding.Scale

                        // The difference of two numbers may be infinite where its quotient is not.
                        if Double.IsFinite scaled then
                            scaled
                        else
                            x / encoding.Scale - encoding.Centre / encoding.Scale)
                    |> hold "a number that, once scaled, is" column table numbers))

    /// One of the texts that a column may have.
    let private oneOf (values: string list) : string =
        let known = values |> List.truncate 20 |> String.concat ", "

        if values.Length > 20 then
            $"one of {known}, …"
        else
            $"one of {known}"

    /// Where each row's text stands among values.
    let private placesOf
        (reader: CellReader)
        (values: string list)
        (fill: string)
        (rule: string)
        (table: Table)
        (column: Column)
        : Result<int[], Fault list> =
        let find = Spelling.finder reader values
        let texts = textsOf reader column.Cells

        let places =
            texts |> Array.map (fun text -> if text = "" then find fill else find text)

        match places |> Array.tryFindIndex _.IsNone with
        | None -> Ok(places |> Array.map _.Value)
        | Some row ->
            let others = (places |> Array.filter _.IsNone).Length - 1

            if texts[row] = "" then
                let absent =
                    [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

                Error [ missing column table rule absent ]
            else
                Error [
                    Fault.create
                        (cellName column table row)
                        (oneOf values)
                        (quoted texts[row] + andMore others)
                ]

    /// <summary>The rows of a table as samples.</summary>
    /// <param name="encoding">What was fitted to the training rows.</param>
    /// <param name="table">Any rows with its columns; others are left out.</param>
    /// <returns>(inputs, rows), or what is wrong with the rows.</returns>
    [<CompiledName("Encode")>]
    let encode
        (encoding: TableEncoding)
        (table: Table)
        : Result<Matrix<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let features, rows = encoding.Features, table.Rows

        if int64 features * int64 rows > int64 Array.MaxLength then
            Error [
                Fault.create
                    ""
                    $"at most %d{Array.MaxLength} numbers in all"
                    $"%d{rows} rows of %d{features} inputs"
            ]
        else
            let reader = CellReader encoding.Format
            let values: 'T[] = Array.zeroCreate (features * rows)

            // A column's numbers are put in their places before the next one's are made.
            let numbers =
                encoding.Numbers
                |> List.mapi (fun feature known ->
                    encodeNumbers reader table known
                    |> Result.map (fun (column: 'T[]) ->
                        for row in 0 .. rows - 1 do
                            values[row * features + feature] <- column[row]))
                |> Fault.all

            let firsts =
                encoding.Categories
                |> List.scan
                    (fun first known -> first + known.Values.Length)
                    encoding.Numbers.Length

            let categories =
                List.zip encoding.Categories (List.take encoding.Categories.Length firsts)
                |> List.map (fun (known, first) ->
                    column known.Name table
                    |> Result.bind (
                        placesOf reader known.Values known.Fill "a value, as in training" table
                    )
                    |> Result.map (fun places ->
                        for row in 0 .. rows - 1 do
                            values[row * features + first + places[row]] <- 'T.One))
                |> Fault.all

            Fault.both numbers categories
            |> Result.map (fun _ -> Kernels.matrix features rows values)

    /// The classes of labels that are all there, however many.
    let internal classNames
        (reader: CellReader)
        (column: Column)
        (table: Table)
        : Result<string list, Fault list> =
        let texts = textsOf reader column.Cells

        let absent =
            [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

        if absent.Length > 0 then
            Error [ missing column table "a label" absent ]
        else
            Ok(Spelling.groups reader texts |> List.map fst)

    /// Not too few classes, nor too many.
    let internal requireClasses (column: Column) (classes: string list) =
        Fault.check
            [
                classes.Length >= 2 && classes.Length <= MaximumCategories,
                Fault.create
                    $"column {column.Name}"
                    $"labels of 2 to %d{MaximumCategories} classes"
                    (string classes.Length)
            ]
            (fun () -> classes)

    /// <summary>The classes that a label's column has, in order: all spellings of a number, or of true and
    /// false, are one class.</summary>
    /// <param name="format">How cells are written.</param>
    /// <param name="column">The training rows' labels.</param>
    /// <param name="table">The training rows.</param>
    [<CompiledName("Classes")>]
    let classes
        (format: CellFormat)
        (column: Column)
        (table: Table)
        : Result<string list, Fault list> =
        classNames (CellReader format) column table
        |> Result.bind (requireClasses column)

    /// <summary>Each row's class, by its place among the classes.</summary>
    /// <param name="format">How cells are written.</param>
    /// <param name="classes">The classes.</param>
    /// <param name="column">The label's column of the table.</param>
    /// <param name="table">The rows.</param>
    [<CompiledName("Labels")>]
    let labels
        (format: CellFormat)
        (classes: string list)
        (column: Column)
        (table: Table)
        : Result<int[], Fault list> =
        placesOf (CellReader format) classes "" "a label" table column

    /// <summary>Each row's number to predict.</summary>
    /// <param name="format">How cells are written.</param>
    /// <param name="column">The label's column of the table.</param>
    /// <param name="table">The rows.</param>
    /// <returns>(1, rows).</returns>
    [<CompiledName("Targets")>]
    let targets
        (format: CellFormat)
        (column: Column)
        (table: Table)
        : Result<Matrix<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        numbersOf (CellReader format) table column
        |> Result.bind (fun numbers ->
            let absent = absentOf numbers

            if absent.Length > 0 then
                Error [ missing column table "a number to predict" absent ]
            else
                hold "a number to predict that is" column table numbers numbers
                |> Result.map (Kernels.matrix 1 numbers.Length))
