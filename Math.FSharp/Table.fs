namespace Pipeline.Learning

open System
open System.Globalization

/// The cells of a column, one a row.
[<RequireQualifiedAccess>]
type Cells =
    /// Numbers; one that is missing is not a number.
    | Numbers of float[]
    /// Texts, numbers among them as they are written.
    | Texts of string[]

/// A column of a table.
type Column = {
    /// What a header calls it, else its place, counted from 0.
    Name: string
    /// One a row.
    Cells: Cells
}

/// Rows of cells under named columns.
type Table = private {
    columns: Column list
    rows: int
} with

    /// The columns, from left to right.
    member table.Columns = table.columns
    /// How many rows.
    member table.Rows = table.rows

/// Making tables and finding things in them.
[<RequireQualifiedAccess>]
module Table =
    let internal rowsOf (cells: Cells) : int =
        match cells with
        | Cells.Numbers numbers -> numbers.Length
        | Cells.Texts texts -> texts.Length

    /// The cells at some places, each of which there is, in that order.
    let internal pick (places: int[]) (cells: Cells) : Cells =
        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(Array.map (Array.get numbers) places)
        | Cells.Texts texts -> Cells.Texts(Array.map (Array.get texts) places)

    /// <summary>A table of columns, or what is wrong with them.</summary>
    /// <param name="columns">One column or more of one row or more, all of the same length, their names
    /// different.</param>
    [<CompiledName("Create")>]
    let create (columns: Column seq) : Result<Table, Fault list> =
        let columns = List.ofSeq columns
        let rows = columns |> List.map (fun column -> rowsOf column.Cells)

        Fault.check
            [
                columns <> [] && List.forall (fun rows -> rows > 0) rows,
                Fault.create "" "a table of one row and column or more" "none"
                (List.distinct rows).Length <= 1,
                Fault.create "" "columns of as many cells" $"%A{List.distinct rows}"
                for name, same in columns |> List.countBy _.Name do
                    same = 1, Fault.create $"column {name}" "one column of that name" $"{same}"
            ]
            (fun () -> {
                columns = columns
                rows = List.head rows
            })

    /// The number that a text is.
    let internal number (text: string) : float voption =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, number when Double.IsFinite number -> ValueSome number
        | _ -> ValueNone

    /// What stands for a missing value: nothing, NA, N/A, NaN, null or a question mark.
    let private absent = set [ ""; "NA"; "N/A"; "NAN"; "NULL"; "?" ]

    let internal isMissing (text: string) : bool =
        absent.Contains(text.Trim().ToUpperInvariant())

    /// A number as a text that gives it back.
    let internal text (number: float) : string =
        if Double.IsNaN number then
            ""
        else
            number.ToString("R", CultureInfo.InvariantCulture)

    /// Every cell as a text; what is missing is empty.
    let internal texts (cells: Cells) : string[] =
        match cells with
        | Cells.Numbers numbers -> Array.map text numbers
        | Cells.Texts texts ->
            texts |> Array.map (fun text -> if isMissing text then "" else text.Trim())

    /// <summary>Whether the first row of a file reads like names: none of its cells is a number or
    /// missing.</summary>
    [<CompiledName("IsHeader")>]
    let isHeader (firstRow: string seq) : bool =
        firstRow
        |> Seq.forall (fun text -> not (isMissing text) && (number text).IsNone)

    /// <summary>The column that a name or a place, counted from 0, means.</summary>
    /// <param name="key">A name; a number where no column has that name.</param>
    /// <param name="table">The table.</param>
    [<CompiledName("Find")>]
    let find (key: string) (table: Table) : Result<Column, Fault list> =
        match table.columns |> List.tryFind (fun column -> column.Name = key) with
        | Some column -> Ok column
        | None ->
            match Int32.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture) with
            | true, place when place < table.columns.Length -> Ok table.columns[place]
            | _ ->
                let names = table.columns |> List.map _.Name

                let known =
                    if names.Length <= 20 then
                        String.concat ", " names
                    else
                        $"{names.Head} … {List.last names}"

                Error [
                    Fault.create
                        $"column {key}"
                        $"one of {known}, or a place of 0 to {names.Length - 1}"
                        "no such column"
                ]

    /// <summary>Some rows of a table, in that order.</summary>
    /// <param name="places">Which, counted from 0.</param>
    /// <param name="table">The table.</param>
    /// <exception cref="T:System.ArgumentException">A place is outside the table.</exception>
    [<CompiledName("Take")>]
    let take (places: int[]) (table: Table) : Table =
        for place in places do
            if place < 0 || place >= table.rows then
                invalidArg
                    (nameof places)
                    $"expected places of 0 to {table.rows - 1}, found {place}"

        {
            rows = places.Length
            columns =
                table.columns
                |> List.map (fun column -> {
                    column with
                        Cells = pick places column.Cells
                })
        }

    /// <summary>The rows of a matrix as a table whose columns are called 0, 1, 2, …</summary>
    /// <param name="tensor">Of two dimensions, (rows, columns), or of one, a column.</param>
    [<CompiledName("OfTensor")>]
    let ofTensor (tensor: Tensor) : Result<Table, Fault list> =
        match tensor.Shape with
        | [ rows ] -> Ok(rows, 1)
        | [ rows; columns ] -> Ok(rows, columns)
        | shape ->
            Error [
                Fault.create
                    tensor.Name
                    "an array of one or two dimensions"
                    $"{Tensor.shapeText shape}"
            ]
        |> Result.bind (fun (rows, columns) ->
            let values = Tensor.toDoubles tensor

            create [
                for column in 0 .. columns - 1 ->
                    {
                        Name = string column
                        Cells =
                            Cells.Numbers(
                                Array.init rows (fun row -> values[row * columns + column])
                            )
                    }
            ])
