namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning

/// The value of a cell.
[<Struct; RequireQualifiedAccess>]
type internal CellValue =
    /// No value.
    | Missing
    /// A finite number.
    | Number of number: float
    /// Any other text.
    | Other

/// Reads the cells of one format. A null text counts as an empty one.
type internal CellReader(format: CellFormat) =
    let invariant = CultureInfo.InvariantCulture

    let parse (text: ReadOnlySpan<char>) : float voption =
        match Double.TryParse(text, NumberStyles.Float, invariant) with
        // .NET's parser takes zero characters at the end.
        | true, number when Double.IsFinite number && text.IndexOf '\000' < 0 -> ValueSome number
        | _ -> ValueNone

    let missing =
        HashSet<string>(format.MissingValues |> List.map _.Trim(), StringComparer.OrdinalIgnoreCase)

    let missingNumbers =
        format.MissingValues
        |> List.choose (fun marker -> parse (marker.AsSpan()) |> ValueOption.toOption)
        |> Array.ofList

    let longest = missing |> Seq.fold (fun most marker -> max most marker.Length) 0

    /// The text's separator in the form of the format.
    let isThousands (c: char) =
        match format.ThousandsSeparator with
        | ValueSome ' ' -> c = ' ' || c = '\u00A0' || c = '\u202F'
        | ValueSome '\'' -> c = '\'' || c = '’'
        | ValueSome known -> c = known
        | ValueNone -> false

    /// The text without thousands separators; nothing if these do not make groups of three digits.
    let ungrouped (text: string) : string voption =
        let fraction =
            match text.IndexOfAny [| format.DecimalSeparator; 'e'; 'E' |] with
            | -1 -> text.Length
            | place -> place

        let whole = text.Substring(0, fraction)

        if not (Seq.exists isThousands whole) then
            ValueSome text
        else
            let start = if whole[0] = '-' || whole[0] = '+' then 1 else 0

            let groups =
                whole.Substring(start).ToCharArray()
                |> Array.map (fun c -> if isThousands c then ' ' else c)
                |> String

            let groups = groups.Split ' '

            // A grouped number has no leading zeros: 0,804 is not 804.
            if
                groups[0].Length >= 1
                && groups[0].Length <= 3
                && groups[0][0] <> '0'
                && groups |> Array.skip 1 |> Array.forall (fun group -> group.Length = 3)
                && groups |> Array.forall (Seq.forall Char.IsAsciiDigit)
            then
                ValueSome(
                    whole.Substring(0, start) + String.concat "" groups + text.Substring fraction
                )
            else
                ValueNone

    /// Whether a point can only be a decimal separator: it occurs once and not before the last three
    /// digits.
    let isPointOnly (text: string) =
        let place = text.IndexOf '.'
        let fraction = text.Substring(place + 1)
        let digits = fraction |> Seq.takeWhile Char.IsAsciiDigit |> Seq.length

        place = text.LastIndexOf '.'
        && (digits <> 3
            || text.TrimStart('+', '-').StartsWith("0.", StringComparison.Ordinal))

    member _.Format = format

    /// The finite number of a text.
    member _.Number(text: string | null) : float voption =
        match text with
        | null -> ValueNone
        | text ->
            let trimmed = text.AsSpan().Trim()

            if
                format.DecimalSeparator = '.'
                && format.ThousandsSeparator.IsNone
                && trimmed.IndexOf '−' < 0
            then
                parse trimmed
            else
                match ungrouped (trimmed.ToString().Replace('−', '-')) with
                | ValueNone -> ValueNone
                | ValueSome plain when format.DecimalSeparator = '.' -> parse (plain.AsSpan())
                | ValueSome plain when not (plain.Contains '.') ->
                    parse (plain.Replace(',', '.').AsSpan())
                | ValueSome plain when
                    not (plain.Contains ',')
                    && format.ThousandsSeparator <> ValueSome '.'
                    && isPointOnly plain
                    ->
                    parse (plain.AsSpan())
                | ValueSome _ -> ValueNone

    /// The sign and digits of a whole number that double precision rounds; nothing for other numbers.
    member _.RoundedDigits(text: string, number: float) : string voption =
        let isWhole = text.IndexOfAny [| format.DecimalSeparator; 'e'; 'E' |] < 0

        if abs number < WholeNumbers.FirstRounded || not isWhole then
            ValueNone
        else
            let sign = if number < 0.0 then "-" else ""
            let digits = sign + (String.filter Char.IsAsciiDigit text).TrimStart '0'

            if digits = WholeNumbers.text number then
                ValueNone
            else
                ValueSome digits

    /// The numbers that mean a missing value.
    member _.MissingNumbers = List.ofArray missingNumbers

    /// Whether some numbers mean a missing value.
    member _.HasMissingNumbers = missingNumbers.Length > 0

    /// Whether a number means a missing value.
    member _.IsMissing(number: float) : bool =
        Double.IsNaN number
        || (missingNumbers.Length > 0 && Array.contains number missingNumbers)

    /// Whether a text means a missing value.
    member reader.IsMissing(text: string | null) : bool =
        match text with
        | null -> true
        | text ->
            let trimmed = text.AsSpan().Trim()

            trimmed.IsEmpty
            || (trimmed.Length <= longest && missing.Contains(trimmed.ToString()))
            || (missingNumbers.Length > 0
                && match reader.Number text with
                   | ValueSome number -> Array.contains number missingNumbers
                   | ValueNone -> false)

    /// The truth value of a text, in any case of letters.
    member _.Truth(text: string | null) : bool voption =
        match text with
        | null -> ValueNone
        | text ->
            match Boolean.TryParse text with
            | true, truth -> ValueSome truth
            | _ -> ValueNone

    /// One text for all spellings of a number or of a truth value; any other text without the spaces
    /// around it. Numbers from 2⁵³ on are texts: different ones may be the same in double precision.
    member reader.Canonical(text: string | null) : string =
        match text, reader.Number text, reader.Truth text with
        | null, _, _ -> ""
        | _, ValueSome number, _ when abs number < WholeNumbers.FirstRounded ->
            (number + 0.0).ToString("R", invariant)
        | _, _, ValueSome true -> "true"
        | _, _, ValueSome false -> "false"
        | text, _, _ -> text.Trim()

    /// The value of a text.
    member reader.Read(text: string | null) : CellValue =
        match reader.Number text with
        | ValueSome number when missingNumbers.Length > 0 && reader.IsMissing number ->
            CellValue.Missing
        | ValueSome number -> CellValue.Number number
        | ValueNone when reader.IsMissing text -> CellValue.Missing
        | ValueNone -> CellValue.Other
