namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// Where test rows come from.
[<RequireQualifiedAccess>]
type TestRows =
    /// A separate table, and its name in messages.
    | Separate of table: Table * source: string
    /// A fraction of the rows, chosen by a hash of the row and a seed: a row stays on its side whatever other
    /// rows there are, and equal rows are on the same side.
    | Fraction of fraction: float * seed: uint64

/// Dividing a table into training and test rows.
[<RequireQualifiedAccess>]
module internal TestRows =
    /// The columns of those names in the table's order. Spaces around names do not count.
    let columns (names: string list) (table: Table) : Column list =
        let names = names |> List.map _.Trim() |> Set.ofList

        table.Columns |> List.filter (fun column -> names.Contains(column.Name.Trim()))

    /// The table, with the numbers of the layout's number columns read.
    let withNumbers (layout: TableLayout) (table: Table) : Table =
        let reader = CellReader layout.Format
        let own = columns layout.Numbers table |> List.map _.Name |> Set.ofList

        let others =
            columns (layout.Label :: layout.Categories) table
            |> List.map _.Name
            |> Set.ofList

        table
        |> Table.update (fun column ->
            if own.Contains column.Name then
                Column.withNumbers reader column
            elif others.Contains column.Name then
                Column.withRepeated column
            else
                column)

    /// A hash of each row's inputs.
    let keysOf (layout: TableLayout) (table: Table) : uint64[] =
        table
        |> columns (layout.Numbers @ layout.Categories)
        |> RowKey.ofColumns (CellReader layout.Format) table.Rows

    /// The rows to learn from, with their keys, and the rows to test with.
    let split (fraction: float) (seed: uint64) (keys: uint64[]) (table: Table) =
        let isKept = KeyedFraction.choose seed RandomStream.Test fraction keys

        let where kept =
            let rows = ResizeArray<int>()

            for row in 0 .. table.Rows - 1 do
                if isKept[row] = kept then
                    rows.Add row

            rows.ToArray()

        let train, test = where false, where true

        let because () =
            let different = (Array.distinct keys).Length

            if different = table.Rows then
                ""
            else
                let verb = if different = 1 then "is" else "are"
                let rows = Counted.text "different row" "different rows" (int64 different)
                (invariant $" (equal rows are on the same side, and there {verb} {rows})")

        if test.Length > 0 && test.Length < table.Rows then
            Ok(Table.take train table, Array.map (Array.get keys) train, Table.take test table)
        else
            Error [
                Fault.message
                    "Data:TestShare"
                    (invariant
                        $"of {Cells.text fraction} gives {test.Length} test rows of {table.Rows}{because ()}; both sides need rows, or a file of test rows (Data:Test)")
            ]
