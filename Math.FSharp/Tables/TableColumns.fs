namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// Work on the columns of a table.
[<RequireQualifiedAccess>]
module internal TableColumns =
    /// A function's value for every column, on several threads where that is worthwhile.
    /// <param name="rows">The number of rows of the columns.</param>
    let map (rows: int) (value: 'C -> 'V) (columns: 'C list) : 'V list =
        let columns = Array.ofList columns
        let values = Array.zeroCreate columns.Length

        ThreadTeam.run (16L * int64 rows * int64 columns.Length) columns.Length (fun place ->
            values[place] <- value columns[place])

        List.ofArray values
