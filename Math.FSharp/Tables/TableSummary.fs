namespace Pipeline.Learning

open System
open Pipeline.Learning.Formats

/// What a column of a table is used for.
[<RequireQualifiedAccess>]
type ColumnUse =
    /// The label.
    | Label
    /// An input of numbers.
    | Numbers
    /// An input for each category.
    | Categories
    /// How much each row counts.
    | Weight
    /// Left out by Data:Ignored.
    | Ignored
    /// Left out because it numbers the rows.
    | RowNumbers
    /// No input before a setting says what it is.
    | Unclear

    /// The case's name.
    override columnUse.ToString() =
        match columnUse with
        | Label -> nameof Label
        | Numbers -> nameof Numbers
        | Categories -> nameof Categories
        | Weight -> nameof Weight
        | Ignored -> nameof Ignored
        | RowNumbers -> nameof RowNumbers
        | Unclear -> nameof Unclear

/// A column of a table in figures.
type ColumnSummary = {
    /// Its name.
    Name: string
    /// What it is used for.
    Use: ColumnUse
    /// The number of missing cells.
    Missing: int
    /// The number of different values.
    Different: int
    /// The lowest number; NaN if the cells are not numbers.
    Lowest: float
    /// The mean of the numbers.
    Mean: float
    /// Their standard deviation.
    Deviation: float
    /// The highest number.
    Highest: float
    /// The most frequent value, and its number of cells; of equally frequent ones, the first.
    MostFrequent: struct (string * int)
}

/// A table in figures.
type TableSummary = {
    /// The number of rows.
    Rows: int
    /// The columns, in the order of the table.
    Columns: ColumnSummary list
    /// The label's values with their numbers of rows, the most frequent first; none if it is a number to predict.
    Classes: (string * int) list
    /// How numbers are written.
    Format: CellFormat
    /// Warnings about possible mistakes.
    Warnings: string list
}

/// Describing a table before anything is learned from it.
[<RequireQualifiedAccess>]
module TableSummary =
    let private summary
        (reader: CellReader)
        (table: Table)
        (layout: TableLayout)
        (unclear: string list)
        (column: Column)
        : ColumnSummary =
        let named = List.contains column.Name

        let texts = ColumnValues.texts reader column.Cells |> Array.filter ((<>) "")

        let counts = texts |> Array.countBy id |> Array.sortByDescending snd

        let numbers =
            match ColumnValues.numbers reader table column with
            | Ok numbers -> numbers |> Array.filter (Double.IsNaN >> not)
            | Error _ -> [||]

        let figure (f: float[] -> float) =
            if numbers.Length = 0 then nan else f numbers

        let mean = figure (fun numbers -> Spread.mean (ReadOnlySpan numbers))

        {
            Name = column.Name
            Use =
                if column.Name = layout.Label then
                    ColumnUse.Label
                elif ValueSome column.Name = layout.Weight then
                    ColumnUse.Weight
                elif named layout.Numbers then
                    ColumnUse.Numbers
                elif named layout.Categories then
                    ColumnUse.Categories
                elif named layout.Counts then
                    ColumnUse.RowNumbers
                elif named unclear then
                    ColumnUse.Unclear
                else
                    ColumnUse.Ignored
            Missing = table.Rows - texts.Length
            Different = counts.Length
            Lowest = figure Array.min
            Mean = mean
            Deviation = figure (fun numbers -> Spread.deviation mean (ReadOnlySpan numbers))
            Highest = figure Array.max
            MostFrequent =
                match Array.tryHead counts with
                | Some(text, count) -> struct (text, count)
                | None -> struct ("", 0)
        }

    /// The columns that no setting explains and whose cells do not, with what is wrong with them.
    let private unclear
        (options: TableOptions)
        (label: Column)
        (table: Table)
        : (string * Fault list) list =
        let names = table.Columns |> List.map _.Name |> List.filter ((<>) label.Name)

        // A table has an input, even where the only other column numbers the rows.
        let withInput =
            let zeros = {
                Name = "\000"
                Cells = Cells.Numbers(Array.zeroCreate table.Rows)
            }

            Table.withColumns (zeros :: table.Columns) table

        [
            for name in names do
                let alone = {
                    options with
                        Ignored = names |> List.filter ((<>) name)
                }

                match withInput |> Result.bind (TableLayout.ofTable alone) with
                | Ok _ -> ()
                | Error faults -> name, faults
        ]

    /// The roles of the columns; those that are unclear are left out.
    let private layoutOf
        (options: TableOptions)
        (table: Table)
        : Result<TableLayout * Table * (string * Fault list) list, Fault list> =
        match TableLayout.ofTable options table with
        | Ok(layout, table) -> Ok(layout, table, [])
        | Error faults ->
            TableLayout.label options table
            |> Result.bind (fun label ->
                let unclear = unclear options label table

                let without = {
                    options with
                        Ignored = options.Ignored @ List.map fst unclear
                }

                match TableLayout.ofTable without table with
                | Ok(layout, table) -> Ok(layout, table, unclear)
                | Error _ -> Error faults)

    /// <summary>The figures of a table, or what is wrong with it. Missing values and columns that need a setting are no
    /// faults here.</summary>
    /// <param name="options">What to do with columns.</param>
    /// <param name="head">The network's head: under Identity the label is a number to predict.</param>
    /// <param name="table">The rows.</param>
    [<CompiledName("Create")>]
    let create
        (options: TableOptions)
        (head: Head)
        (table: Table)
        : Result<TableSummary, Fault list> =
        layoutOf options table
        |> Result.map (fun (layout, table, unclear) ->
            let reader = CellReader layout.Format

            let columns =
                table.Columns |> List.map (summary reader table layout (List.map fst unclear))

            let label = TestRows.columns [ layout.Label ] table |> List.head

            {
                Rows = table.Rows
                Columns = columns
                Classes =
                    if head = Head.Identity then
                        []
                    else
                        ColumnValues.texts reader label.Cells
                        |> Array.filter ((<>) "")
                        |> Array.countBy id
                        |> Array.sortByDescending snd
                        |> List.ofArray
                Format = layout.Format
                Warnings = [
                    for _, faults in unclear do
                        yield! faults |> List.map string

                    yield! TableWarnings.ofColumns reader layout table
                ]
            })
