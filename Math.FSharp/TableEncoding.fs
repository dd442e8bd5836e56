namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// What becomes of cells that are missing.
[<RequireQualifiedAccess>]
type Missing =
    /// They are a fault.
    | Refuse
    /// The mean of the training rows' numbers takes their place; of categories the most frequent.
    | Mean
    /// The median; of categories the most frequent.
    | Median

/// How columns of numbers are scaled.
[<RequireQualifiedAccess>]
type Scaling =
    /// Not at all.
    | None
    /// The training rows' mean becomes 0, their standard deviation 1.
    | Standard
    /// The training rows' least becomes 0, their greatest 1.
    | MinMax

/// Naming both.
[<RequireQualifiedAccess>]
module TableRules =
    /// <summary>Refuse, Mean or Median, in any case of letters.</summary>
    [<CompiledName("ParseMissing")>]
    let parseMissing (name: string) : Result<Missing, Fault list> =
        Fault.parseName
            "Missing"
            [ "Refuse", Missing.Refuse; "Mean", Missing.Mean; "Median", Missing.Median ]
            name

    /// <summary>None, Standard or MinMax, in any case of letters.</summary>
    [<CompiledName("ParseScaling")>]
    let parseScaling (name: string) : Result<Scaling, Fault list> =
        Fault.parseName
            "Scaling"
            [ "None", Scaling.None; "Standard", Scaling.Standard; "MinMax", Scaling.MinMax ]
            name

/// How a table is to become numbers.
type TableChoice = {
    /// The label's column, by name or place; the last one where nothing is said.
    Label: string voption
    /// Columns to take for numbers, whatever their cells look like.
    Numeric: string list
    /// Columns to take for categories.
    Categorical: string list
    /// Columns to leave out.
    Ignored: string list
    /// What becomes of missing cells.
    Missing: Missing
    /// How numbers are scaled.
    Scaling: Scaling
}

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

    /// A cell as messages name it, by its place in the file.
    let private cellName (column: Column) (table: Table) (row: int) =
        $"column {column.Name}, {table.PlaceOf row}"

    let private isNumeric (cells: Cells) : bool =
        match cells with
        | Cells.Numbers _ -> true
        | Cells.Texts texts ->
            texts
            |> Seq.forall (fun text -> Table.isMissing text || (Table.number text).IsSome)
        | Cells.Unreadable _ -> false

    /// The column's numbers, not a number where one is missing.
    let private numbersOf (table: Table) (column: Column) : Result<float[], Fault list> =
        match column.Cells with
        | Cells.Numbers numbers ->
            match numbers |> Array.tryFindIndex Double.IsInfinity with
            | None -> Ok numbers
            | Some row ->
                Error [
                    Fault.create
                        (cellName column table row)
                        "a finite number"
                        (string (numbers[row]))
                ]
        | Cells.Texts texts ->
            let numbers =
                Array.init texts.Count (fun row ->
                    let text = texts[row]

                    if Table.isMissing text then
                        ValueSome nan
                    else
                        Table.number text)

            match numbers |> Array.tryFindIndex _.IsNone with
            | None -> Ok(numbers |> Array.map (ValueOption.defaultValue nan))
            | Some row ->
                Error [ Fault.create (cellName column table row) "a number" $"'{texts[row]}'" ]
        | Cells.Unreadable _ -> Table.readable column |> Result.map (fun _ -> [||])

    let private missing (column: Column) (table: Table) (rule: string) (rows: int[]) : Fault =
        Fault.create
            (cellName column table rows[0])
            $"a value, {rule}"
            (if rows.Length = 1 then
                 "none"
             else
                 $"none, and in %d{rows.Length - 1} rows more")

    /// The mean, summed in order.
    let private meanOf (values: float[]) : float =
        Array.fold (+) 0.0 values / float values.Length

    let private median (values: float[]) : float =
        let sorted = Array.sort values
        let half = sorted.Length / 2

        if sorted.Length % 2 = 1 then
            sorted[half]
        else
            (sorted[half - 1] + sorted[half]) / 2.0

    let private setRule = "or Data:Missing of Mean or Median"

    let private fitNumbers (choice: TableChoice) (table: Table) (column: Column) =
        numbersOf table column
        |> Result.bind (fun numbers ->
            let there = numbers |> Array.filter (Double.IsNaN >> not)

            let absent =
                [| 0 .. numbers.Length - 1 |]
                |> Array.filter (fun row -> Double.IsNaN numbers[row])

            if there.Length = 0 then
                Error [ Fault.create $"column {column.Name}" "numbers" "none" ]
            elif not (Double.IsFinite(meanOf there)) then
                Error [
                    Fault.create
                        $"column {column.Name}"
                        "numbers of a finite mean"
                        "too large ones"
                ]
            elif absent.Length > 0 && choice.Missing = Missing.Refuse then
                Error [ missing column table setRule absent ]
            else
                let mean = meanOf there

                let centre, scale =
                    match choice.Scaling with
                    | Scaling.None -> 0.0, 1.0
                    | Scaling.MinMax -> Array.min there, Array.max there - Array.min there
                    | Scaling.Standard ->
                        let variance =
                            there |> Array.map (fun x -> (x - mean) * (x - mean)) |> meanOf

                        mean, Math.Sqrt variance

                Ok {
                    Name = column.Name
                    Fill =
                        match choice.Missing with
                        | Missing.Refuse -> nan
                        | Missing.Mean -> mean
                        | Missing.Median -> median there
                    Centre = centre
                    // A column that does not vary stays where it is.
                    Scale = if scale > 0.0 && Double.IsFinite scale then scale else 1.0
                })

    /// Categories in order: as numbers where all of them are, else letter by letter.
    let private inOrder (values: string[]) : string list =
        let values = List.ofArray (Array.distinct values)

        if values |> List.forall (fun value -> (Table.number value).IsSome) then
            values |> List.sortBy (fun value -> ValueOption.get (Table.number value), value)
        else
            values |> List.sortWith (fun one other -> String.CompareOrdinal(one, other))

    let private fitCategories (choice: TableChoice) (table: Table) (column: Column) =
        let texts = Table.texts column.Cells

        let absent =
            [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

        let there = texts |> Array.filter ((<>) "")
        let values = inOrder there

        Fault.check
            [
                there.Length > 0, Fault.create $"column {column.Name}" "categories" "none"
                absent.Length = 0 || choice.Missing <> Missing.Refuse,
                (if absent.Length > 0 then
                     missing column table setRule absent
                 else
                     Fault.create "" "" "")
                values.Length <= MaximumCategories,
                Fault.create
                    $"column {column.Name}"
                    $"at most %d{MaximumCategories} categories, or a place in Data:Ignored"
                    (string values.Length)
            ]
            (fun () -> {
                Name = column.Name
                Values = values
                Fill =
                    match choice.Missing with
                    | Missing.Refuse -> ""
                    | _ ->
                        let counts = there |> Array.countBy id |> Map.ofArray
                        values |> List.maxBy (fun value -> counts[value])
            })

    /// <summary>The label's column of a table.</summary>
    [<CompiledName("Label")>]
    let label (choice: TableChoice) (table: Table) : Result<Column, Fault list> =
        match choice.Label with
        | ValueSome key -> Table.find key table
        | ValueNone -> Ok(List.last table.Columns)
        |> Result.bind Table.readable

    /// <summary>The encoding that fits training rows, or everything that is wrong with them.</summary>
    /// <param name="choice">What to do with columns.</param>
    /// <param name="table">The training rows, and no others: what is learned from test rows would make
    /// the test worth nothing.</param>
    [<CompiledName("Fit")>]
    let fit (choice: TableChoice) (table: Table) : Result<TableEncoding, Fault list> =
        let named keys =
            keys |> List.map (fun key -> Table.find key table) |> Fault.all

        Fault.both
            (label choice table)
            (Fault.both
                (named choice.Ignored)
                (Fault.both (named choice.Numeric) (named choice.Categorical)))
        |> Result.bind (fun (label, (ignored, (numeric, categorical))) ->
            let isIn (columns: Column list) (column: Column) =
                columns |> List.exists (fun other -> other.Name = column.Name)

            let inputs = table.Columns |> List.filter (isIn (label :: ignored) >> not)

            let numbers, categories =
                inputs
                |> List.partition (fun column ->
                    isIn numeric column
                    || (not (isIn categorical column) && isNumeric column.Cells))

            if inputs.IsEmpty then
                Error [ Fault.create "" $"columns beside the label {label.Name}" "none" ]
            else
                inputs
                |> List.map Table.readable
                |> Fault.all
                |> Result.bind (fun _ ->
                    Fault.both
                        (numbers |> List.map (fitNumbers choice table) |> Fault.all)
                        (categories |> List.map (fitCategories choice table) |> Fault.all))
                |> Result.map (fun (numbers, categories) -> {
                    Numbers = numbers
                    Categories = categories
                }))

    let private cellsOf (name: string) (table: Table) : Result<Column, Fault list> =
        match Table.tryNamed name table with
        | Some column -> Table.readable column
        | None -> Error [ Fault.create $"column {name}" "a column of that name" "none" ]

    /// The column's numbers, as the network takes them.
    let private encodeNumbers (encoding: NumberColumn) (table: Table) =
        cellsOf encoding.Name table
        |> Result.bind (fun column ->
            numbersOf table column
            |> Result.bind (fun numbers ->
                let absent =
                    [| 0 .. numbers.Length - 1 |]
                    |> Array.filter (fun row -> Double.IsNaN numbers[row])

                if absent.Length > 0 && Double.IsNaN encoding.Fill then
                    Error [ missing column table "as in training" absent ]
                else
                    numbers
                    |> Array.map (fun x ->
                        ((if Double.IsNaN x then encoding.Fill else x) - encoding.Centre)
                        / encoding.Scale)
                    |> Ok))

    /// The place of each row's category among the column's.
    let private encodeCategories (encoding: CategoryColumn) (table: Table) =
        let places =
            encoding.Values |> List.mapi (fun place value -> value, place) |> Map.ofList

        cellsOf encoding.Name table
        |> Result.bind (fun column ->
            let texts =
                Table.texts column.Cells
                |> Array.map (fun text -> if text = "" then encoding.Fill else text)

            match texts |> Array.tryFindIndex (places.ContainsKey >> not) with
            | None -> Ok(texts |> Array.map (fun text -> places[text]))
            | Some row when texts[row] = "" ->
                Error [ missing column table "as in training" [| row |] ]
            | Some row ->
                let known = encoding.Values |> List.truncate 20 |> String.concat ", "

                Error [
                    Fault.create (cellName column table row) $"one of {known}" $"'{texts[row]}'"
                ])

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
            Fault.both
                (encoding.Numbers
                 |> List.map (fun column -> encodeNumbers column table)
                 |> Fault.all)
                (encoding.Categories
                 |> List.map (fun column -> encodeCategories column table)
                 |> Fault.all)
            |> Result.map (fun (numbers, categories) ->
                let values: 'T[] = Array.zeroCreate (features * rows)

                numbers
                |> List.iteri (fun feature column ->
                    column
                    |> Array.iteri (fun row x ->
                        values[row * features + feature] <- 'T.CreateTruncating x))

                let mutable first = numbers.Length

                for encoding, places in List.zip encoding.Categories categories do
                    for row in 0 .. rows - 1 do
                        values[row * features + first + places[row]] <- 'T.One

                    first <- first + encoding.Values.Length

                Kernels.matrix features rows values)

    /// <summary>The classes that a label's column has, in order.</summary>
    /// <param name="column">The training rows' labels.</param>
    /// <param name="table">The training rows.</param>
    [<CompiledName("Classes")>]
    let classes (column: Column) (table: Table) : Result<string list, Fault list> =
        let texts = Table.texts column.Cells

        match texts |> Array.tryFindIndex ((=) "") with
        | Some row -> Error [ Fault.create (cellName column table row) "a label" "none" ]
        | None ->
            let values = inOrder texts

            Fault.check
                [
                    values.Length >= 2 && values.Length <= MaximumCategories,
                    Fault.create
                        $"column {column.Name}"
                        $"labels of 2 to %d{MaximumCategories} classes"
                        (string values.Length)
                ]
                (fun () -> values)

    /// <summary>Each row's class, by its place among the classes.</summary>
    /// <param name="classes">The classes.</param>
    /// <param name="column">The label's column of the table.</param>
    /// <param name="table">The rows.</param>
    [<CompiledName("Labels")>]
    let labels (classes: string list) (column: Column) (table: Table) : Result<int[], Fault list> =
        let places = classes |> List.mapi (fun place name -> name, place) |> Map.ofList
        let texts = Table.texts column.Cells

        match texts |> Array.tryFindIndex (places.ContainsKey >> not) with
        | None -> Ok(texts |> Array.map (fun text -> places[text]))
        | Some row ->
            let known = classes |> List.truncate 20 |> String.concat ", "
            Error [ Fault.create (cellName column table row) $"one of {known}" $"'{texts[row]}'" ]

    /// <summary>Each row's number to predict.</summary>
    /// <param name="column">The label's column of the table.</param>
    /// <param name="table">The rows.</param>
    /// <returns>(1, rows).</returns>
    [<CompiledName("Targets")>]
    let targets
        (column: Column)
        (table: Table)
        : Result<Matrix<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        numbersOf table column
        |> Result.bind (fun numbers ->
            match numbers |> Array.tryFindIndex Double.IsNaN with
            | Some row ->
                Error [ Fault.create (cellName column table row) "a number to predict" "none" ]
            | None ->
                numbers
                |> Array.map (fun x -> 'T.CreateTruncating x)
                |> Kernels.matrix 1 numbers.Length
                |> Ok)
