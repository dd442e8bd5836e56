namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning

/// The cells of a column, one a row.
[<RequireQualifiedAccess>]
type Cells =
    /// Numbers; NaN for a missing one.
    | Numbers of float[]
    /// Texts as written in the file, numbers among them. A reader may make each text on demand.
    | Texts of IReadOnlyList<string>
    /// The number of cells that are of a kind that is not read, such as dates, and their kind. Using the
    /// column is a fault.
    | Unreadable of rows: int * found: string

/// A column of a table.
type Column = {
    /// Its name in the header, or its index, counted from 0.
    Name: string
    /// One a row.
    Cells: Cells
}

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

/// Texts that are numbers in a format, or missing values, with these numbers: reading a text again would take
/// far longer.
type internal NumberTexts(texts: IReadOnlyList<string>, format: CellFormat, numberOf: int -> float)
    =
    /// How the texts are written.
    member _.Format = format
    /// The number of a row; NaN where it is missing.
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

/// Cells as texts and numbers.
[<RequireQualifiedAccess>]
module internal Cells =
    let count (cells: Cells) : int =
        match cells with
        | Cells.Numbers numbers -> numbers.Length
        | Cells.Texts texts -> texts.Count
        | Cells.Unreadable(rows, _) -> rows

    /// The cells at some places, each of which there is, in that order.
    let pick (places: int[]) (cells: Cells) : Cells =
        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(Array.map (Array.get numbers) places)
        | Cells.Texts(:? (string[]) as texts) -> Cells.Texts(Array.map (Array.get texts) places)
        | Cells.Texts(:? NumberTexts as texts) -> Cells.Texts(texts.Pick places)
        | Cells.Texts texts -> Cells.Texts(PickedTexts(texts, places))
        | Cells.Unreadable(_, found) -> Cells.Unreadable(places.Length, found)

    /// The finite number of a text.
    let number (text: string) : float voption =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, number when Double.IsFinite number -> ValueSome number
        | _ -> ValueNone

    /// The spellings of a missing value.
    let private absent = set [ ""; "NA"; "N/A"; "NAN"; "NULL"; "?" ]

    let isMissing (text: string) : bool =
        isNull (box text) || absent.Contains(text.Trim().ToUpperInvariant())

    /// The shortest text that reads back as the number; empty for NaN.
    let text (number: float) : string =
        if Double.IsNaN number then
            ""
        else
            number.ToString("R", CultureInfo.InvariantCulture)

    /// Every cell as a text, empty for a missing value.
    let texts (cells: Cells) : string[] =
        match cells with
        | Cells.Numbers numbers -> Array.map text numbers
        | Cells.Texts texts ->
            Array.init texts.Count (fun row ->
                let text = texts[row]
                if isMissing text then "" else text.Trim())
        | Cells.Unreadable(rows, _) -> Array.create rows ""

[<RequireQualifiedAccess>]
module internal Column =
    /// The same column with its numbers known, if all its cells are numbers or missing values. Each text is
    /// read once, here.
    let withNumbers (reader: CellReader) (column: Column) : Column =
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

    /// The column, once its cells can be read.
    let readable (column: Column) : Result<Column, Fault list> =
        match column.Cells with
        | Cells.Unreadable(_, found) ->
            Error [
                Fault.message
                    $"column {column.Name}"
                    $"holds {found} instead of one number, truth value or text a row; Data:Ignored leaves a column out"
            ]
        | _ -> Ok column
