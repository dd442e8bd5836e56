namespace Pipeline.Learning

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning.Formats

/// Warnings about possible mistakes in a table.
[<RequireQualifiedAccess>]
module internal TableWarnings =
    /// With fewer rows, columns agree by chance.
    [<Literal>]
    let private FewRows = 10

    /// Whether whole numbers go up by 1 from row to row.
    let private goesUpByOne (numbers: float[]) : bool =
        let mutable row = 1

        while row < numbers.Length && numbers[row] - numbers[row - 1] = 1.0 do
            row <- row + 1

        row >= numbers.Length

    let private isNamedIndex (name: string) : bool =
        let name = name.Trim().ToLowerInvariant()

        List.contains name [ "id"; "index"; "row"; "rownames"; "level_0" ]
        || name.EndsWith("_id", StringComparison.Ordinal)
        || name.EndsWith(" id", StringComparison.Ordinal)

    /// Columns of numbers that seem to number the rows.
    let private counts (reader: CellReader) (numbers: Column list) : string list = [
        for column in numbers do
            let mayCount =
                isNamedIndex column.Name || TableLayout.startsWith goesUpByOne reader column

            match
                if mayCount then
                    TableLayout.wholeNumbers reader column
                else
                    ValueNone
            with
            | ValueSome values when values.Length >= FewRows ->
                if
                    goesUpByOne values
                    || (isNamedIndex column.Name && (Array.distinct values).Length = values.Length)
                then
                    invariant
                        $"Column {column.Name} looks like an index of the rows, with a different whole number in each: it means nothing for new rows, and gives the label away where the rows are sorted. Data:Ignored {column.Name} leaves it out."
            | _ -> ()
    ]

    /// Columns whose values correspond one to one to those of the label.
    let private givingAway
        (reader: CellReader)
        (label: Column)
        (inputs: Column list)
        : string list =
        let plain (column: Column) : int -> string =
            match column.Cells with
            | Cells.Numbers numbers -> fun row -> Cells.text numbers[row]
            | Cells.Texts texts -> Cells.valueOfText reader.Canonical texts
            | Cells.Unreadable _ -> fun _ -> ""

        let rows, labelOf = Cells.count label.Cells, plain label

        if
            rows < FewRows
            || Seq.forall (fun row -> labelOf row = labelOf 0) (seq { 1 .. rows - 1 })
        then
            []
        else
            [
                for column in inputs do
                    // For most columns the first rows decide.
                    let forward, back = Dictionary<string, string>(), Dictionary<string, string>()

                    let agrees (pairs: Dictionary<string, string>) one other =
                        match pairs.TryGetValue one with
                        | true, known -> known = other
                        | _ ->
                            pairs[one] <- other
                            true

                    let cell = plain column
                    let mutable row = 0

                    while row < rows
                          && (let value, label = cell row, labelOf row
                              agrees forward value label && agrees back label value) do
                        row <- row + 1

                    if row = rows then
                        let isEqual = forward |> Seq.forall (fun pair -> pair.Key = pair.Value)
                        // Of labels that are all different, any column of different values is one to one.
                        if isEqual || 2 * forward.Count <= rows then
                            let how =
                                if isEqual then
                                    $"equals the label {label.Name}"
                                else
                                    $"corresponds one to one to the label {label.Name}"

                            (invariant
                                $"Column {column.Name} {how} in all {rows} rows: it gives the answer away. Data:Ignored {column.Name} leaves it out.")
            ]

    /// Columns of categories that look like numbers.
    let private numberLike (layout: TableLayout) : string list = [
        for name, example in layout.NumberLike ->
            invariant
                $"Column {name}: its texts, such as '{example}', look like numbers written in another way; each is taken for a category."
    ]

    /// Everything about a table's columns that may be a mistake.
    let ofColumns (reader: CellReader) (layout: TableLayout) (table: Table) : string list =
        let label = TestRows.columns [ layout.Label ] table |> List.head
        let inputs = TestRows.columns (layout.Numbers @ layout.Categories) table

        counts reader (TestRows.columns layout.Numbers table)
        @ givingAway reader label inputs
        @ numberLike layout

    let private figure (x: float) : string =
        x.ToString("G3", CultureInfo.InvariantCulture)

    /// A number of test rows far from the requested one, because equal rows are on the same side.
    let share (wanted: float) (keys: uint64[]) (testRows: int) : string list =
        let rows = keys.Length
        let found = float testRows / float rows
        let isFar = abs (found - wanted) > wanted / 4.0
        let different = if isFar then (Array.distinct keys).Length else rows

        if isFar && 2 * different <= rows then
            [
                (invariant
                    $"Equal rows are on the same side of the split, and of the {rows} rows {different} are different: the test has a share of {figure found} instead of {figure wanted}. Data:Test names a file of test rows.")
            ]
        else
            []
