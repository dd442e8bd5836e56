namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// The columns of tables that are watched, and their values.
[<RequireQualifiedAccess>]
module internal WatchedColumns =
    /// The most columns that are watched.
    [<Literal>]
    let Most = 256

    /// The place of a watched column: all are watched, or as many at even distances.
    let placeOf (columns: int) (feature: int) : int =
        if columns <= Most then
            feature
        else
            int (int64 feature * int64 columns / int64 Most)

    /// The places of the watched columns.
    let places (columns: int) : int[] =
        Array.init (min Most columns) (placeOf columns)

    /// The watched columns of a table, those of numbers first; each has its categories, or none.
    let ofEncoding (encoding: TableEncoding) : Choice<NumberColumn, CategoryColumn>[] =
        let all = [|
            yield! encoding.Numbers |> List.map Choice1Of2
            yield! encoding.Categories |> List.map Choice2Of2
        |]

        places all.Length |> Array.map (Array.get all)

    /// The name of a watched input of a model of plain numbers.
    let nameOf (input: int) : string = invariant $"input {input + 1}"

    /// A column's numbers, NaN for a missing one.
    let numbers (encoding: TableEncoding) (table: Table) (column: NumberColumn) : float[] =
        let reader = CellReader encoding.Format

        match
            ColumnValues.find column.Name table
            |> Result.bind (ColumnValues.numbers reader table)
        with
        | Ok numbers -> numbers
        | Error _ -> Array.create table.Rows nan

    /// The indices of a column's categories, −1 for another or a missing one.
    let indices (encoding: TableEncoding) (table: Table) (column: CategoryColumn) : int[] =
        let reader = CellReader encoding.Format

        match ColumnValues.find column.Name table with
        | Ok found -> ColumnValues.tryIndices reader column.Values "" found
        | Error _ -> Array.create table.Rows -1
