namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning

/// Cells as texts and numbers.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
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
        | Cells.Texts(:? RepeatedTexts as texts) -> Cells.Texts(texts.Pick places)
        | Cells.Texts texts -> Cells.Texts(PickedTexts(texts, places))
        | Cells.Unreadable(_, found) -> Cells.Unreadable(places.Length, found)

    /// A function's value for the text of a row; for equal texts that are held once, it is called once.
    let valueOfText (value: string -> 'V) (texts: IReadOnlyList<string>) : int -> 'V =
        match texts with
        | :? RepeatedTexts as repeated ->
            let values = Array.map value repeated.Different
            fun row -> values[repeated.Indices[row]]
        | _ -> fun row -> value texts[row]

    /// A function's value for every text.
    let mapTexts (value: string -> 'V) (texts: IReadOnlyList<string>) : 'V[] =
        match texts with
        | :? RepeatedTexts as repeated ->
            let values, indices = Array.map value repeated.Different, repeated.Indices
            let mapped = Array.zeroCreate indices.Length

            for row in 0 .. indices.Length - 1 do
                mapped[row] <- values[indices[row]]

            mapped
        | _ -> Array.init texts.Count (fun row -> value texts[row])

    /// The different texts with their numbers of rows.
    let countTexts (texts: IReadOnlyList<string>) : (string * int) seq =
        match texts with
        | :? RepeatedTexts as repeated ->
            let counts = Array.zeroCreate repeated.Different.Length

            for index in repeated.Indices do
                counts[index] <- counts[index] + 1

            Seq.zip repeated.Different counts |> Seq.filter (fun (_, count) -> count > 0)
        | _ -> Seq.countBy id texts

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

    /// Every cell as it is written, empty for a missing number.
    let written (cells: Cells) : IReadOnlyList<string> =
        match cells with
        | Cells.Numbers numbers -> Array.map text numbers
        | Cells.Texts texts -> texts
        | Cells.Unreadable(rows, _) -> Array.create rows ""

    /// Every cell as a text, empty for a missing value.
    let texts (cells: Cells) : string[] =
        match cells with
        | Cells.Numbers numbers -> Array.map text numbers
        | Cells.Texts texts ->
            Array.init texts.Count (fun row ->
                let text = texts[row]
                if isMissing text then "" else text.Trim())
        | Cells.Unreadable(rows, _) -> Array.create rows ""

/// Columns with what is known of their texts.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal Column =
    /// The numbers of texts, if all of them are numbers or missing values.
    let private numbersOf
        (reader: CellReader)
        (texts: IReadOnlyList<string>)
        : NumberSource voption =
        // In a format with decimal commas, 1.5 may be another number.
        let decimals =
            match texts with
            | :? IDecimalTexts as decimals when reader.Format.DecimalSeparator = '.' ->
                ValueSome decimals
            | _ -> ValueNone

        match decimals with
        | ValueSome decimals when decimals.AreAll 0 -> ValueSome(DecimalNumbers(decimals, reader))
        | _ ->
            let numbers: float[] = Array.create texts.Count nan

            decimals
            |> ValueOption.iter (fun decimals -> decimals.CopyNumbers(0, numbers.AsSpan()))

            let mutable row = 0
            let mutable areNumbers = true

            while areNumbers && row < texts.Count do
                if not (Double.IsNaN numbers[row]) then
                    if reader.IsMissing numbers[row] then
                        numbers[row] <- nan
                else
                    match reader.Read texts[row] with
                    | CellValue.Number number -> numbers[row] <- number
                    | CellValue.Missing -> ()
                    | CellValue.Other -> areNumbers <- false

                row <- row + 1

            if areNumbers then
                ValueSome(HeldNumbers numbers)
            else
                ValueNone

    /// The same column with its numbers known, if all its cells are numbers or missing values. Each text is
    /// read once, here.
    let withNumbers (reader: CellReader) (column: Column) : Column =
        match column.Cells with
        | NumbersIn reader _
        | Cells.Numbers _
        | Cells.Unreadable _ -> column
        | Cells.Texts texts ->
            match numbersOf reader texts with
            | ValueSome numbers -> {
                column with
                    Cells = Cells.Texts(NumberTexts(texts, reader.Format, numbers))
              }
            | ValueNone -> column

    /// A column with more different texts than these is left as it is.
    [<Literal>]
    let private MostDifferent = 4096

    /// The same column with equal texts held once, if it has few different ones. Texts with known numbers stay
    /// as they are.
    let withRepeated (column: Column) : Column =
        match column.Cells with
        | Cells.Numbers _
        | Cells.Unreadable _
        | Cells.Texts(:? NumberTexts)
        | Cells.Texts(:? RepeatedTexts) -> column
        | Cells.Texts texts ->
            let places = Dictionary<string, int>(StringComparer.Ordinal)
            let different = ResizeArray<string>()
            let indices = Array.zeroCreate texts.Count
            // A reader may give the same object for equal texts: those that came last need no search.
            let latest: string[] = Array.zeroCreate 64
            let latestPlaces: int[] = Array.zeroCreate latest.Length
            let mutable row = 0
            let mutable areFew = true

            while areFew && row < texts.Count do
                let text = texts[row]

                if isNull (box text) then
                    areFew <- false
                else
                    let slot =
                        if text.Length = 0 then
                            0
                        else
                            let ends = 7 * int text[0] + 13 * int text[text.Length - 1]
                            (text.Length + ends) % latest.Length

                    if obj.ReferenceEquals(latest[slot], text) then
                        indices[row] <- latestPlaces[slot]
                    else
                        match places.TryGetValue text with
                        | true, place -> indices[row] <- place
                        | false, _ when different.Count < MostDifferent ->
                            indices[row] <- different.Count
                            places.Add(text, different.Count)
                            different.Add text
                        | _ -> areFew <- false

                        latest[slot] <- text
                        latestPlaces[slot] <- indices[row]

                row <- row + 1

            if areFew then
                {
                    column with
                        Cells = Cells.Texts(RepeatedTexts(different.ToArray(), indices))
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
