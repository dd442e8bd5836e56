namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic
open System.Globalization
open Pipeline.Learning

/// How the cells of a table are written.
type CellFormat = {
    /// Texts that mean a missing value, in any case of letters. An empty cell always does.
    MissingValues: string list
    /// What separates the whole part of a number from its fraction: a point or a comma.
    DecimalSeparator: char
    /// What may separate groups of three digits: a comma, a point, an apostrophe or a space.
    ThousandsSeparator: char voption
} with

    /// Numbers with a decimal point and no thousands separator; NA, N/A, NaN, null and a question mark mean a
    /// missing value.
    static member Default: CellFormat = {
        MissingValues = [ "NA"; "N/A"; "NaN"; "null"; "?" ]
        DecimalSeparator = '.'
        ThousandsSeparator = ValueNone
    }

/// The settings of a cell format. Settings without a value follow from the model, or from the table if there is
/// no model.
type CellRules = {
    /// Texts that mean a missing value.
    MissingValues: string list voption
    /// A point or a comma.
    DecimalSeparator: char voption
    /// A comma, a point, an apostrophe or a space.
    ThousandsSeparator: char voption
} with

    /// Settings without any value.
    static member Default: CellRules = {
        MissingValues = ValueNone
        DecimalSeparator = ValueNone
        ThousandsSeparator = ValueNone
    }

/// Reading the settings of a cell format.
[<RequireQualifiedAccess>]
module CellRules =
    let private separator (name: string) (known: string) (text: string) =
        if text.Length = 1 && known.Contains text[0] then
            Ok(ValueSome text[0])
        else
            let names = known |> Seq.map (fun c -> invariant $"'{c}'") |> String.concat ", "
            Error [ Fault.create name $"one of {names}" $"'{text}'" ]

    /// <summary>The rules of settings; a setting without a value is empty.</summary>
    /// <param name="missing">Texts that mean a missing value.</param>
    /// <param name="decimal">A point or a comma.</param>
    /// <param name="thousands">A comma, a point, an apostrophe or a space.</param>
    [<CompiledName("Parse")>]
    let parse
        (missing: string list voption)
        (decimal: string voption)
        (thousands: string voption)
        : Result<CellRules, Fault list> =
        let one name known text =
            match text with
            | ValueNone -> Ok ValueNone
            | ValueSome text -> separator name known text

        Fault.both (one "DecimalSeparator" ".," decimal) (one "ThousandsSeparator" ",.' " thousands)
        |> Result.bind (fun (decimal, thousands) ->
            Fault.check
                [
                    decimal.IsNone || decimal <> thousands,
                    Fault.create
                        "ThousandsSeparator"
                        "another character than the decimal separator"
                        "the same for both"
                ]
                (fun () -> {
                    MissingValues = missing
                    // A thousands separator cannot be the decimal separator as well.
                    DecimalSeparator =
                        match decimal, thousands with
                        | ValueNone, ValueSome ',' -> ValueSome '.'
                        | ValueNone, ValueSome '.' -> ValueSome ','
                        | _ -> decimal
                    ThousandsSeparator = thousands
                }))

/// Formats of cells.
[<RequireQualifiedAccess>]
module internal CellFormat =
    /// The format with the values of rules.
    let apply (rules: CellRules) (format: CellFormat) : CellFormat =
        let decimal =
            ValueOption.defaultValue format.DecimalSeparator rules.DecimalSeparator

        {
            MissingValues = ValueOption.defaultValue format.MissingValues rules.MissingValues
            DecimalSeparator = decimal
            ThousandsSeparator =
                match rules.ThousandsSeparator, format.ThousandsSeparator with
                | ValueNone, ValueSome own when own = decimal -> ValueNone
                | ValueNone, own -> own
                | given, _ -> given
        }
