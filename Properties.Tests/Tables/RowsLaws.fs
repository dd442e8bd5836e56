/// RowValue.fs, Rows.fs: rows in memory are the table of the same cells.
module Pipeline.Properties.RowsLaws

open System
open System.Collections.Generic
open System.ComponentModel.DataAnnotations.Schema
open System.Text.Json
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private texts (table: Table) : (string * string list) list =
    table.Columns
    |> List.map (fun column -> column.Name, Cells.texts column.Cells |> List.ofArray)

/// A cell as an object: a number, a text, or null where it is missing.
let private cell (row: int) (column: Column) : obj | null =
    match column.Cells with
    | Cells.Numbers numbers when Double.IsNaN numbers[row] -> null
    | Cells.Numbers numbers -> box numbers[row]
    | Cells.Texts texts -> box texts[row]
    | Cells.Unreadable _ -> failwith "no such column is drawn"

[<Law>]
let ``dictionaries, and JSON objects, are encoded as the table of their cells`` (any: AnyTable) =
    match TableEncodingLaws.fitted TableEncodingLaws.choice any with
    | None -> ()
    | Some(table, encoding) ->
        let rows = [
            for row in 0 .. table.Rows - 1 ->
                dict [
                    for column in table.Columns do
                        column.Name, cell row column
                ]
                |> Dictionary
        ]

        let expected: MathNet.Numerics.LinearAlgebra.Matrix<float> =
            TableEncoding.encode encoding table |> orFail

        let ofRows = Rows.toTable rows |> orFail
        Assert.Equal(expected, TableEncoding.encode encoding ofRows |> orFail)

        let ofJson =
            rows
            |> List.map (fun row -> JsonSerializer.SerializeToElement row)
            |> Rows.toTable
            |> orFail

        Assert.Equal(expected, TableEncoding.encode encoding ofJson |> orFail)

type Size =
    | Small = 0
    | Large = 1

type Parcel = {
    Weight: float32
    Height: Nullable<float>
    Count: int64
    Price: decimal
    IsFragile: bool
    Size: Size
    Sender: string option
    Floor: int voption
    [<Column("door code")>]
    Code: string | null
    [<NotMapped>]
    Secret: string
}

let private parcels = [
    {
        Weight = 0.1f
        Height = Nullable 2.5
        Count = 3L
        Price = 9.90m
        IsFragile = true
        Size = Size.Large
        Sender = Some "Ada"
        Floor = ValueSome 2
        Code = "x"
        Secret = "a"
    }
    {
        Weight = nanf
        Height = Nullable()
        Count = -9007199254740993L
        Price = 0.1m
        IsFragile = false
        Size = Size.Small
        Sender = None
        Floor = ValueNone
        Code = null
        Secret = "b"
    }
]

[<Fact>]
let ``a property is a column, and a value the text that a file would have`` () =
    Assert.Equal<(string * string list) list>(
        [
            "Weight", [ "0.1"; "" ]
            "Height", [ "2.5"; "" ]
            "Count", [ "3"; "-9007199254740993" ]
            "Price", [ "9.9"; "0.1" ]
            "IsFragile", [ "true"; "false" ]
            "Size", [ "Large"; "Small" ]
            "Sender", [ "Ada"; "" ]
            "Floor", [ "2"; "" ]
            "door code", [ "x"; "" ]
        ],
        texts (Rows.toTable parcels |> orFail)
    )

[<Fact>]
let ``rows of a base type have the columns of their own`` () =
    let rows: Collections.IStructuralEquatable list =
        parcels |> List.map (fun parcel -> parcel)

    Assert.Equal<(string * string list) list>(
        texts (Rows.toTable parcels |> orFail),
        texts (Rows.toTable rows |> orFail)
    )

[<Fact>]
let ``rows that are no table are refused in a sentence`` () =
    Exactly.faulted [ "one row or more" ] (Rows.toTable ([]: Parcel list))

    Exactly.faulted
        [ "row 2 is null"; "row 4 is null" ]
        (Rows.toTable ([ "a"; null; "b"; null ]: (string | null) list))

    Exactly.faulted
        [ "row 2"; "Parcel"; "Int32[]" ]
        (Rows.toTable [ parcels[0] :> Collections.IStructuralEquatable; [| 1 |] ])

    Exactly.faulted [ "public properties"; "Object" ] (Rows.toTable [ obj () ])

[<Fact>]
let ``a column of values that no cell has is a fault once it is used`` () =
    let rows = [
        for i in 1..4 ->
            {|
                Age = i
                Joined = DateTime.UnixEpoch
                Label = i % 2
            |}
    ]

    let table = Rows.toTable rows |> orFail

    let use' column =
        table.Columns
        |> List.filter (fun each -> each.Name = column || each.Name = "Label")
        |> Table.create
        |> Result.bind (TableEncoding.fit TableEncodingLaws.choice)

    Exactly.faulted [ "column Joined"; "DateTime" ] (use' "Joined")
    Assert.True (use' "Age").IsOk

[<Fact>]
let ``a row without a name has a missing value there`` () =
    let rows = [ dict [ "a", box 1 ] |> Dictionary; dict [ "b", box "x" ] |> Dictionary ]

    Assert.Equal<(string * string list) list>(
        [ "a", [ "1"; "" ]; "b", [ ""; "x" ] ],
        texts (Rows.toTable rows |> orFail)
    )

[<Fact>]
let ``columns get the names that others have for them, where that is not ambiguous`` () =
    let named names columns =
        columns
        |> List.map (fun name -> name, Cells.Numbers [| 1.0 |])
        |> SmallTables.table
        |> Rows.withNames names
        |> _.Columns
        |> List.map _.Name

    Assert.Equal<string list>(
        [ "customer_age"; "Plan" ],
        named [ "customer_age"; "plan_2" ] [ "CustomerAge"; "Plan" ]
    )

    // An exact name comes first.
    Assert.Equal<string list>([ "age"; "Age" ], named [ "age"; "Age" ] [ "age"; "Age" ])
    Assert.Equal<string list>([ "AGE"; "age" ], named [ "age" ] [ "AGE"; "age" ])
    Assert.Equal<string list>([ "Age" ], named [ "age"; "Age" ] [ "Age" ])
    // Two columns that could be meant, and two names that could mean one.
    Assert.Equal<string list>([ "A g e"; "a-g-e" ], named [ "age" ] [ "A g e"; "a-g-e" ])
    Assert.Equal<string list>([ "AGE" ], named [ "a_ge"; "ag_e" ] [ "AGE" ])
