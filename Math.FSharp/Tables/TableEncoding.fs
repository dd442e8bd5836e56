namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// How rows of a table become samples: first the inputs of the numbers, then those of the categories.
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

    /// The number of inputs.
    member encoding.Features =
        encoding.Numbers.Length + (encoding.Categories |> List.sumBy _.Values.Length)

/// Fitting encodings to training rows, and encoding any rows.
[<RequireQualifiedAccess>]
module TableEncoding =
    /// <summary>A table without its label and the columns that settings leave out.</summary>
    [<CompiledName("Inputs")>]
    let inputs (options: TableOptions) (table: Table) : Result<Table, Fault list> =
        TableLayout.besides options table
        |> Result.bind (fun columns -> Table.withColumns columns table)

    /// The encoding of a layout that fits training rows.
    let internal fitLayout
        (options: TableOptions)
        (layout: TableLayout)
        (table: Table)
        : Result<TableEncoding, Fault list> =
        let reader = CellReader layout.Format

        let each fit names =
            names
            |> TableColumns.map table.Rows (fun name ->
                ColumnValues.find name table |> Result.bind (fit options reader table))
            |> Fault.all

        validation {
            let! numbers = each NumberColumn.fit layout.Numbers
            and! categories = each CategoryColumn.fit layout.Categories

            return {
                Numbers = numbers
                Categories = categories
                Format = layout.Format
            }
        }

    /// <summary>The encoding that fits training rows, or everything that is wrong with them.</summary>
    /// <param name="options">What to do with columns.</param>
    /// <param name="table">The training rows, and no others: what is learned from test rows would make
    /// the test worth nothing.</param>
    [<CompiledName("Fit")>]
    let fit (options: TableOptions) (table: Table) : Result<TableEncoding, Fault list> =
        TableLayout.ofTable options table
        |> Result.bind (fun (layout, table) -> fitLayout options layout table)

    /// Rows that are encoded together: their inputs stay in the cache from column to column.
    [<Literal>]
    let private Tile = 1024

    /// Puts the inputs of columns whose numbers are known in their places, and says of which columns all are
    /// finite: the others have faults, or their numbers are not known.
    let private encodeNumbers
        (reader: CellReader)
        (encoding: TableEncoding)
        (table: Table)
        (width: int)
        (values: 'T[])
        : bool[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let rows = table.Rows
        let columns = Array.ofList encoding.Numbers

        let sources =
            columns
            |> Array.map (fun known ->
                match ColumnValues.find known.Name table with
                | Ok { Cells = NumbersIn reader known } -> ValueSome known.Numbers
                | _ -> ValueNone)

        let areFinite = sources |> Array.map _.IsSome

        let encodeTile (first: int) (numbers: float[]) =
            for feature in 0 .. columns.Length - 1 do
                match sources[feature] with
                | ValueSome source ->
                    let known = columns[feature]
                    source.Copy(first, numbers.AsSpan())

                    for row in 0 .. numbers.Length - 1 do
                        let input = 'T.CreateTruncating(NumberColumn.input known numbers[row])

                        if not ('T.IsFinite input) then
                            areFinite[feature] <- false

                        values[(first + row) * width + feature] <- input
                | ValueNone -> ()

        let tiles = (rows + Tile - 1) / Tile

        ThreadTeam.run (8L * int64 rows * int64 columns.Length) tiles (fun tile ->
            let first = tile * Tile
            encodeTile first (Array.zeroCreate (min Tile (rows - first))))

        areFinite

    let private requireFits (width: int) (what: string) (table: Table) : Result<unit, Fault list> =
        Fault.check
            [
                int64 width * int64 table.Rows <= int64 Array.MaxLength,
                Fault.create
                    ""
                    (invariant
                        $"at most {Array.MaxLength} numbers in all (Data:Ignored leaves columns out)")
                    (invariant $"{table.Rows} rows of {width} {what}")
            ]
            ignore

    /// The rows of a table; `indices` gives each row's category, −1 for none.
    let private rowsBy
        (indices: CellReader -> CategoryColumn -> Column -> Result<int[], Fault list>)
        (encoding: TableEncoding)
        (table: Table)
        : Result<EncodedRows<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let width = encoding.Numbers.Length + encoding.Categories.Length
        let rows = table.Rows

        let known =
            encoding.Numbers |> List.choose (fun known -> Table.tryNamed known.Name table)

        requireFits width "columns" table
        |> Result.bind (fun () -> DecimalComma.requireOneReading encoding.Format table known)
        |> Result.bind (fun () ->
            let reader = CellReader encoding.Format
            let values: 'T[] = Array.zeroCreate (width * rows)

            let put (place: int) (column: 'T[]) =
                for row in 0 .. rows - 1 do
                    values[row * width + place] <- column[row]

            let areDone = encodeNumbers reader encoding table width values

            // A column's numbers are put in their places before the next one's are made.
            let numbers =
                encoding.Numbers
                |> List.mapi (fun place known ->
                    if areDone[place] then
                        Ok()
                    else
                        NumberColumn.encode reader table known |> Result.map (put place))
                |> Fault.all

            let categories =
                encoding.Categories
                |> List.mapi (fun place known ->
                    ColumnValues.find known.Name table
                    |> Result.bind (indices reader known)
                    |> Result.map (
                        Array.map 'T.CreateTruncating >> put (encoding.Numbers.Length + place)
                    ))
                |> Fault.all

            Fault.both numbers categories
            |> Result.map (fun _ -> {
                Columns = Kernels.matrix width rows values
                Sizes = [| for column in encoding.Categories -> column.Values.Length |]
            }))

    /// The rows of a table, with an index for each category.
    let internal rows
        (encoding: TableEncoding)
        (table: Table)
        : Result<EncodedRows<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        rowsBy
            (fun reader known column ->
                ColumnValues.indices
                    reader
                    known.Values
                    known.Fill
                    ColumnValues.TrainingRule
                    table
                    column)
            encoding
            table

    /// <summary>The rows of a table as samples.</summary>
    /// <param name="encoding">What was fitted to the training rows.</param>
    /// <param name="table">Any rows with its columns; others are left out.</param>
    /// <returns>(inputs, rows), or what is wrong with the rows.</returns>
    [<CompiledName("Encode")>]
    let encode
        (encoding: TableEncoding)
        (table: Table)
        : Result<Matrix<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        requireFits encoding.Features "inputs" table
        |> Result.bind (fun () -> rows encoding table)
        |> Result.map (EncodedRows.expand [| 0 .. table.Rows - 1 |])

    /// The rows of a table, where the inputs of a category that no training row has are all 0; and the columns that have
    /// such rows, with how many.
    let internal rowsKnown<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (encoding: TableEncoding)
        (table: Table)
        : Result<EncodedRows<'T> * (string * int) list, Fault list> =
        let reader = CellReader encoding.Format

        let indices (reader: CellReader) (known: CategoryColumn) (column: Column) =
            ColumnValues.tryIndices reader known.Values known.Fill column

        let unknown (known: CategoryColumn) =
            ColumnValues.find known.Name table
            |> Result.map (fun column ->
                let missing =
                    known.Fill = ""
                    && ColumnValues.texts reader column.Cells |> Array.exists ((=) "")

                let rows = indices reader known column |> Array.filter ((=) -1) |> Array.length

                known.Name, missing, rows)

        encoding.Categories
        |> List.map unknown
        |> Fault.all
        |> Result.bind (fun columns ->
            // A missing value stays a fault.
            if columns |> List.exists (fun (_, missing, _) -> missing) then
                rows encoding table |> Result.map (fun encoded -> encoded, [])
            else
                rowsBy (fun reader known column -> Ok(indices reader known column)) encoding table
                |> Result.map (fun encoded ->
                    encoded,
                    columns
                    |> List.filter (fun (_, _, rows) -> rows > 0)
                    |> List.map (fun (name, _, rows) -> name, rows)))
