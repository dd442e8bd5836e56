namespace Pipeline.Learning

open System
open System.Diagnostics.CodeAnalysis
open System.Globalization
open System.Text.Json
open Pipeline.Learning.Formats

/// A value of a row in memory, as a cell has it.
[<RequireQualifiedAccess>]
type internal RowValue =
    /// Nothing: null, or an option without a value.
    | Missing
    | Number of float
    /// A text, or a whole number beyond ±2⁵³, whose double would be that of other numbers too.
    | Text of string
    /// What no cell has, a date for example.
    | Unreadable of kind: string

/// Values of rows as cells.
[<RequireQualifiedAccess>]
module internal RowValue =
    let private invariant = CultureInfo.InvariantCulture

    /// The numbers from here on share their double with others.
    let private inexact = 1L <<< 53

    let private ofInteger (number: int64) : RowValue =
        if number > -inexact && number < inexact then
            RowValue.Number(float number)
        else
            RowValue.Text(number.ToString invariant)

    /// The number that a text says, as it would be read from a file.
    let private ofText (text: string) : RowValue =
        RowValue.Number(Double.Parse(text, NumberStyles.Float, invariant))

    let private ofJson (json: JsonElement) : RowValue =
        match json.ValueKind with
        | JsonValueKind.Null
        | JsonValueKind.Undefined -> RowValue.Missing
        | JsonValueKind.True -> RowValue.Text "true"
        | JsonValueKind.False -> RowValue.Text "false"
        | JsonValueKind.String -> RowValue.Text(string (json.GetString()))
        | JsonValueKind.Number ->
            match json.TryGetInt64() with
            | true, number -> ofInteger number
            | _ -> ofText (json.GetRawText())
        | _ -> RowValue.Unreadable "lists or objects"

    [<RequiresUnreferencedCode("Reads the value of an option by reflection.")>]
    let private optional (value: obj) : obj voption voption =
        let t = value.GetType()

        let isGeneric (definition: Type) =
            t.IsGenericType && t.GetGenericTypeDefinition() = definition

        let inline read name =
            t.GetProperty(name: string)
            |> ValueOption.ofObj
            |> ValueOption.bind (fun property -> ValueOption.ofObj (property.GetValue value))

        if isGeneric typedefof<option<_>> then
            ValueSome(read "Value")
        elif isGeneric typedefof<ValueOption<_>> then
            if value.Equals(Activator.CreateInstance t) then
                ValueSome ValueNone
            else
                ValueSome(read "Value")
        else
            ValueNone

    /// The value that an object stands for. Numbers in single or half precision are those that their shortest
    /// texts say.
    [<RequiresUnreferencedCode("Reads the value of an option by reflection.")>]
    let rec ofObject (value: obj | null) : RowValue =
        match value with
        | null -> RowValue.Missing
        | :? string as text -> RowValue.Text text
        | :? float as number -> RowValue.Number number
        | :? float32 as number -> ofText (number.ToString("R", invariant))
        | :? Half as number -> ofText (number.ToString("R", invariant))
        | :? decimal as number -> ofText (number.ToString invariant)
        | :? bool as isTrue -> RowValue.Text(if isTrue then "true" else "false")
        | :? char as letter -> RowValue.Text(string letter)
        | :? Enum as choice -> RowValue.Text(choice.ToString())
        | :? uint64 as number when number > uint64 Int64.MaxValue ->
            RowValue.Text(number.ToString invariant)
        | :? sbyte
        | :? byte
        | :? int16
        | :? uint16
        | :? int
        | :? uint32
        | :? int64
        | :? uint64 -> ofInteger (Convert.ToInt64(value, invariant))
        | :? JsonElement as json -> ofJson json
        | value ->
            match optional value with
            | ValueSome(ValueSome inner) -> ofObject inner
            | ValueSome ValueNone -> RowValue.Missing
            | ValueNone -> RowValue.Unreadable $"values of type {value.GetType().Name}"

    /// The values of a column as its cells: numbers where all of them are numbers or missing, else texts.
    let toCells (values: RowValue[]) : Cells =
        let unreadable =
            values
            |> Array.tryPick (fun value ->
                match value with
                | RowValue.Unreadable kind -> Some kind
                | _ -> None)

        let hasTexts = values |> Array.exists _.IsText

        match unreadable with
        | Some kind -> Cells.Unreadable(values.Length, kind)
        | None when hasTexts ->
            values
            |> Array.map (fun value ->
                match value with
                | RowValue.Number number -> Cells.text number
                | RowValue.Text text -> text
                | _ -> "")
            |> fun texts -> Cells.Texts texts
        | None ->
            values
            |> Array.map (fun value ->
                match value with
                | RowValue.Number number -> number
                | _ -> nan)
            |> Cells.Numbers
