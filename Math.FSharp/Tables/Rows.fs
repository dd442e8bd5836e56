namespace Pipeline.Learning

open System
open System.Collections.Generic
open System.ComponentModel.DataAnnotations.Schema
open System.Diagnostics.CodeAnalysis
open System.Reflection
open System.Text.Json
open Pipeline.Learning.Formats

/// <summary>Rows in memory as tables: values of a record or class, or dictionaries.</summary>
/// <remarks>A public property is a column. Numbers of all types, truth values, texts, enumerations, nullable
/// values and options are cells; null and NaN are missing values. An attribute <c>[Column("name")]</c> gives
/// a column another name, and <c>[NotMapped]</c> leaves a property out.</remarks>
[<RequireQualifiedAccess>]
module Rows =
    [<Literal>]
    let private ReadsProperties = "Reads the properties of rows by reflection."

    /// How far a type is from obj: base classes come first.
    let rec private depth (t: Type | null) : int =
        match t with
        | null -> 0
        | t -> 1 + depth t.BaseType

    /// The columns of rows of a type, in the order of the declarations, and how each is read.
    [<RequiresUnreferencedCode(ReadsProperties)>]
    let private columnsOf (t: Type) : (string * (obj -> obj | null)) list = [
        for property in
            t.GetProperties(BindingFlags.Instance ||| BindingFlags.Public)
            |> Array.sortBy (fun property -> depth property.DeclaringType, property.MetadataToken) do
            if
                property.CanRead
                && property.GetIndexParameters().Length = 0
                && isNull (property.GetCustomAttribute<NotMappedAttribute>())
            then
                let name =
                    match property.GetCustomAttribute<ColumnAttribute>() with
                    | null -> property.Name
                    | column ->
                        column.Name |> ValueOption.ofObj |> ValueOption.defaultValue property.Name

                name,
                fun row ->
                    property.GetValue(row, BindingFlags.DoNotWrapExceptions, null, null, null)
    ]

    /// The entries of a row that is a dictionary or a JSON object.
    let private entriesOf (row: obj) : (string * (obj | null)) list voption =
        match row with
        | :? seq<KeyValuePair<string, obj | null>> as entries ->
            ValueSome [
                for entry in entries do
                    entry.Key, entry.Value
            ]
        | :? JsonElement as json when json.ValueKind = JsonValueKind.Object ->
            ValueSome [
                for property in json.EnumerateObject() do
                    property.Name, box property.Value
            ]
        | _ -> ValueNone

    /// A table of rows that are dictionaries: a row has a missing value where it lacks a name.
    [<RequiresUnreferencedCode(ReadsProperties)>]
    let private ofEntries (rows: (string * (obj | null)) list[]) : Result<Table, Fault list> =
        let names = rows |> Seq.collect (List.map fst) |> Seq.distinct |> List.ofSeq
        let values = rows |> Array.map dict

        // Without closures, which do not carry the attribute above.
        [
            for name in names do
                {
                    Name = name
                    Cells =
                        [|
                            for row in values do
                                match row.TryGetValue name with
                                | true, value -> RowValue.ofObject value
                                | _ -> RowValue.Missing
                        |]
                        |> RowValue.toCells
                }
        ]
        |> Table.create

    /// <summary>Rows as a table.</summary>
    /// <param name="rows">One row or more, none of them null.</param>
    /// <returns>The table, or what is wrong with the rows.</returns>
    [<CompiledName("ToTable"); RequiresUnreferencedCode(ReadsProperties)>]
    let toTable (rows: 'Row seq) : Result<Table, Fault list> =
        let given = rows |> Seq.map box |> Array.ofSeq

        let absent = [
            for i, row in Array.indexed given do
                if isNull row then
                    Fault.message (invariant $"row {i + 1}") "is null"
        ]

        let rows = given |> Array.choose Option.ofObj
        let entries = rows |> Array.map entriesOf

        if given.Length = 0 then
            Error [ Fault.create "" "one row or more" "none" ]
        elif not absent.IsEmpty then
            Error absent
        elif entries |> Array.forall _.IsSome then
            ofEntries (entries |> Array.map _.Value)
        else
            let kind = rows[0].GetType()

            match rows |> Array.tryFindIndex (fun row -> row.GetType() <> kind) with
            | Some i ->
                Error [
                    Fault.create
                        (invariant $"row {i + 1}")
                        $"a row of type {kind.Name}, like row 1"
                        (rows[i].GetType().Name)
                ]
            | None ->
                match columnsOf kind with
                | [] ->
                    Error [
                        Fault.create
                            ""
                            "rows with public properties, or dictionaries from text to values"
                            $"rows of type {kind.Name}"
                    ]
                | columns ->
                    [
                        for name, read in columns do
                            {
                                Name = name
                                Cells =
                                    [|
                                        for row in rows do
                                            RowValue.ofObject (read row)
                                    |]
                                    |> RowValue.toCells
                            }
                    ]
                    |> Table.create

    /// A name without what two ways to write it differ in: customer_age, Customer Age and CustomerAge are one.
    let private simplified (name: string) : string =
        name |> String.filter Char.IsLetterOrDigit |> _.ToUpperInvariant()

    /// <summary>A table whose columns have the names that others have for them. A column is known by its name
    /// or, if no column has that name, by its letters and digits: <c>CustomerAge</c> is
    /// <c>customer_age</c>.</summary>
    /// <param name="names">The names to give, such as those of a model's columns.</param>
    /// <param name="table">The table.</param>
    [<CompiledName("WithNames")>]
    let withNames (names: string seq) (table: Table) : Table =
        let names = List.ofSeq names

        let wanted =
            names
            |> Seq.filter (fun name -> (Table.tryNamed name table).IsNone)
            |> Seq.groupBy simplified
            |> Seq.choose (fun (key, same) ->
                Seq.tryExactlyOne same |> Option.map (fun name -> key, name))
            |> Map.ofSeq

        let same =
            table.Columns
            |> List.countBy (fun column -> simplified column.Name)
            |> Map.ofList

        table
        |> Table.update (fun column ->
            let key = simplified column.Name

            match wanted.TryFind key with
            | Some name when same[key] = 1 && not (List.contains column.Name names) -> {
                column with
                    Name = name
              }
            | _ -> column)
