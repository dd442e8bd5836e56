/// Table.fs, TableEncoding.fs: rows become inputs by what was fitted to the training rows.
module Pipeline.Properties.TableEncodingLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let internal choice = {
    plainChoice with
        Missing = Missing.Mean
        Scaling = Scaling.Standard
}

/// A table, or a smaller one, without columns of which no cell is there.
let private usable (table: Table) =
    table.Columns
    |> List.filter (fun column -> Cells.texts column.Cells |> Array.exists ((<>) ""))
    |> Table.create
    |> orFail

let internal fitted choice (AnyTable table) =
    let table = usable table

    if table.Columns.Length = 1 then
        None
    else
        Some(table, TableEncoding.fit choice table |> orFail)

let private encode encoding table : Matrix<float> =
    TableEncoding.encode encoding table |> orFail

[<Law>]
let ``scaled training columns have mean 0 and deviation 1, where they vary`` (any: AnyTable) =
    match fitted choice any with
    | None -> ()
    | Some(table, encoding) ->
        let inputs = encode encoding table

        for i, column in List.indexed encoding.Numbers do
            let there =
                (table.Columns |> List.find (fun c -> c.Name = column.Name)).Cells
                |> Cells.texts
                |> Array.indexed
                |> Array.filter (fun (_, text) -> text <> "")
                |> Array.map (fun (row, _) -> inputs[i, row])

            let mean = Array.average there
            let variance = there |> Array.averageBy (fun x -> (x - mean) * (x - mean))
            // A column that does not vary stays where it is, near 0.
            let expected = if variance < 0.5 then 0.0 else 1.0
            Approximately.equal 1e-9 [| 0.0; expected |] [| mean; variance |]

[<Law>]
let ``MinMax takes training columns to 0 and 1`` (any: AnyTable) =
    match fitted { choice with Scaling = Scaling.MinMax } any with
    | None -> ()
    | Some(table, encoding) ->
        let inputs = encode encoding table

        for i in 0 .. encoding.Numbers.Length - 1 do
            let row = inputs.Row i
            Approximately.equal Approximately.rounding [| 0.0 |] [| row.Minimum() |]

            if row.Maximum() > 1e-12 then
                Approximately.equal Approximately.rounding [| 1.0 |] [| row.Maximum() |]

[<Law>]
let ``every categorical column gives one 1 a row, at its category`` (any: AnyTable) =
    match fitted choice any with
    | None -> ()
    | Some(table, encoding) ->
        let inputs = encode encoding table
        Exactly.equal encoding.Features inputs.RowCount
        let mutable first = encoding.Numbers.Length

        for column in encoding.Categories do
            let cells =
                (table.Columns |> List.find (fun c -> c.Name = column.Name)).Cells
                |> Cells.texts

            for row in 0 .. table.Rows - 1 do
                let expected = if cells[row] = "" then column.Fill else cells[row]

                for k, value in List.indexed column.Values do
                    Exactly.equal (if value = expected then 1.0 else 0.0) inputs[first + k, row]

            first <- first + column.Values.Length

[<Law>]
let ``rows are encoded one by one: any choice of them gives the same columns``
    (any: AnyTable)
    (Seed seed)
    =
    match fitted choice any with
    | None -> ()
    | Some(table, encoding) ->
        let inputs = encode encoding table

        let places =
            Array.init 5 (RandomNumbers.below table.Rows seed RandomStream.GradientCheck 0L)

        let some = encode encoding (Table.take places table)

        for i, place in Array.indexed places do
            Exactly.bits ((inputs.Column place).ToArray()) ((some.Column i).ToArray())

[<Law>]
let ``the encoding survives being written as JSON`` (any: AnyTable) =
    for scaling in [ Scaling.None; Scaling.Standard; Scaling.MinMax ] do
        match fitted { choice with Scaling = scaling } any with
        | None -> ()
        | Some(table, encoding) ->
            match
                Preprocessing.Table encoding
                |> Preprocessing.toJson
                |> Preprocessing.ofJson
                |> orFail
            with
            | Preprocessing.Table back ->
                Exactly.bits
                    ((encode encoding table).ToColumnMajorArray())
                    ((encode back table).ToColumnMajorArray())

                Exactly.equal encoding.Categories back.Categories
            | other -> failwith $"expected a table, found {other}"

[<Law>]
let ``missing cells are refused where that is the rule, with their column, row and number``
    (any: AnyTable)
    =
    let (AnyTable table) = any
    let table = usable table

    let missing =
        table.Columns
        |> List.map (fun column ->
            column.Name,
            Cells.texts column.Cells
            |> Array.indexed
            |> Array.filter (fun (_, text) -> text = ""))
        |> List.filter (fun (_, rows) -> rows.Length > 0)

    match TableEncoding.fit { choice with Missing = Missing.Refuse } table with
    | Ok _ -> Assert.Empty missing
    | Error faults ->
        if table.Columns.Length > 1 then
            Exactly.equal missing.Length faults.Length

            for name, rows in missing do
                Error faults |> Exactly.faulted [ $"{name}, row {fst rows[0] + 1}" ]

[<Law>]
let ``rows keep their place in the file, whatever is taken of a table``
    (any: AnyTable)
    (Seed seed)
    (FsCheck.PositiveInt first)
    =
    let (AnyTable table) = any
    let lines = Array.init table.Rows (fun row -> first + 3 * row)

    let places =
        Array.init 7 (RandomNumbers.below table.Rows seed RandomStream.GradientCheck 0L)

    let some = table |> Table.withLineNumbers lines |> Table.take places

    for i, place in Array.indexed places do
        Exactly.equal $"line {lines[place]}" (some.PlaceOf i)
        Exactly.equal $"row {place + 1}" ((Table.take places table).PlaceOf i)

    // Of what was taken, too.
    Exactly.equal $"line {lines[places[6]]}" ((Table.take [| 6 |] some).PlaceOf 0)

    Exactly.refused [ $"{table.Rows}" ] (fun () ->
        Table.withLineNumbers (Array.append lines [| 1 |]) table)

[<Law>]
let ``a fault of a cell names the line of its file, whatever part of the table it is in``
    (Seed seed)
    (FsCheck.PositiveInt wrong)
    =
    let wrong = wrong % 40

    let rows =
        table [
            "x", texts [ for i in 0..39 -> if i = wrong then "3O" else string i ]
            "label", texts [ for i in 0..39 -> if i % 2 = 0 then "a" else "b" ]
        ]
        |> Table.withLineNumbers [| 10..49 |]

    (TableData.prepare
        { choice with Numeric = [ "x" ] }
        Head.Softmax
        ValueNone
        (TestRows.Fraction(0.4, seed))
        ""
        rows
    : Result<TableData<float>, _>)
    |> Exactly.faulted [ $"column x, line {10 + wrong}: expected a number"; "found '3O'" ]

[<Fact>]
let ``the mean, the median and the most frequent take the place of what is missing`` () =
    let rows =
        table [
            "size", texts [ "1"; "2"; "9"; "NA" ]
            "colour", texts [ "red"; "blue"; "red"; "?" ]
            "label", texts [ "a"; "b"; "a"; "b" ]
        ]

    for rule, expected in [ Missing.Mean, 4.0; Missing.Median, 2.0 ] do
        let encoding =
            TableEncoding.fit
                {
                    choice with
                        Missing = rule
                        Scaling = Scaling.None
                }
                rows
            |> orFail

        // Numbers first, then blue and red.
        Exactly.equal
            [ expected; 0.0; 1.0 ]
            (List.ofArray ((encode encoding rows).Column(3).ToArray()))

[<Fact>]
let ``what a column is can be said, and columns can be left out`` () =
    let rows =
        table [
            "id", texts [ "7"; "8"; "9" ]
            "floor", texts [ "1"; "2"; "10" ]
            "label", texts [ "a"; "b"; "a" ]
        ]

    let fit choice = TableEncoding.fit choice rows |> orFail

    let encoding =
        fit {
            choice with
                Categorical = [ "floor" ]
                Ignored = [ "0" ]
        }

    Exactly.equal [ "1"; "2"; "10" ] encoding.Categories.Head.Values
    Exactly.equal 3 encoding.Features
    Exactly.equal [ "id"; "floor" ] ((fit choice).Numbers |> List.map _.Name)

    TableEncoding.fit
        {
            choice with
                Numeric = [ "label" ]
                Label = ValueSome "id"
        }
        rows
    |> Exactly.faulted [ "column label, row 1"; "a number"; "'a'" ]

    for key in [ "nowhere"; "3"; "-1" ] do
        for setting, choice in
            [
                "Data:Ignored", { choice with Ignored = [ key ] }
                "Data:Numeric", { choice with Numeric = [ key ] }
                "Data:Categorical", { choice with Categorical = [ key ] }
                "Data:Label", { choice with Label = ValueSome key }
            ] do
            Exactly.equal
                (Error [
                    Fault.create setting "one of id, floor, label, or a place of 0 to 2" $"'{key}'"
                ])
                (TableEncoding.fit choice rows |> Result.map ignore)

[<Fact>]
let ``a category that training rows lack is a fault that names its row`` () =
    let rows values =
        table [ "colour", texts values; "label", texts (List.map (fun _ -> "a") values) ]

    let encoding = TableEncoding.fit choice (rows [ "red"; "blue" ]) |> orFail

    (TableEncoding.encode encoding (rows [ "red"; "green" ]): Result<Matrix<float>, _>)
    |> Exactly.faulted [ "column colour, row 2"; "blue, red"; "'green'" ]

[<Fact>]
let ``whole numbers of arrays that double precision rounds stay different classes`` () =
    let large = 1L <<< 53

    let labels = {
        Name = "y"
        Shape = [ 3 ]
        Elements = Elements.Integers [| large; large + 1L; 5L |]
    }

    let column = (Table.ofTensor labels |> orFail).Columns.Head

    Assert.Equal<string>([| $"{large}"; $"{large + 1L}"; "5" |], Cells.texts column.Cells)

[<Fact>]
let ``truth values are numbers where the training rows may have had 0 and 1 alone, and nowhere else``
    ()
    =
    let rows values =
        table [
            "x", texts values
            "label", texts [ for i in 1 .. List.length values -> [ "a"; "b" ][i % 2] ]
        ]

    for scaling in [ Scaling.Standard; Scaling.MinMax ] do
        let encode training values : Result<Matrix<float>, Fault list> =
            let encoding =
                TableEncoding.fit { choice with Scaling = scaling } (rows training) |> orFail

            TableEncoding.encode encoding (rows values)

        for training in [ [ "0"; "1"; "1" ]; [ "1"; "1"; "1" ]; [ "0"; "0"; "0" ] ] do
            let inputs values =
                (encode training values |> orFail).ToColumnMajorArray()

            Exactly.bits (inputs [ "1"; "0" ]) (inputs [ "true"; "FALSE" ])

        for training in [ [ "0"; "1"; "2" ]; [ "0.25"; "0.5"; "1" ]; [ "20"; "60"; "30" ] ] do
            encode training [ "1"; "true" ]
            |> Exactly.faulted [ "column x, row 2: expected a number"; "found 'true'" ]
