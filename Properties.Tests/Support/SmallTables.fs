/// Tables that tests write down, and what they are prepared with.
module Pipeline.Properties.SmallTables

open Pipeline.Learning.Laws
open Pipeline.Learning.Formats
open Pipeline.Learning

/// A choice that leaves everything open, and the numbers as they are.
let plainChoice: TableOptions = {
    Label = ValueNone
    Numeric = []
    Categorical = []
    Ignored = []
    Cells = CellRules.Default
    Missing = Missing.Refuse
    Scaling = Scaling.None
    Weight = ValueNone
}

let texts (values: string seq) : Cells = Cells.Texts(Array.ofSeq values)

/// A table of named columns.
let table (columns: (string * Cells) list) : Table =
    columns
    |> List.map (fun (name, cells) -> { Name = name; Cells = cells })
    |> Table.create
    |> orFail

/// A table's samples where its rows are the test rows too.
let prepared (choice: TableOptions) (rows: Table) : Result<TableData<float>, Fault list> =
    TableData.prepare choice Head.Softmax ValueNone (TestRows.Separate(rows, "")) "" rows
