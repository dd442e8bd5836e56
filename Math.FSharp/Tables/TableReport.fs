namespace Pipeline.Learning

open System
open System.Collections.Generic
open System.Numerics
open Pipeline.Learning.Formats

/// Missing cells of a column.
type MissingCells = {
    /// The column.
    Column: string
    /// The text of the cells; nothing if they are empty.
    Marker: string
    /// The number of cells.
    Count: int
}

/// How a table was understood.
type TableReport = {
    /// The label's column.
    Label: string
    /// The classes with their numbers of rows; none if the label is a number to predict.
    Classes: (string * int) list
    /// Columns of numbers.
    Numbers: string list
    /// Columns of categories with their numbers of categories.
    Categories: (string * int) list
    /// The column of weights.
    Weight: string voption
    /// Columns that settings leave out.
    Ignored: string list
    /// Columns that are left out because they number the rows.
    Counts: string list
    /// Missing cells of the inputs.
    Missing: MissingCells list
    /// How missing cells are treated.
    Rule: Missing
    /// How cells are written.
    Format: CellFormat
    /// Warnings about possible mistakes.
    Warnings: string list
}

/// Making a report and its summary.
[<RequireQualifiedAccess>]
module TableReport =
    /// The most names in a list.
    [<Literal>]
    let private Most = 10

    let private some (names: string list) : string =
        let shown = names |> List.truncate Most |> String.concat ", "

        if names.Length > Most then
            invariant $"{shown} and {names.Length - Most} more"
        else
            shown

    let private counted (one: string) (many: string) (count: int) : string =
        Counted.text one many (int64 count)

    let private missing (report: TableReport) : string =
        let cells =
            report.Missing
            |> List.map (fun cells ->
                let marker = if cells.Marker = "" then "empty" else $"'{cells.Marker}'"
                (invariant $"""{counted "cell" "cells" cells.Count} of {cells.Column} ({marker})"""))
            |> some

        let isNumber name = List.contains name report.Numbers
        let columns = report.Missing |> List.map _.Column

        let numbers =
            match report.Rule with
            | Missing.Median -> [ "the median" ]
            | _ -> [ "the mean" ]

        let fills = [
            if List.exists isNumber columns then
                yield! numbers
            if List.exists (isNumber >> not) columns then
                "the most frequent category"
        ]

        $"""missing: {cells} replaced by {String.concat " or " fills}"""

    /// <summary>One line: the label and its classes, the columns by kind, and what is left out or filled
    /// in.</summary>
    [<CompiledName("Describe")>]
    let describe (report: TableReport) : string =
        String.concat "; " [
            if report.Classes.IsEmpty then
                $"label {report.Label} (a number to predict)"
            elif report.Classes.Length <= Most then
                let classes =
                    report.Classes
                    |> List.map (fun (name, count) -> invariant $"{name} {count}")
                    |> String.concat ", "

                (invariant $"label {report.Label} ({classes})")
            else
                invariant
                    $"""label {report.Label} ({counted "class" "classes" report.Classes.Length})"""

            if not report.Numbers.IsEmpty then
                $"""{counted "numeric column" "numeric columns" report.Numbers.Length} ({some report.Numbers})"""

            if not report.Categories.IsEmpty then
                let columns =
                    report.Categories
                    |> List.map (fun (name, count) ->
                        $"""{name} with {counted "category" "categories" count}""")

                $"""{counted "categorical column" "categorical columns" columns.Length} ({some columns})"""

            match report.Weight with
            | ValueSome name -> $"weights in {name}"
            | ValueNone -> ()

            if not report.Ignored.IsEmpty then
                $"ignored: {some report.Ignored}"

            for name in report.Counts do
                $"ignored: column '{name}', which numbers the rows like an index of pandas"

            if not report.Missing.IsEmpty then
                missing report

            if report.Format.DecimalSeparator = ',' then
                "numbers with decimal commas"
        ]

    /// Missing cells of columns by their text.
    let internal missingCells (reader: CellReader) (columns: Column list) : MissingCells list =
        let ofColumn (column: Column) : MissingCells list =
            let markers =
                match column.Cells with
                | Cells.Numbers numbers ->
                    numbers
                    |> Seq.filter (fun number -> reader.IsMissing number)
                    |> Seq.map Cells.text
                | NumbersIn reader known ->
                    let texts = known :> IReadOnlyList<string>

                    known.Numbers.Missing()
                    |> Seq.map (fun row ->
                        let text = texts[row]
                        if isNull (box text) then "" else text.Trim())
                | Cells.Texts texts ->
                    let areMissing =
                        texts |> Cells.mapTexts (fun text -> reader.Read text = CellValue.Missing)

                    seq { 0 .. texts.Count - 1 }
                    |> Seq.filter (Array.get areMissing)
                    |> Seq.map (fun row ->
                        let text = texts[row]
                        if isNull (box text) then "" else text.Trim())
                | Cells.Unreadable _ -> Seq.empty

            [
                for marker, count in markers |> Seq.countBy id |> Seq.sortBy fst do
                    {
                        Column = column.Name
                        Marker = marker
                        Count = count
                    }
            ]

        match columns with
        | [] -> []
        | first :: _ ->
            columns |> TableColumns.map (Cells.count first.Cells) ofColumn |> List.concat

    /// The classes with their numbers of training and test rows.
    let private counts (classes: string list) (data: Dataset<'T> list) : (string * int) list =
        let counts = Array.zeroCreate classes.Length

        for data in data do
            match data.Targets with
            | Targets.Labels labels ->
                for label in labels do
                    counts[label] <- counts[label] + 1
            | Targets.Columns _ -> ()

        List.zip classes (List.ofArray counts)

    /// The report of tables, the training table first.
    let internal create
        (options: TableOptions)
        (layout: TableLayout)
        (encoding: TableEncoding)
        (classes: string list)
        (warnings: string list)
        (tables: Table list)
        (train: Dataset<'T>)
        (test: Dataset<'T>)
        : TableReport when 'T :> IBinaryFloatingPointIeee754<'T> =
        let reader = CellReader encoding.Format
        let table = tables.Head

        let inputs table =
            TestRows.columns (layout.Numbers @ layout.Categories) table

        let spellings (what: string) (name: string) =
            tables
            |> Seq.collect (TestRows.columns [ name ])
            |> Seq.collect (fun column ->
                match column.Cells with
                | Cells.Numbers _
                | Cells.Unreadable _ -> Seq.empty
                | Cells.Texts texts ->
                    Cells.countTexts texts
                    |> Seq.filter (fun (text, _) -> not (reader.IsMissing text)))
            |> Spelling.warnings reader $"{what} {name}"

        {
            Label = layout.Label
            Classes = counts classes [ train; test ]
            Numbers = layout.Numbers
            Categories =
                encoding.Categories
                |> List.map (fun column -> column.Name, column.Values.Length)
            Weight = layout.Weight
            Ignored = layout.Ignored
            Counts = layout.Counts
            Missing =
                tables
                |> List.collect (inputs >> missingCells reader)
                |> List.groupBy (fun cells -> cells.Column, cells.Marker)
                |> List.map (fun ((column, marker), same) -> {
                    Column = column
                    Marker = marker
                    Count = same |> List.sumBy _.Count
                })
            Rule = options.Missing
            Format = encoding.Format
            Warnings = [
                yield! warnings
                yield! TableWarnings.ofColumns reader layout table

                if not classes.IsEmpty then
                    yield! spellings "Label" layout.Label

                for column in TestRows.columns layout.Categories table do
                    yield! spellings "Column" column.Name

                yield! ClassCheck.untrained classes train test
            ]
        }
