namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Formats

/// A column of numbers, which becomes the input (x − Centre) / Scale.
type NumberColumn = {
    /// The column.
    Name: string
    /// The value in place of a missing one; NaN if missing values are refused.
    Fill: float
    /// The number that becomes 0.
    Centre: float
    /// The difference that becomes 1; not 0.
    Scale: float
}

/// A column of categories. Each category becomes one input: 1 if the row has it, otherwise 0.
type CategoryColumn = {
    /// The column.
    Name: string
    /// The categories, 1 or more.
    Values: string list
    /// The category in place of a missing one; empty if missing values are refused.
    Fill: string
}

/// Fitting a column of numbers to training rows, and encoding any rows.
[<RequireQualifiedAccess>]
module internal NumberColumn =
    /// Puts the numbers that are not missing in front, and returns how many there are.
    let private pack (numbers: Span<float>) : int =
        let mutable count = 0

        for x in numbers do
            if not (Double.IsNaN x) then
                numbers[count] <- x
                count <- count + 1

        count

    /// The column of the numbers of training rows.
    let private fitNumbers
        (options: TableOptions)
        (table: Table)
        (column: Column)
        (absent: unit -> int[])
        (numbers: Span<float>)
        : Result<NumberColumn, Fault list> =
        let count = pack numbers
        let present: ReadOnlySpan<float> = Span.op_Implicit (numbers.Slice(0, count))

        if count = 0 then
            Error [ ColumnValues.onlyMissing column ]
        elif count < numbers.Length && options.Missing = Missing.Refuse then
            Error [ ColumnValues.missingFault column table ColumnValues.SettingRule (absent ()) ]
        else
            let struct (centre, scale) = Spread.centreAndScale options.Scaling present

            if Double.IsFinite scale then
                Ok {
                    NumberColumn.Name = column.Name
                    Fill =
                        match options.Missing with
                        | Missing.Refuse -> nan
                        | Missing.Mean -> Spread.mean present
                        | Missing.Median -> Spread.median present
                    Centre = centre
                    Scale = scale
                }
            else
                let present = present.ToArray()

                Error [
                    Fault.create
                        $"column {column.Name}"
                        $"numbers with a range of at most {Cells.text Double.MaxValue}, or Data:Scaling of Standard"
                        $"{Cells.text (Array.min present)} to {Cells.text (Array.max present)}"
                ]

    /// The column of training rows.
    let fit (options: TableOptions) (reader: CellReader) (table: Table) (column: Column) =
        match column.Cells with
        | NumbersIn reader known ->
            let source = known.Numbers
            let rented = ArrayPool<float>.Shared.Rent source.Count

            try
                let numbers = rented.AsSpan(0, source.Count)
                source.Copy(0, numbers)
                fitNumbers options table column source.Missing numbers
            finally
                ArrayPool<float>.Shared.Return rented
        | _ ->
            ColumnValues.numbers reader table column
            |> Result.bind (fun numbers ->
                let absent = ColumnValues.missingRows numbers
                fitNumbers options table column (fun () -> absent) (numbers.AsSpan()))

    /// The input of a number; not finite where it does not fit, or is missing and not filled in.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let input (encoding: NumberColumn) (x: float) : float =
        let x = if Double.IsNaN x then encoding.Fill else x
        let scaled = (x - encoding.Centre) / encoding.Scale

        // The difference of two numbers may be infinite where its quotient is not.
        if Double.IsFinite scaled then
            scaled
        else
            x / encoding.Scale - encoding.Centre / encoding.Scale

    /// Whether the training numbers may all have been 0 and 1: for these a standard deviation σ belongs to the mean m,
    /// σ² = m(1 − m).
    let private mayBeTruth (encoding: NumberColumn) : bool =
        let m, scale = encoding.Centre, encoding.Scale

        (m = 0.0 || m = 1.0) && scale = 1.0
        || m > 0.0 && m < 1.0 && abs (scale * scale - m * (1.0 - m)) <= 1e-9

    /// The column's inputs.
    let encode
        (reader: CellReader)
        (table: Table)
        (encoding: NumberColumn)
        : Result<'T[], Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        ColumnValues.find encoding.Name table
        |> Result.bind (fun column ->
            ColumnValues.numbersWith (mayBeTruth encoding) reader table column
            |> Result.bind (fun numbers ->
                let absent = ColumnValues.missingRows numbers

                if absent.Length > 0 && Double.IsNaN encoding.Fill then
                    Error [
                        ColumnValues.missingFault column table ColumnValues.TrainingRule absent
                    ]
                else
                    numbers
                    |> Array.map (input encoding)
                    |> ColumnValues.inPrecision
                        "a number that, once scaled, is"
                        column
                        table
                        numbers))

/// Fitting a column of categories to training rows.
[<RequireQualifiedAccess>]
module internal CategoryColumn =
    /// The most categories that a column may have.
    [<Literal>]
    let Maximum = 1000

    /// The column of training rows.
    let fit (options: TableOptions) (reader: CellReader) (table: Table) (column: Column) =
        let texts = ColumnValues.texts reader column.Cells

        let absent =
            [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

        let present = texts |> Array.filter ((<>) "")
        let values = Spelling.groups reader present |> List.map fst

        Fault.check
            [
                present.Length > 0, ColumnValues.onlyMissing column
                absent.Length = 0 || options.Missing <> Missing.Refuse,
                (if absent.Length > 0 then
                     ColumnValues.missingFault column table ColumnValues.SettingRule absent
                 else
                     Fault.create "" "" "")
                values.Length <= Maximum,
                Fault.message
                    $"column {column.Name}"
                    (invariant
                        $"has {values.Length} categories, more than {Maximum}; Data:Ignored leaves a column out")
            ]
            (fun () -> {
                CategoryColumn.Name = column.Name
                Values = values
                Fill =
                    match options.Missing with
                    | Missing.Refuse -> ""
                    | _ ->
                        let place = Spelling.finder reader values

                        let counts =
                            present
                            |> Array.countBy (fun text -> (place text).Value)
                            |> Map.ofArray

                        values
                        |> List.indexed
                        |> List.maxBy (fun (place, _) -> counts[place])
                        |> snd
            })
