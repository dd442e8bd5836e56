namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// Labels of a table's rows: classes, or numbers to predict.
[<RequireQualifiedAccess>]
module internal TableLabels =
    /// The classes of labels, however many; a fault if a label is missing.
    let names
        (reader: CellReader)
        (column: Column)
        (table: Table)
        : Result<string list, Fault list> =
        let different = ColumnValues.different reader column.Cells

        if Seq.exists (fun (text, _) -> text = "") different then
            let texts = ColumnValues.texts reader column.Cells

            let absent =
                [| 0 .. texts.Length - 1 |] |> Array.filter (fun row -> texts[row] = "")

            Error [ ColumnValues.missingFault column table "a label" absent ]
        else
            Ok(Spelling.groups reader (Seq.map fst different) |> List.map fst)

    /// The classes, if their number is that of a classifier.
    let requireClasses (column: Column) (classes: string list) =
        Fault.check
            [
                classes.Length >= 2 && classes.Length <= CategoryColumn.Maximum,
                Fault.create
                    $"column {column.Name}"
                    (invariant
                        $"labels of 2 to {CategoryColumn.Maximum} classes (Data:Label names the label's column)")
                    (string classes.Length)
            ]
            (fun () -> classes)

    /// <summary>The classes that a label's column has, in order: all spellings of a number, or of true and
    /// false, are one class.</summary>
    /// <param name="format">How cells are written.</param>
    /// <param name="column">The training rows' labels.</param>
    /// <param name="table">The training rows.</param>
    let classes
        (format: CellFormat)
        (column: Column)
        (table: Table)
        : Result<string list, Fault list> =
        names (CellReader format) column table |> Result.bind (requireClasses column)

    /// <summary>Each row's class as its index among the classes.</summary>
    /// <param name="format">How cells are written.</param>
    /// <param name="classes">The classes.</param>
    /// <param name="column">The label's column of the table.</param>
    /// <param name="table">The rows.</param>
    let labels
        (format: CellFormat)
        (classes: string list)
        (column: Column)
        (table: Table)
        : Result<int[], Fault list> =
        ColumnValues.indices (CellReader format) classes "" "a label" table column

    /// <summary>Each row's number to predict.</summary>
    /// <param name="format">How cells are written.</param>
    /// <param name="column">The label's column of the table.</param>
    /// <param name="table">The rows.</param>
    /// <returns>(1, rows).</returns>
    let targets
        (format: CellFormat)
        (column: Column)
        (table: Table)
        : Result<Matrix<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        DecimalComma.requireOneReading format table [ column ]
        |> Result.bind (fun () -> ColumnValues.numbers (CellReader format) table column)
        |> Result.bind (fun numbers ->
            let absent = ColumnValues.missingRows numbers

            if absent.Length > 0 then
                Error [ ColumnValues.missingFault column table "a number to predict" absent ]
            else
                ColumnValues.inPrecision "a number to predict that is" column table numbers numbers
                |> Result.map (Kernels.matrix 1 numbers.Length))

    /// The most that rounding may change numbers to predict, in standard deviations.
    [<Literal>]
    let private MostRounding = 0.1

    /// The least standard deviation, other than 0, of numbers to predict in single precision: with a smaller one the
    /// output layer's weights, which are multiplied by it, come near 1.2E-38, below which digits are lost.
    [<Literal>]
    let private LeastSingleDeviation = 1e-36

    /// A fault if the training rows' numbers to predict are nearly equal in the network's precision, or nearly 0: 100,000,001
    /// is 100,000,000 in single precision.
    let requireToldApart<'T when 'T :> IBinaryFloatingPointIeee754<'T>>
        (format: CellFormat)
        (column: Column)
        (table: Table)
        : Result<unit, Fault list> =
        match ColumnValues.numbers (CellReader format) table column with
        // Who reads the targets reports it.
        | Error _ -> Ok()
        | Ok numbers ->
            let held =
                numbers
                |> Array.map (fun x -> float (Double.CreateTruncating('T.CreateTruncating x)))

            let mean = Spread.mean (ReadOnlySpan numbers)
            let deviation = Spread.deviation mean (ReadOnlySpan numbers)

            let rounding =
                Array.map2 (fun x held -> (x - held) / deviation) numbers held
                |> Array.averageBy (fun error -> error * error)
                |> sqrt

            Fault.check
                [
                    // Numbers that are missing or not finite in the precision have faults of their own.
                    not (Double.IsFinite rounding && rounding > MostRounding),
                    Fault.create
                        $"column {column.Name}"
                        "numbers to predict that single precision tells apart (Training:Precision Double has more digits)"
                        (invariant
                            $"numbers that rounding changes by {100.0 * rounding:F0} %% of their standard deviation")
                    typeof<'T> <> typeof<float32>
                    || not (deviation > 0.0 && deviation < LeastSingleDeviation),
                    Fault.create
                        $"column {column.Name}"
                        (invariant
                            $"numbers to predict with a standard deviation of {Cells.text LeastSingleDeviation} or greater in single precision (Training:Precision Double holds smaller ones)")
                        (Cells.text deviation)
                ]
                ignore
