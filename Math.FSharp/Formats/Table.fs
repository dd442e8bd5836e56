namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning

/// The cells of a column, one a row.
[<RequireQualifiedAccess>]
type Cells =
    /// Numbers; one that is missing is not a number.
    | Numbers of float[]
    /// Texts exactly as they are written, numbers among them. A reader may make each text when it is
    /// asked for.
    | Texts of IReadOnlyList<string>
    /// So many cells of a kind that cannot be read, dates say, and what they are. The column is at fault
    /// where it is used.
    | Unreadable of rows: int * found: string

/// A column of a table.
type Column = {
    /// What a header calls it, else its place, counted from 0.
    Name: string
    /// One a row.
    Cells: Cells
}

/// Where the rows of a table stand in their file.
[<RequireQualifiedAccess>]
type RowPlaces =
    /// The n-th row of the file, counted from 1.
    | Rows of int[]
    /// The line of the file where the row begins, counted from 1.
    | Lines of int[]

/// Rows of cells under named columns.
type Table = private {
    columns: Column list
    rows: int
    places: RowPlaces
} with

    /// The columns, from left to right.
    member table.Columns = table.columns
    /// How many rows.
    member table.Rows = table.rows
    /// Where the rows stand in their file.
    member table.Places = table.places

    /// <summary>Where a row stands in its file, as messages name it: row 200, or line 201.</summary>
    /// <param name="row">The row of the table, counted from 0.</param>
    member table.PlaceOf(row: int) : string =
        match table.places with
        | RowPlaces.Rows rows -> $"row %d{rows[row]}"
        | RowPlaces.Lines lines -> $"line %d{lines[row]}"

/// Some of the texts of a list.
type private PickedTexts(texts: IReadOnlyList<string>, places: int[]) =
    interface IReadOnlyList<string> with
        member _.Count = places.Length

        member _.Item
            with get row = texts[places[row]]

        member _.GetEnumerator() : IEnumerator<string> =
            (places |> Seq.map (fun place -> texts[place])).GetEnumerator()

        member _.GetEnumerator() : Collections.IEnumerator =
            (places |> Seq.map (fun place -> texts[place])).GetEnumerator()

/// Texts each of which is a number in a format, or a missing value, with these numbers: reading a text again
/// takes far longer.
type internal NumberTexts(texts: IReadOnlyList<string>, format: CellFormat, numberOf: int -> float)
    =
    /// How the texts are written.
    member _.Format = format
    /// The number of a row; not a number where it is missing.
    member _.Number(row: int) : float = numberOf row
    /// The numbers of all rows.
    member _.Numbers: float[] = Array.init texts.Count numberOf

    /// Some of the texts.
    member _.Pick(places: int[]) : NumberTexts =
        NumberTexts(PickedTexts(texts, places), format, (fun row -> numberOf places[row]))

    interface IReadOnlyList<string> with
        member _.Count = texts.Count

        member _.Item
            with get row = texts[row]

        member _.GetEnumerator() : IEnumerator<string> = texts.GetEnumerator()

        member _.GetEnumerator() : Collections.IEnumerator =
            (texts :> Collections.IEnumerable).GetEnumerator()

[<AutoOpen>]
module internal NumberTextsPattern =
    /// Texts whose numbers are known in a reader's format.
    [<return: Struct>]
    let (|NumbersIn|_|) (reader: CellReader) (cells: Cells) : NumberTexts voption =
        match cells with
        | Cells.Texts(:? NumberTexts as known) when known.Format = reader.Format -> ValueSome known
        | _ -> ValueNone

/// Making tables and finding things in them.
[<RequireQualifiedAccess>]
module Table =
    let internal rowsOf (cells: Cells) : int =
        match cells with
        | Cells.Numbers numbers -> numbers.Length
        | Cells.Texts texts -> texts.Count
        | Cells.Unreadable(rows, _) -> rows

    /// The cells at some places, each of which there is, in that order.
    let internal pick (places: int[]) (cells: Cells) : Cells =
        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(Array.map (Array.get numbers) places)
        | Cells.Texts(:? (string[]) as texts) -> Cells.Texts(Array.map (Array.get texts) places)
        | Cells.Texts(:? NumberTexts as texts) -> Cells.Texts(texts.Pick places)
        | Cells.Texts texts -> Cells.Texts(PickedTexts(texts, places))
        | Cells.Unreadable(_, found) -> Cells.Unreadable(places.Length, found)

    /// The same column with its numbers known, if all its cells are numbers or missing values. Each text is
    /// read once, here.
    let internal withNumbers (reader: CellReader) (column: Column) : Column =
        match column.Cells with
        | NumbersIn reader _
        | Cells.Numbers _
        | Cells.Unreadable _ -> column
        | Cells.Texts texts ->
            let numbers: float[] = Array.zeroCreate texts.Count
            let mutable row = 0
            let mutable areNumbers = true

            while areNumbers && row < texts.Count do
                match reader.Read texts[row] with
                | CellValue.Number number -> numbers[row] <- number
                | CellValue.Missing -> numbers[row] <- nan
                | CellValue.Other -> areNumbers <- false

                row <- row + 1

            if areNumbers then
                {
                    column with
                        Cells = Cells.Texts(NumberTexts(texts, reader.Format, Array.get numbers))
                }
            else
                column

    /// The same table with other cells in some of its columns.
    let internal update (change: Column -> Column) (table: Table) : Table = {
        table with
            columns = List.map change table.columns
    }

    /// The column, once its cells can be read.
    let internal readable (column: Column) : Result<Column, Fault list> =
        match column.Cells with
        | Cells.Unreadable(_, found) ->
            Error [
                Fault.message
                    $"column {column.Name}"
                    $"holds {found} instead of one number, truth value or text a row; Data:Ignored leaves a column out"
            ]
        | _ -> Ok column

    /// <summary>A table of columns, or what is wrong with them. Its rows are the first, second, … of their
    /// file.</summary>
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
                    same = 1, Fault.message $"column {name}" $"stands there %d{same} times"
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
    [<CompiledName("AtLines")>]
    let atLines (lines: int[]) (table: Table) : Table =
        if lines.Length <> table.rows then
            invalidArg (nameof lines) $"expected %d{table.rows} lines, found %d{lines.Length}"

        {
            table with
                places = RowPlaces.Lines lines
        }

    /// The number that a text is.
    let internal number (text: string) : float voption =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, number when Double.IsFinite number -> ValueSome number
        | _ -> ValueNone

    /// What stands for a missing value: nothing, NA, N/A, NaN, null or a question mark.
    let private absent = set [ ""; "NA"; "N/A"; "NAN"; "NULL"; "?" ]

    let internal isMissing (text: string) : bool =
        isNull (box text) || absent.Contains(text.Trim().ToUpperInvariant())

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
            Array.init texts.Count (fun row ->
                let text = texts[row]
                if isMissing text then "" else text.Trim())
        | Cells.Unreadable(rows, _) -> Array.create rows ""

    /// The column of that name, or else the only one of that name but for spaces around it.
    let internal tryNamed (name: string) (table: Table) : Column option =
        match table.columns |> List.tryFind (fun column -> column.Name = name) with
        | Some column -> Some column
        | None ->
            table.columns
            |> List.filter (fun column -> column.Name.Trim() = name.Trim())
            |> List.tryExactlyOne

    /// <summary>The column that a name or a place, counted from 0, means.</summary>
    /// <param name="key">A name, spaces around which do not count; a number where no column has that
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

                let known =
                    if names.Length <= 20 then
                        String.concat ", " names
                    else
                        $"{names.Head} … {List.last names}"

                Error [
                    Fault.create
                        $"column {key}"
                        $"one of {known}, or a place of 0 to %d{names.Length - 1}"
                        $"'{key}'"
                ]

    /// Some of a table's columns.
    let internal withColumns (columns: Column list) (table: Table) : Result<Table, Fault list> =
        Fault.check
            [ not columns.IsEmpty, Fault.message "" "has no columns besides the label" ]
            (fun () -> { table with columns = columns })

    /// <summary>Some rows of a table, in that order. They keep their places in the file.</summary>
    /// <param name="places">Which, counted from 0.</param>
    /// <param name="table">The table.</param>
    /// <exception cref="T:System.ArgumentException">A place is outside the table.</exception>
    [<CompiledName("Take")>]
    let take (places: int[]) (table: Table) : Table =
        for place in places do
            if place < 0 || place >= table.rows then
                invalidArg
                    (nameof places)
                    $"expected places of 0 to %d{table.rows - 1}, found %d{place}"

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
                        Cells = pick places column.Cells
                })
        }

    /// <summary>The same table with columns called by their places, 0, 1, 2, …</summary>
    /// <param name="table">The table.</param>
    [<CompiledName("ByPlace")>]
    let byPlace (table: Table) : Table = {
        table with
            columns =
                table.columns
                |> List.mapi (fun place column -> { column with Name = string place })
    }

    /// How many columns from the left are called by their places, as those of a file without names are.
    let internal unnamed (table: Table) : int =
        table.columns
        |> Seq.mapi (fun place column -> column.Name = string<int> place)
        |> Seq.takeWhile id
        |> Seq.length

    /// Whether other whole numbers have the same double.
    let private isRounded (number: int64) : bool =
        number > (1L <<< 53) - 1L || number < 1L - (1L <<< 53)

    /// <summary>The rows of a matrix as a table whose columns are called 0, 1, 2, …</summary>
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
            let cells: (int -> int) -> Cells =
                match tensor.Elements with
                | Elements.Texts texts ->
                    fun place -> Cells.Texts(Array.init rows (fun row -> texts[place row]))
                | Elements.Integers integers when Array.exists isRounded integers ->
                    // As a text each stays a class of its own.
                    fun place ->
                        let column = Array.init rows (fun row -> integers[place row])

                        if Array.exists isRounded column then
                            Cells.Texts(column |> Array.map (fun number -> $"%d{number}"))
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
