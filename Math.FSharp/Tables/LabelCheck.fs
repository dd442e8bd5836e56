namespace Pipeline.Learning

open System
open Pipeline.Learning.Formats

/// Whether the label's column holds classes.
[<RequireQualifiedAccess>]
module internal LabelCheck =
    /// The largest number of numeric classes without a warning.
    [<Literal>]
    let private ManyNumbers = 20

    let private toNumbers (label: string) =
        $"Model:Head Identity predicts numbers, Data:Categorical {label} takes each number for a class"

    /// <summary>Warnings about the classes of a label, or a fault where the values do not look like
    /// classes.</summary>
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
                Fault.message
                    $"column {label}"
                    (invariant
                        $"mixes truth values and numbers ('{truth.Value}' and '{bit.Value}'); Data:Categorical {label} takes each text for a class")
            ]
        | Some number ->
            Error [
                Fault.message
                    $"column {label}"
                    (invariant
                        $"has {classes.Length} different numbers, such as {number}, instead of classes; {toNumbers label}")
            ]
        | None when areMany && areNumbers ->
            Error [
                Fault.message
                    $"column {label}"
                    (invariant
                        $"has {classes.Length} different numbers in {rows} rows, too many for classes; {toNumbers label}")
            ]
        | None when areMany ->
            Error [
                Fault.message
                    $"column {label}"
                    (invariant
                        $"has {classes.Length} different texts in {rows} rows, such as '{classes.Head}', too many for classes; Data:Label names the label's column")
            ]
        | None when areNumbers && classes.Length > ManyNumbers ->
            Ok [
                (invariant
                    $"The label {label} has {classes.Length} different numbers, each taken for a class. If they are amounts, Model:Head Identity predicts them as numbers.")
            ]
        | None -> Ok []
