namespace Pipeline.Learning.Formats

open System
open System.Globalization
open Pipeline.Learning

/// The places of a table's rows in their file.
[<RequireQualifiedAccess>]
type internal RowPlaces =
    /// The n-th row of the file, counted from 1.
    | Rows of int[]
    /// The line of the file where the row begins, counted from 1.
    | Lines of int[]

/// Rows of cells under named columns.
type Table = private {
    columns: Column list
    rows: int
    /// <exclude/>
    places: RowPlaces
} with

    /// The columns, from left to right.
    member table.Columns = table.columns
    /// How many rows.
    member table.Rows = table.rows

    /// A row's place in its file, for messages: row 200, or line 201. Rows of the table are counted from 0.
    member internal table.PlaceOf(row: int) : string =
        match table.places with
        | RowPlaces.Rows rows -> invariant $"row {rows[row]}"
        | RowPlaces.Lines lines -> invariant $"line {lines[row]}"

/// Making tables and finding columns in them.
[<RequireQualifiedAccess>]
module Table =
    /// The same table with other cells in some of its columns.
    let internal update (change: Column -> Column) (table: Table) : Table = {
        table with
            columns = List.map change table.columns
    }

    /// <summary>A table of columns, or what is wrong with them. Its rows are the first, second, … of their
    /// file.</summary>
    /// <param name="columns">One column or more of one row or more, all of the same length, their names
    /// different.</param>
    [<CompiledName("Create")>]
    let create (columns: Column seq) : Result<Table, Fault list> =
        let columns = List.ofSeq columns
        let rows = columns |> List.map (fun column -> Cells.count column.Cells)

        let lengths = List.distinct rows

        Fault.check
            [
                columns <> [] && List.forall (fun rows -> rows > 0) rows,
                Fault.create "" "a table of one row and column or more" "none"
                if lengths.Length > 1 then
                    false,
                    Fault.create
                        ""
                        "columns of as many cells"
                        ("[" + String.concat "; " (List.map string lengths) + "]")
                for name, same in columns |> List.countBy _.Name do
                    same = 1, Fault.message $"column {name}" (invariant $"occurs {same} times")
            ]
            (fun () -> {
                columns = columns
                rows = List.head rows
                places = RowPlaces.Rows [| 1 .. List.head rows |]
            })

    /// <summary>The same table with the line of its file where each row begins.</summary>
    /// <param name="lines">The lines, counted from 1, one a row.</param>
    /// <param name="table">The table.</param>
    /// <exception cref="T:System.ArgumentException">There are more or fewer lines than rows.</exception>
    [<CompiledName("WithLineNumbers")>]
    let withLineNumbers (lines: int[]) (table: Table) : Table =
        if lines.Length <> table.rows then
            invalidArg
                (nameof lines)
                (invariant $"expected {table.rows} lines, found {lines.Length}")

        {
            table with
                places = RowPlaces.Lines lines
        }

    /// The column of that name, or the only one of that name apart from spaces around it.
    let internal tryNamed (name: string) (table: Table) : Column option =
        match table.columns |> List.tryFind (fun column -> column.Name = name) with
        | Some column -> Some column
        | None ->
            table.columns
            |> List.filter (fun column -> column.Name.Trim() = name.Trim())
            |> List.tryExactlyOne

    /// The number of columns from the left that are called by their indices, like those of a file without
    /// names.
    let internal unnamed (table: Table) : int =
        table.columns
        |> Seq.mapi (fun place column -> column.Name = string<int> place)
        |> Seq.takeWhile id
        |> Seq.length

    /// <summary>The column of a name, or of an index from 0.</summary>
    /// <param name="key">A name, apart from spaces around it; or an index, if no column has that
    /// name.</param>
    /// <param name="table">The table.</param>
    [<CompiledName("Find")>]
    let find (key: string) (table: Table) : Result<Column, Fault list> =
        match tryNamed key table with
        | Some column -> Ok column
        | None ->
            match Int32.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture) with
            | true, place when place < table.columns.Length -> Ok table.columns[place]
            | _ ->
                let names = table.columns |> List.map _.Name
                let last = names.Length - 1

                let expected =
                    if unnamed table = names.Length then
                        invariant $"a place of 0 to {last}, as the table has no header"
                    elif names.Length <= 20 then
                        invariant
                            $"""one of {String.concat ", " names}, or a place of 0 to {last}"""
                    else
                        invariant
                            $"one of {names.Head} … {List.last names}, or a place of 0 to {last}"

                Error [ Fault.create $"column {key}" expected $"'{key}'" ]

    /// Some of a table's columns.
    let internal withColumns (columns: Column list) (table: Table) : Result<Table, Fault list> =
        Fault.check
            [ not columns.IsEmpty, Fault.message "" "has no columns besides the label" ]
            (fun () -> { table with columns = columns })

    /// Some rows of a table, counted from 0, in that order. They keep their places in the file. Throws an
    /// ArgumentException if a place is outside the table.
    let internal take (places: int[]) (table: Table) : Table =
        for place in places do
            if place < 0 || place >= table.rows then
                invalidArg
                    (nameof places)
                    (invariant $"expected places of 0 to {table.rows - 1}, found {place}")

        {
            rows = places.Length
            places =
                match table.places with
                | RowPlaces.Rows rows -> RowPlaces.Rows(Array.map (Array.get rows) places)
                | RowPlaces.Lines lines -> RowPlaces.Lines(Array.map (Array.get lines) places)
            columns =
                table.columns
                |> List.map (fun column -> {
                    column with
                        Cells = Cells.pick places column.Cells
                })
        }

    /// <summary>The same table with columns called by their indices, 0, 1, 2, …</summary>
    /// <param name="table">The table.</param>
    [<CompiledName("WithIndexNames")>]
    let withIndexNames (table: Table) : Table = {
        table with
            columns =
                table.columns
                |> List.mapi (fun place column -> { column with Name = string place })
    }

    /// <summary>The rows of a matrix as a table with columns called 0, 1, 2, …</summary>
    /// <remarks>A column with whole numbers beyond ±(2⁵³ − 1) becomes a column of texts.</remarks>
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
                    (Tensor.shapeText shape)
            ]
        |> Result.bind (fun (rows, columns) ->
            // An array without numbers may claim any number of columns.
            let columns = if rows = 0 then 0 else columns

            let cells: (int -> int) -> Cells =
                match tensor.Elements with
                | Elements.Texts texts ->
                    fun place -> Cells.Texts(Array.init rows (fun row -> texts[place row]))
                | Elements.Integers integers when Array.exists WholeNumbers.isRounded integers ->
                    // As texts, the numbers stay different classes.
                    fun place ->
                        let column = Array.init rows (fun row -> integers[place row])

                        if Array.exists WholeNumbers.isRounded column then
                            Cells.Texts(column |> Array.map (fun number -> invariant $"{number}"))
                        else
                            Cells.Numbers(Array.map float column)
                | _ ->
                    let values = Tensor.toDoubles tensor
                    fun place -> Cells.Numbers(Array.init rows (fun row -> values[place row]))

            create [
                for column in 0 .. columns - 1 ->
                    {
                        Name = string column
                        Cells = cells (fun row -> row * columns + column)
                    }
            ])
