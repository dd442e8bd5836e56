namespace Pipeline.Learning

open System
open System.Globalization
open System.Text.RegularExpressions
open Pipeline.Learning.Formats

/// A column that orders rows in time.
[<RequireQualifiedAccess>]
module internal TimeColumn =
    /// A date with or without a time of day and its distance from UTC, as ISO 8601 writes them.
    let private date =
        Regex(
            @"^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(?:Z|([+-])(\d\d):?(\d\d))?)?$",
            RegexOptions.CultureInvariant
        )

    let private isLeap year =
        year % 4 = 0 && (year % 100 <> 0 || year % 400 = 0)

    let private daysOf year month =
        match month with
        | 2 -> if isLeap year then 29 else 28
        | 4
        | 6
        | 9
        | 11 -> 30
        | _ -> 31

    /// The days before a year of the Gregorian calendar, from the year 1 on.
    let private daysBefore year =
        let past = year - 1
        365 * past + past / 4 - past / 100 + past / 400

    /// The seconds since 1970 of a date; without a distance from UTC, it is in UTC.
    let private ofText (text: string) : float voption =
        let found = date.Match(text.Trim())

        let number (group: int) =
            if found.Groups[group].Success then
                Double.Parse(found.Groups[group].ValueSpan, CultureInfo.InvariantCulture)
            else
                0.0

        if not found.Success then
            ValueNone
        else
            let year, month, day = int (number 1), int (number 2), int (number 3)
            let hour, minute, second = number 4, number 5, number 6

            let isDate =
                year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf year month

            if isDate && hour < 24.0 && minute < 60.0 && second < 60.0 && number 9 < 60.0 then
                let days =
                    daysBefore year - daysBefore 1970
                    + Seq.sum (seq { for before in 1 .. month - 1 -> daysOf year before })
                    + day
                    - 1

                let sign = if found.Groups[7].Value = "-" then -1.0 else 1.0
                let ahead = sign * (60.0 * number 8 + number 9)

                ValueSome(86400.0 * float days + 3600.0 * hour + 60.0 * (minute - ahead) + second)
            else
                ValueNone

    /// Each row's time: a number in any unit, or the seconds since 1970 of a date as ISO 8601 writes it.
    let times (reader: CellReader) (table: Table) (column: Column) : Result<float[], Fault list> =
        let dates =
            match column.Cells with
            | Cells.Texts texts -> Array.init texts.Count (fun row -> ofText texts[row])
            | _ -> [||]

        if dates.Length > 0 && Array.forall ValueOption.isSome dates then
            Ok(dates |> Array.map _.Value)
        else
            match ColumnValues.numbers reader table column with
            | Ok numbers ->
                match ColumnValues.missingRows numbers with
                | [||] -> Ok numbers
                | absent ->
                    Error [
                        ColumnValues.missingFault
                            column
                            table
                            "a time, by which rows are ordered"
                            absent
                    ]
            | Error faults when dates.Length = 0 -> Error faults
            | Error _ ->
                let row = dates |> Array.findIndex ValueOption.isNone

                let text =
                    match column.Cells with
                    | Cells.Texts texts -> texts[row]
                    | _ -> ""

                let others = (dates |> Array.filter ValueOption.isNone).Length - 1

                Error [
                    Fault.create
                        (ColumnKind.cellName column table row)
                        "a number, or a date like 2026-11-30 or 2026-11-30T09:30:00Z"
                        (ColumnKind.quoted text + ColumnKind.andMore others)
                ]
