namespace Pipeline.Learning

open System
open Pipeline.Learning.Formats

/// The roles of a table's columns.
type internal TableLayout = {
    /// How cells are written.
    Format: CellFormat
    /// The label's column.
    Label: string
    /// Columns of numbers.
    Numbers: string list
    /// Columns of categories.
    Categories: string list
    /// Columns that settings leave out.
    Ignored: string list
    /// The column of weights.
    Weight: string voption
    /// Columns that are left out because they number the rows, as pandas writes them.
    Counts: string list
    /// Columns of categories that look like numbers, each with one of its texts.
    NumberLike: (string * string) list
}

/// Finding the roles of columns.
[<RequireQualifiedAccess>]
module internal TableLayout =
    /// The column that a setting names.
    let private find (setting: string) (table: Table) (key: string) : Result<Column, Fault list> =
        Table.find key table |> Result.mapError (List.map (Fault.withSubject setting))

    /// <summary>The label's column of a table.</summary>
    let label (options: TableOptions) (table: Table) : Result<Column, Fault list> =
        match options.Label with
        | ValueSome key -> find "Data:Label" table key
        | ValueNone -> Ok(List.last table.Columns)
        |> Result.bind Column.readable

    /// The columns that a setting names.
    let private named (setting: string) (table: Table) (keys: string list) =
        keys |> List.map (find setting table) |> Fault.all

    let private names (columns: Column list) =
        columns |> List.map _.Name |> Set.ofList

    /// The columns of a table without some.
    let private without (some: Column list) (table: Table) : Column list =
        let names = names some
        table.Columns |> List.filter (fun column -> not (names.Contains column.Name))

    /// The columns that are no inputs: the label's, those that settings leave out, and that of weights.
    let private out
        (options: TableOptions)
        (table: Table)
        : Result<Column * (Column list * Column voption), Fault list> = validation {
        let! label = label options table
        and! ignored = named "Data:Ignored" table options.Ignored

        and! weight =
            match options.Weight with
            | ValueNone -> Ok ValueNone
            | ValueSome key -> find "Data:Weight" table key |> Result.map ValueSome

        return label, (ignored, weight)
    }

    /// The columns of a table that may be inputs.
    let private inputs (label: Column) (ignored: Column list, weight: Column voption) =
        without (label :: ignored @ ValueOption.toList weight)

    /// <summary>The columns besides the label, that of weights and those that settings leave out.</summary>
    let besides (options: TableOptions) (table: Table) : Result<Column list, Fault list> =
        out options table
        |> Result.map (fun (label, others) -> inputs label others table)

    /// The numbers of some cells of a column, NaN for a cell that holds no number. A number that stands for a missing
    /// value is a number here.
    let private plainNumbers
        (reader: CellReader)
        (first: int)
        (count: int)
        (column: Column)
        : float[] =
        match column.Cells with
        | Cells.Numbers numbers -> Array.sub numbers first count
        | Cells.Unreadable _ -> Array.create count nan
        | Cells.Texts texts ->
            let numbers = Array.create count nan

            match column.Cells with
            | NumbersIn reader known -> known.Numbers.Copy(first, numbers.AsSpan())
            | _ -> ()

            for row in 0 .. count - 1 do
                if Double.IsNaN numbers[row] then
                    numbers[row] <- ValueOption.defaultValue nan (reader.Number texts[first + row])

            numbers

    /// Whether the first cells of a column are whole numbers that fit.
    let startsWith (fits: float[] -> bool) (reader: CellReader) (column: Column) : bool =
        let numbers = column |> plainNumbers reader 0 (min 2 (Cells.count column.Cells))
        Array.forall Double.IsInteger numbers && fits numbers

    /// The numbers of a column in order, if all its cells are whole numbers.
    let wholeNumbers (reader: CellReader) (column: Column) : float[] voption =
        // For most columns the first cells decide.
        let numbers =
            if startsWith (fun _ -> true) reader column then
                column |> plainNumbers reader 0 (Cells.count column.Cells)
            else
                [| nan |]

        if numbers |> Array.forall Double.IsInteger then
            ValueSome numbers
        else
            ValueNone

    /// Whether pandas wrote the column for its index: no name, and a different whole number in each row.
    let private countsRows (reader: CellReader) (column: Column) : bool =
        let name = column.Name.Trim()

        (name = "" || name.StartsWith("Unnamed: ", StringComparison.Ordinal))
        && match wholeNumbers reader column with
           | ValueSome numbers -> (Array.distinct numbers).Length = numbers.Length
           | ValueNone -> false

    /// <summary>The roles of columns by settings and cells, or everything that is wrong with them.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="table">The rows.</param>
    /// <returns>The layout, and the table with its numbers read.</returns>
    let ofTable (options: TableOptions) (table: Table) : Result<TableLayout * Table, Fault list> =
        validation {
            let! label, others = out options table
            and! numeric = named "Data:Numeric" table options.Numeric
            and! categorical = named "Data:Categorical" table options.Categorical
            return (label, others), (numeric, categorical)
        }
        |> Result.bind (fun ((label, (ignored, weight)), (numeric, categorical)) ->
            let both = Set.intersect (names numeric) (names categorical)

            Fault.check
                [
                    not ((names ignored).Contains label.Name),
                    Fault.message
                        "Data:Ignored"
                        $"names the label {label.Name}; Data:Label chooses another label"
                    weight |> ValueOption.map _.Name <> ValueSome label.Name,
                    Fault.message
                        "Data:Weight"
                        $"names the label {label.Name}; Data:Label chooses another label"
                    both.IsEmpty,
                    Fault.message
                        "Data:Numeric"
                        $"""and Data:Categorical name the same column ({String.concat ", " both})"""
                ]
                (fun () ->
                    (label, weight, inputs label (ignored, weight) table), (numeric, categorical)))
        |> Result.bind (fun ((label, weight, columns), (numeric, categorical)) ->
            let isIn (some: Column list) (column: Column) =
                some |> List.exists (fun other -> other.Name = column.Name)

            let withNumbers format =
                TableColumns.map table.Rows (fun column ->
                    if isIn categorical column then
                        column
                    else
                        Column.withNumbers (CellReader format) column)

            let rules = options.Cells
            let usual = CellFormat.apply rules CellFormat.Default
            let columns = withNumbers usual columns

            let format =
                let written = label :: columns |> List.filter (isIn categorical >> not)

                if
                    rules.DecimalSeparator.IsNone
                    && rules.ThousandsSeparator.IsNone
                    && DecimalComma.isOnlyReading rules written
                then
                    CellFormat.apply rules {
                        CellFormat.Default with
                            DecimalSeparator = ','
                    }
                else
                    usual

            let reader = CellReader format

            let columns =
                columns |> withNumbers format |> TableColumns.map table.Rows Column.withRepeated

            let label = Column.withRepeated label

            let isSaid column =
                isIn numeric column || isIn categorical column

            let counts, inputs =
                columns
                |> List.partition (fun column -> not (isSaid column) && countsRows reader column)

            if inputs.IsEmpty then
                Error [ Fault.message "" $"has no columns besides the label {label.Name}" ]
            else
                inputs
                |> List.map (fun column ->
                    Column.readable column
                    |> Result.bind (fun column ->
                        if isIn numeric column then Ok ColumnKind.Numbers
                        elif isIn categorical column then Ok ColumnKind.Categories
                        else ColumnKind.ofColumn reader table column))
                |> Fault.all
                |> Result.map (fun kinds ->
                    let kinds = List.zip inputs kinds

                    let known =
                        label :: columns
                        |> List.map (fun column -> column.Name, column)
                        |> Map.ofList

                    {
                        Format = format
                        Label = label.Name
                        Numbers = [
                            for column, kind in kinds do
                                if kind = ColumnKind.Numbers then
                                    column.Name
                        ]
                        Categories = [
                            for column, kind in kinds do
                                if kind <> ColumnKind.Numbers then
                                    column.Name
                        ]
                        Ignored = [
                            let used = label :: ValueOption.toList weight @ columns

                            for column in table.Columns do
                                if not (isIn used column) then
                                    column.Name
                        ]
                        Weight = weight |> ValueOption.map _.Name
                        Counts = counts |> List.map _.Name
                        NumberLike = [
                            for column, kind in kinds do
                                match kind with
                                | ColumnKind.NumberLikeCategories example -> column.Name, example
                                | _ -> ()
                        ]
                    },
                    table
                    |> Table.update (fun column ->
                        Map.tryFind column.Name known |> Option.defaultValue column)))
