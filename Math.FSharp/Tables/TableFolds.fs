namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// How the rows of a table are divided for a cross-validation.
[<RequireQualifiedAccess>]
type FoldRule =
    /// At random, with about the same number of rows of every class in each fold. Equal rows are in one fold.
    | Stratified
    /// The same, with all rows that have the same value in a column in one fold. The column is no input.
    | Grouped of column: string
    /// Forward in time, by a column of numbers or dates, which is no input.
    | Forward of column: string

    /// The case's name, and what belongs to it.
    override rule.ToString() =
        match rule with
        | Stratified -> nameof Stratified
        | Grouped column -> invariant $"Grouped {column}"
        | Forward column -> invariant $"Forward {column}"

/// The samples of a fold.
type FoldSamples<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The samples to learn from.
    Train: Dataset<'T>
    /// The samples to test with.
    Test: Dataset<'T>
    /// How rows become samples; fitted to the rows to learn from only.
    Encoding: TableEncoding
    /// Columns with test rows of a category that no row to learn from has, and the number of these rows. All inputs of
    /// the column are 0 there.
    Unknown: (string * int) list
}

/// The rows of a table, divided for a cross-validation.
type TableFolds = private {
    /// <exclude/>
    table: Table
    /// <exclude/>
    layout: TableLayout
    /// <exclude/>
    options: TableOptions
    /// <exclude/>
    classes: string list
    /// <exclude/>
    warnings: string list
    /// <exclude/>
    folds: Fold list
    /// <exclude/>
    keys: uint64[]
} with

    /// The rows of each fold, by their indices in the table.
    member division.Folds = division.folds
    /// The label's classes; none where it is a number.
    member division.Classes = division.classes
    /// Warnings about possible mistakes in the table.
    member division.Warnings = division.warnings

/// Dividing the rows of a table for a cross-validation.
[<RequireQualifiedAccess>]
module TableFolds =
    let private withoutInput (options: TableOptions) (rule: FoldRule) (table: Table) =
        match rule with
        | FoldRule.Stratified -> Ok(options, ValueNone)
        | FoldRule.Grouped key
        | FoldRule.Forward key ->
            Fault.both (Table.find key table) (TableLayout.label options table)
            |> Result.bind (fun (column, label) ->
                Fault.check
                    [
                        column.Name <> label.Name,
                        Fault.message
                            $"column {column.Name}"
                            "is the label and cannot divide rows into folds; --group or --time needs another column"
                    ]
                    (fun () ->
                        {
                            options with
                                Ignored = column.Name :: options.Ignored
                        },
                        ValueSome column))

    /// The label's classes, what may be wrong with them, and each row's class.
    let private labelsOf (options: TableOptions) (head: Head) (layout: TableLayout) (table: Table) =
        if head = Head.Identity then
            Ok([], [], Array.zeroCreate table.Rows)
        else
            TableData.classesOf options layout.Format layout.Label table
            |> Result.bind (fun (classes, warnings) ->
                ColumnValues.find layout.Label table
                |> Result.bind (fun label -> TableLabels.labels layout.Format classes label table)
                |> Result.map (fun labels -> classes, warnings, labels))

    /// <summary>The rows divided, or everything that is wrong with them.</summary>
    /// <param name="options">What to do with columns.</param>
    /// <param name="head">The network's head: under Identity the label is a number to predict.</param>
    /// <param name="rule">How rows are divided.</param>
    /// <param name="seed">The seed of the division.</param>
    /// <param name="folds">The number of folds, 2 or more.</param>
    /// <param name="table">The rows.</param>
    [<CompiledName("Create")>]
    let create
        (options: TableOptions)
        (head: Head)
        (rule: FoldRule)
        (seed: uint64)
        (folds: int)
        (table: Table)
        : Result<TableFolds, Fault list> =
        withoutInput options rule table
        |> Result.bind (fun (options, by) ->
            TableLayout.ofTable options table
            |> Result.bind (fun (layout, table) ->
                labelsOf options head layout table
                |> Result.bind (fun (classes, warnings, labels) ->
                    let reader = CellReader layout.Format

                    /// What keeps rows together, in folds and where validation rows are split from those to learn from.
                    let keys =
                        match rule, by with
                        | FoldRule.Grouped _, ValueSome column ->
                            Column.readable column
                            |> Result.map (fun column ->
                                RowKey.ofColumns reader table.Rows [ column ])
                        | _ -> Ok(TestRows.keysOf layout table)

                    keys
                    |> Result.bind (fun keys ->
                        match rule, by with
                        | FoldRule.Forward _, ValueSome column ->
                            Column.readable column
                            |> Result.bind (TimeColumn.times reader table)
                            |> Result.bind (Folds.forward folds)
                        | _ -> Folds.stratified seed folds keys labels
                        |> Result.map (fun folds -> keys, folds))
                    |> Result.map (fun (keys, folds) -> {
                        table = table
                        layout = layout
                        options = options
                        classes = classes
                        warnings = warnings @ TableWarnings.ofColumns reader layout table
                        folds = folds
                        keys = keys
                    }))))

    /// <summary>The samples of a fold, with preprocessing that is fitted to its rows to learn from.</summary>
    /// <param name="index">The fold, from 0.</param>
    /// <param name="division">The divided rows.</param>
    /// <exception cref="T:System.ArgumentException">There is no such fold.</exception>
    [<CompiledName("Samples")>]
    let samples
        (index: int)
        (division: TableFolds)
        : Result<FoldSamples<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        if index < 0 || index >= division.folds.Length then
            invalidArg
                (nameof index)
                (invariant $"expected a fold of 0 to {division.folds.Length - 1}, found {index}")

        let fold = division.folds[index]
        let train = Table.take fold.Training division.table
        let test = Table.take fold.Test division.table

        let labelOf table =
            ColumnValues.find division.layout.Label table

        TableEncoding.fitLayout division.options division.layout train
        |> Result.bind (fun encoding -> validation {
            let! train =
                labelOf train
                |> Result.bind (fun label ->
                    TableData.samples encoding division.classes label train)
                |> Result.bind (TableData.withWeights division.layout train)
                |> Result.map (
                    Dataset.withKeys (fold.Training |> Array.map (fun row -> division.keys[row]))
                )

            and! () =
                if division.classes.IsEmpty then
                    TableData.requireToldApart<'T> division.layout train
                else
                    Ok()

            and! test, unknown =
                TableEncoding.rowsKnown encoding test
                |> Result.bind (fun (rows, unknown) ->
                    labelOf test
                    |> Result.bind (fun label ->
                        TableData.targets encoding division.classes label test)
                    |> Result.map (fun targets ->
                        Dataset.ofRows (max 1 division.classes.Length) rows targets, unknown))

            return {
                Train = train
                Test = test
                Encoding = encoding
                Unknown = unknown
            }
        })
