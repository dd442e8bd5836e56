namespace Pipeline.Learning

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning.Formats

/// The kind of a column by its cells.
[<RequireQualifiedAccess>]
type internal ColumnKind =
    /// Numbers.
    | Numbers
    /// Categories.
    | Categories
    /// Categories whose texts look like numbers in another format, with one of them.
    | NumberLikeCategories of example: string

/// Distinguishing columns of numbers from columns of categories.
[<RequireQualifiedAccess>]
module internal ColumnKind =
    /// This number of different texts or numbers counts as few, whatever the number of rows.
    [<Literal>]
    let Few = 10

    /// A cell's name in messages: its column and its place in the file.
    let cellName (column: Column) (table: Table) (row: int) : string =
        $"column {column.Name}, {table.PlaceOf row}"

    /// A text in quotes.
    let quoted (text: string) : string = $"'{text}'"

    /// The end of a message that names one cell of several.
    let andMore (others: int) : string =
        match others with
        | 0 -> ""
        | 1 -> " and 1 cell more"
        | _ -> invariant $" and {others} cells more"

    /// The settings with which a text would be a number.
    let separatorsFor (format: CellFormat) (text: string) : string list = [
        let isNumber (format: CellFormat) = (CellReader(format).Number text).IsSome

        if
            isNumber {
                format with
                    DecimalSeparator = ','
                    ThousandsSeparator = ValueNone
            }
        then
            "Data:DecimalSeparator \",\""

        for thousands in [ ','; '.'; '\''; ' ' ] do
            if
                thousands <> format.DecimalSeparator
                && isNumber {
                    format with
                        ThousandsSeparator = ValueSome thousands
                }
            then
                invariant $"Data:ThousandsSeparator \"{thousands}\""
    ]

    /// Whether a text begins like a number, after a sign or a currency: 5%, $5, 1.5 kg, 12:30.
    let private looksLikeNumber (text: string) : bool =
        let isBefore (c: char) =
            Char.IsWhiteSpace c
            || Char.GetUnicodeCategory c = UnicodeCategory.CurrencySymbol
            || "+-−(.,".Contains c

        let number = text |> Seq.skipWhile isBefore |> Seq.tryHead

        number.IsSome && Char.IsDigit number.Value
        || text.Trim(' ', '+', '-').StartsWith("inf", StringComparison.OrdinalIgnoreCase)

    let private settings (more: string list) : string =
        match List.rev ("Data:Categorical" :: more @ [ "Data:Ignored" ]) with
        | last :: others -> String.concat ", " (List.rev others) + $" or {last}"
        | [] -> ""

    let private ofTexts
        (reader: CellReader)
        (table: Table)
        (column: Column)
        (texts: IReadOnlyList<string>)
        : Result<ColumnKind, Fault list> =
        let numbers, others = ResizeArray<int>(), ResizeArray<int>()
        let different = HashSet<string>()

        let value =
            texts
            |> Cells.valueOfText (fun text ->
                match reader.Read text with
                | CellValue.Other -> struct (CellValue.Other, reader.Canonical text)
                | value -> struct (value, ""))

        for row in 0 .. texts.Count - 1 do
            match value row with
            | struct (CellValue.Missing, _) -> ()
            | struct (CellValue.Number _, _) -> numbers.Add row
            | struct (CellValue.Other, canonical) ->
                others.Add row
                different.Add canonical |> ignore

        let refused (row: int) expected more =
            Error [
                Fault.create
                    (cellName column table row)
                    expected
                    (quoted (texts[row]) + andMore more)
            ]

        let all = numbers.Count + others.Count

        if others.Count = 0 then
            Ok ColumnKind.Numbers
        elif numbers.Count >= others.Count then
            let odd = texts[others[0]]

            let ways = settings (separatorsFor reader.Format odd @ [ "Data:MissingValues" ])

            refused
                others[0]
                (invariant
                    $"a number, like {numbers.Count} of the column's {all} cells, or a setting for the others ({ways})")
                (others.Count - 1)
        elif numbers.Count > 0 then
            refused
                numbers[0]
                (invariant
                    $"a text that is not a number, like {others.Count} of the column's {all} cells, or a setting for the column ({settings []})")
                (numbers.Count - 1)
        else
            let areLikeNumbers = different |> Seq.forall looksLikeNumber

            if different.Count <= Few then
                Ok(
                    if areLikeNumbers then
                        ColumnKind.NumberLikeCategories(texts[others[0]])
                    else
                        ColumnKind.Categories
                )
            elif areLikeNumbers then
                refused
                    others[0]
                    $"a number, or a setting for the column ({settings (separatorsFor reader.Format texts[others[0]])})"
                    (others.Count - 1)
            elif 2 * different.Count > others.Count then
                Error [
                    Fault.message
                        $"column {column.Name}"
                        (invariant
                            $"has {different.Count} different texts in {others.Count} rows, such as {quoted (texts[others[0]])}, too many for categories; a setting says what the column is ({settings []})")
                ]
            else
                Ok ColumnKind.Categories

    /// <summary>The kind of a column, or the cell that fits neither kind.</summary>
    /// <param name="reader">Reads the cells.</param>
    /// <param name="table">The table.</param>
    /// <param name="column">One of its columns.</param>
    let ofColumn
        (reader: CellReader)
        (table: Table)
        (column: Column)
        : Result<ColumnKind, Fault list> =
        match column.Cells with
        | NumbersIn reader _
        | Cells.Numbers _ -> Ok ColumnKind.Numbers
        | Cells.Texts texts -> ofTexts reader table column texts
        | Cells.Unreadable _ ->
            Column.readable column |> Result.map (fun _ -> ColumnKind.Categories)
