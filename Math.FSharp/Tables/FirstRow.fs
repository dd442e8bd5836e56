namespace Pipeline.Learning

open System
open System.Globalization
open System.Collections.Generic
open Pipeline.Learning.Formats

/// The kind of a file's first row.
[<RequireQualifiedAccess>]
type FirstRow =
    /// Names of columns.
    | Names
    /// Cells, like the rows below.
    | Cells
    /// Names or cells.
    | Unclear

    /// The case's name.
    override row.ToString() =
        match row with
        | Names -> nameof Names
        | Cells -> nameof Cells
        | Unclear -> nameof Unclear

/// <summary>Whether the first row of a file holds names, from how it differs from the rows
/// below.</summary>
/// <remarks>
/// <para>Each column gives evidence. A word above numbers is a name; so is an empty cell above the numbers
/// 0, 1, 2, … of an index. A word that occurs again below is a cell, and so is a number with a fraction, or
/// a date above dates. A word above words that all occur several times is probably a name, because a cell
/// would occur again too.</para>
/// <para>Whole numbers may be names or cells. They are taken for names if they follow each other (years), or if
/// they are far from the numbers below and words in other columns are names.</para>
/// <para>If the evidence is divided, or there are only numbers that look like names, the answer is
/// <c>Unclear</c>: a wrong guess would lose a row or add one.</para>
/// </remarks>
[<RequireQualifiedAccess>]
module FirstRow =
    /// The number of rows that are examined.
    let private sample = 1000

    /// The number of cells that evidence from counts needs.
    let private enough = 10

    [<RequireQualifiedAccess>]
    type private Evidence =
        | Name
        | LikelyName
        | Cell
        /// A whole number, and whether it is far from the numbers below.
        | Whole of int64 * isFar: bool
        | Nothing

    let private isNumber (text: string) = (Cells.number text).IsSome

    /// Whether a text begins like a number, date, price or measure.
    let private beginsAsNumber (text: string) =
        let rest = text.TrimStart([| '+'; '-'; '.'; ','; '$'; '€'; '£'; '('; ' ' |])
        rest <> "" && Char.IsDigit rest[0]

    let private hasLetter (text: string) = text |> Seq.exists Char.IsLetter

    let private whole (text: string) : int64 voption =
        match Int64.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, number -> ValueSome number
        | _ -> ValueNone

    /// Whether the cells number the rows: 0, 1, 2, … or 1, 2, 3, …
    let private isIndex (below: string[]) =
        below.Length >= 3
        && (let start = whole below[0]

            (start = ValueSome 0L || start = ValueSome 1L)
            && below
               |> Seq.indexed
               |> Seq.forall (fun (i, text) -> whole text = ValueSome(start.Value + int64 i)))

    /// Whether a number is more than three times as far from the others as these are from each other.
    let private isFar (number: int64) (others: float[]) =
        let least, greatest = Array.min others, Array.max others
        let away = max (least - float number) (float number - greatest)
        others.Length >= enough && greatest > least && away > 3.0 * (greatest - least)

    /// The numbers of some texts that a reader knows; NaN for the others.
    let private knownNumbers (first: int) (count: int) (texts: IReadOnlyList<string>) : float[] =
        let numbers = Array.create count nan

        match texts with
        | :? IDecimalTexts as decimals -> decimals.CopyNumbers(first, numbers.AsSpan())
        | _ -> ()

        numbers

    /// Whether the first text occurs again, apart from spaces around it.
    let private comesAgain (text: string) (isWord: bool) (texts: IReadOnlyList<string>) : bool =
        let mutable found = false

        // A column of numbers does not contain the word.
        let mutable row =
            match texts with
            | :? IDecimalTexts as decimals when isWord && decimals.AreAll 1 -> texts.Count
            | _ -> 1

        while not found && row < texts.Count do
            let count = min sample (texts.Count - row)
            let known = knownNumbers row count texts

            for i in 0 .. count - 1 do
                if not found && not (isWord && not (Double.IsNaN known[i])) then
                    found <- texts[row + i].AsSpan().Trim().SequenceEqual(text.AsSpan())

            row <- row + count

        found

    let private ofColumn (texts: IReadOnlyList<string>) : Evidence =
        let first = texts[0].Trim()

        let known = knownNumbers 1 (min sample (texts.Count - 1)) texts

        let below = [|
            for row in 1 .. known.Length do
                if not (Double.IsNaN known[row - 1]) then
                    struct (row, known[row - 1])
                else
                    let text = texts[row].Trim()

                    if not (Cells.isMissing text) then
                        struct (row, ValueOption.defaultValue nan (Cells.number text))
        |]

        let numbers =
            below
            |> Array.map (fun struct (_, number) -> number)
            |> Array.filter (Double.IsNaN >> not)

        let textsBelow () =
            below |> Array.map (fun struct (row, _) -> texts[row].Trim())

        let comesAgain () =
            comesAgain first (not (isNumber first)) texts

        if below.Length = 0 then
            Evidence.Nothing
        elif first = "" && isIndex (textsBelow ()) then
            Evidence.Name
        elif Cells.isMissing first then
            Evidence.Nothing
        elif 2 * numbers.Length >= below.Length then
            if not (isNumber first) then
                if comesAgain () then Evidence.Cell
                elif hasLetter first then Evidence.Name
                else Evidence.Nothing
            else
                match whole first with
                | ValueSome number -> Evidence.Whole(number, isFar number numbers)
                | ValueNone -> Evidence.Cell
        elif isNumber first && (whole first).IsSome then
            Evidence.Whole((whole first).Value, false)
        elif
            comesAgain ()
            || (beginsAsNumber first
                && 2 * (textsBelow () |> Seq.filter beginsAsNumber |> Seq.length) >= below.Length)
        then
            Evidence.Cell
        elif
            below.Length >= enough
            && textsBelow () |> Seq.countBy id |> Seq.forall (fun (_, times) -> times > 1)
        then
            Evidence.LikelyName
        else
            Evidence.Nothing

    /// Whether three or more whole numbers follow each other in equal steps.
    let private isRun (numbers: int64 list) =
        numbers.Length >= 3
        && (let steps = numbers |> List.pairwise |> List.map (fun (one, next) -> next - one)
            steps.Head > 0L && List.distinct steps = [ steps.Head ])

    /// <summary>The kind of the first row.</summary>
    /// <param name="columns">The cells of each column, the first row's among them.</param>
    [<CompiledName("Detect")>]
    let detect (columns: IReadOnlyList<string> seq) : FirstRow =
        let columns = List.ofSeq columns
        let evidence = columns |> List.map ofColumn
        let has one = List.contains one evidence

        let count one =
            evidence |> List.filter ((=) one) |> List.length

        let first row =
            columns |> List.map (fun texts -> texts[row].Trim())

        let areWords =
            first 0
            |> List.forall (fun text -> not (Cells.isMissing text) && not (isNumber text))

        let wholes =
            evidence
            |> List.choose (function
                | Evidence.Whole(number, isFar) -> Some(number, isFar)
                | _ -> None)

        let follow = isRun (List.map fst wholes)

        let alsoBelow =
            columns.Head.Count > 1
            && first 1 |> List.map whole |> List.filter _.IsSome |> List.map _.Value |> isRun

        let areFar = List.forall snd wholes

        match has Evidence.Name, has Evidence.Cell with
        | true, true -> FirstRow.Unclear
        | false, true when count Evidence.LikelyName < count Evidence.Cell -> FirstRow.Cells
        | false, true -> FirstRow.Unclear
        | isName, false ->
            let isLikely = isName || has Evidence.LikelyName

            match wholes.IsEmpty, isLikely with
            | true, _ when isName || areWords -> FirstRow.Names
            | true, true -> FirstRow.Unclear
            | true, false -> FirstRow.Cells
            | false, true ->
                if follow || areFar then
                    FirstRow.Names
                else
                    FirstRow.Unclear
            | false, false when follow && not alsoBelow -> FirstRow.Unclear
            | false, false when areFar && (wholes.Length > 1 || wholes.Length < columns.Length) ->
                FirstRow.Unclear
            | false, false -> FirstRow.Cells
