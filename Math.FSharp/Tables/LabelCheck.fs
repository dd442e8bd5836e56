namespace Pipeline.Learning

open System

/// Whether the label's column holds classes.
[<RequireQualifiedAccess>]
module internal LabelCheck =
    /// More classes than so many numbers are told of.
    [<Literal>]
    let private ManyNumbers = 20

    let private toNumbers (label: string) =
        $"Model:Head Identity to predict numbers, or Data:Categorical {label} to take each number for a class"

    /// <summary>Warnings on the classes of a label, or a fault where they seem to be none.</summary>
    /// <param name="reader">Reads the cells.</param>
    /// <param name="rows">How many rows have a label.</param>
    /// <param name="label">The label's column.</param>
    /// <param name="classes">Its classes.</param>
    let check
        (reader: CellReader)
        (rows: int)
        (label: string)
        (classes: string list)
        : Result<string list, Fault list> =
        let numbers = classes |> List.map reader.Number
        let areNumbers = numbers |> List.forall _.IsSome

        let fraction =
            if areNumbers then
                classes
                |> List.tryFind (fun name -> not (Double.IsInteger (reader.Number name).Value))
            else
                None

        // Somebody wrote true for 1 in some of the rows.
        let truth = classes |> List.tryFind (fun name -> (reader.Truth name).IsSome)

        let bit =
            classes
            |> List.tryFind (fun name ->
                match reader.Number name with
                | ValueSome number -> number = 0.0 || number = 1.0
                | ValueNone -> false)

        let areMany = classes.Length > ColumnKind.Few && 2 * classes.Length > rows

        match fraction with
        | None when truth.IsSome && bit.IsSome ->
            Error [
                Fault.create
                    $"column {label}"
                    $"truth values or numbers, not both, or Data:Categorical {label} to take each text for a class"
                    $"'{truth.Value}' and '{bit.Value}'"
            ]
        | Some number ->
            Error [
                Fault.create
                    $"column {label}"
                    $"classes as labels, or {toNumbers label}"
                    $"%d{classes.Length} different numbers, such as {number}"
            ]
        | None when areMany && areNumbers ->
            Error [
                Fault.create
                    $"column {label}"
                    $"labels that recur, or {toNumbers label}"
                    $"%d{classes.Length} different numbers in %d{rows} rows"
            ]
        | None when areMany ->
            Error [
                Fault.create
                    $"column {label}"
                    "labels that recur (Data:Label names the label's column)"
                    $"%d{classes.Length} different texts in %d{rows} rows, such as '{classes.Head}'"
            ]
        | None when areNumbers && classes.Length > ManyNumbers ->
            Ok [
                $"The label {label} has %d{classes.Length} different numbers, each taken for a class. If they are amounts, Model:Head Identity predicts them as numbers."
            ]
        | None -> Ok []
