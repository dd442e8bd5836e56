namespace Pipeline.Learning

open System.Collections.Generic
open Pipeline.Learning.Formats

/// Tables whose numbers have decimal commas.
[<RequireQualifiedAccess>]
module internal DecimalComma =
    let private withComma: CellFormat = {
        CellFormat.Default with
            DecimalSeparator = ','
    }

    let private withGroups: CellFormat = {
        CellFormat.Default with
            ThousandsSeparator = ValueSome ','
    }

    /// Whether the comma cannot separate thousands: the comma of 1,5 or of 0,125.
    let private isCertain (groups: CellReader) (text: string) : bool =
        text.Contains ',' && (groups.Number text).IsNone

    /// <summary>Whether decimal commas are the only reading of the columns: all cells of one or more are
    /// numbers with decimal commas, of which one at least cannot be a thousands separator, and no cell of any
    /// column is a number with a decimal point.</summary>
    /// <param name="rules">Which texts mean a missing value.</param>
    /// <param name="columns">The columns.</param>
    let isOnlyReading (rules: CellRules) (columns: Column list) : bool =
        let rules = {
            rules with
                DecimalSeparator = ValueNone
                ThousandsSeparator = ValueNone
        }

        let points = CellReader(CellFormat.apply rules CellFormat.Default)
        let commas = CellReader(CellFormat.apply rules withComma)
        let groups = CellReader(CellFormat.apply rules withGroups)

        let texts =
            columns
            |> List.choose (fun column ->
                match column.Cells with
                | Cells.Texts texts -> Some texts
                | Cells.Numbers _
                | Cells.Unreadable _ -> None)

        let hasCommas (texts: IReadOnlyList<string>) =
            let mutable row, certain = 0, false

            // Without decimal commas, a number has no comma.
            let mutable isNumeric =
                match Cells.Texts texts with
                | NumbersIn points _ -> false
                | Cells.Texts(:? IDecimalTexts as decimals) -> not (decimals.AreAll 0)
                | _ -> true

            while isNumeric && row < texts.Count do
                let text = texts[row]

                match commas.Read text with
                | CellValue.Missing -> ()
                | CellValue.Number _ -> certain <- certain || isCertain groups text
                | CellValue.Other -> isNumeric <- false

                row <- row + 1

            isNumeric && certain

        texts |> List.exists hasCommas
        && texts
           |> List.forall (
               Seq.forall (fun text -> not (text.Contains '.') || (points.Number text).IsNone)
           )

    /// <summary>Refuses columns with decimal commas in which one number has a decimal point and another is a
    /// number with a point as well (950.5 beside 1,234): one of the two is misread.</summary>
    /// <param name="format">How the model's cells are written.</param>
    /// <param name="table">The rows.</param>
    /// <param name="columns">The table's columns of numbers.</param>
    let requireOneReading
        (format: CellFormat)
        (table: Table)
        (columns: Column list)
        : Result<unit, Fault list> =
        let own, groups = CellReader format, CellReader withGroups

        let hasPoint (text: string) =
            text.Contains '.' && (own.Number text).IsSome

        let mayHaveGroups (text: string) =
            text.Contains ',' && not (isCertain groups text)

        let find (isSought: string -> bool) =
            columns
            |> Seq.tryPick (fun column ->
                match column.Cells with
                | Cells.Numbers _
                | Cells.Unreadable _ -> None
                | Cells.Texts texts ->
                    texts
                    |> Seq.tryFindIndex (fun text -> not (isNull (box text)) && isSought text)
                    |> Option.map (fun row ->
                        ColumnKind.cellName column table row, ColumnKind.quoted texts[row]))

        let both =
            if format.DecimalSeparator = ',' && format.ThousandsSeparator <> ValueSome '.' then
                find hasPoint
                |> Option.bind (fun point ->
                    find mayHaveGroups |> Option.map (fun grouped -> point, grouped))
            else
                None

        match both with
        | None -> Ok()
        | Some((pointCell, point), (cell, text)) ->
            Error [
                Fault.create
                    cell
                    "decimal commas in every number, as in training, or decimal points in every number"
                    (invariant $"{text}, and {point} in {pointCell}")
            ]
